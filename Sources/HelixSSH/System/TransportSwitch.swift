import HelixModel

/// Which program speaks SSH with a host, and when the other one takes over.
enum TransportSwitch: Hashable, Sendable {
  case native
  /// The system's `ssh`; with the reason when it is not the user's own choice.
  case system(String?)

  /// What to begin with.
  init(_ settings: SSHSettings) {
    switch settings.transport {
    case .ssh: self = .system(nil)
    case .libssh2: self = .native
    case .auto:
      self =
        settings.needsSystem.isEmpty
        ? .native : .system(settings.needsSystem.joined(separator: "; "))
    }
  }

  /// Why the system's `ssh` should try what libssh2 failed at; nil when it would fail too, or must
  /// not.
  static func reason(for error: SSHError, _ settings: SSHSettings) -> String? {
    // ssh cannot be told a password, and without it the login fails for a worse reason.
    guard settings.transport == .auto, settings.password == nil else { return nil }
    switch error {
    case .noCommonAlgorithm(let gap):
      return "libssh2 has no \(gap.purpose) algorithm in common with the host"
    case .needsSystem(let reason): return reason
    case .loginRefused(let attempts), .noKeys(let attempts):
      let takesTicket = attempts.serverTakes.contains("gssapi-with-mic")
      return takesTicket && settings.mayShowTicket
        ? "libssh2 cannot show the Kerberos ticket that the host would take" : nil
    default: return nil
    }
  }
}
