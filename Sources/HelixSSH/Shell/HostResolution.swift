import HelixModel

/// The settings of hosts, each worked out once and away from everybody's thread.
actor HostResolution {
  private let local: LocalUser
  private let policy: HostKeyPolicy
  private let files = ConfigFiles()
  private var known: [HostName: (connection: Connection, settings: SSHSettings)] = [:]

  init(local: LocalUser, policy: HostKeyPolicy) {
    self.local = local
    self.policy = policy
  }

  /// - Throws: all that is wrong with the host's options or with ssh's configuration.
  func settings(of host: Host) async throws -> SSHSettings {
    if let known = known[host.name], known.connection == host.connection { return known.settings }
    let (local, policy, files) = (local, policy, files)
    // Configuration files are read here, the first time.
    let result = await blocking { () -> Result<SSHSettings, Diagnostics> in
      Result { () throws(Diagnostics) in
        try SSHSettings(host, local: local, policy: policy, files: files)
      }
    }
    let settings = try result.get()
    known[host.name] = (host.connection, settings)
    return settings
  }
}
