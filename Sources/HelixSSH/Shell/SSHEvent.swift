package import HelixModel

/// What happens on connections, for those who show or count it.
package enum SSHEvent: Hashable, Sendable {
  case connected(HostName, address: String)
  /// An unknown key was written down because new keys are to be accepted.
  case acceptedHostKey(HostName, fingerprint: String, file: String)
  /// The system's `ssh` connects from now on, for what libssh2 cannot do.
  case secondTransport(HostName, reason: String)
  /// Large files have a connection of their own from now on, by the system's `ssh`.
  case bulkConnected(HostName)
  /// Large files stay on the host's first connection, since the other was not to be had.
  case bulkRefused(HostName, reason: String)
  /// A hardware key waits to be touched.
  case touchNeeded(HostName, key: String)
  /// A command was sent: one round trip after the channel's own.
  case requested(HostName)
}
