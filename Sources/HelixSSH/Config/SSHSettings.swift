import HelixModel

/// A way to log in, by its name in the SSH protocol.
enum LoginMethod: String, Hashable, Sendable, CaseIterable {
  case publicKey = "publickey"
  case keyboardInteractive = "keyboard-interactive"
  case password
}

/// All that is needed to reach one host, after defaults, arguments and ssh's configuration.
struct SSHSettings: Hashable, Sendable {
  var host: HostName
  /// What is resolved and dialled.
  var address: String
  var port: Int
  var user: String
  var family = AddressFamily.any
  /// Keys named for this host; with none, the agent's and the default files are tried.
  var identityFiles: [String] = []
  /// Those among them that only ssh's configuration names: as with ssh, they may be missing.
  var optionalIdentityFiles: Set<String> = []
  var defaultIdentityFiles: [String] = []
  var identitiesOnly = false
  var agentSocket: String?
  var userKnownHosts: [String] = []
  var globalKnownHosts: [String] = []
  var hostKeyPolicy = HostKeyPolicy.strict
  var hostKeyAlias: String?
  var connectTimeout = Duration.seconds(10)
  /// How often a connection is tried, a second apart.
  var connectionAttempts = 1
  var loginTimeout = Duration.seconds(30)
  var aliveInterval = Duration.seconds(15)
  var aliveCount = 4
  /// How a login becomes another user.
  var elevation = Elevation()
  /// Hosts to go through, the nearest first (`ProxyJump`); the last one's own `jumps` are those
  /// before it.
  var jumps: [SSHSettings] = []
  /// A program whose streams lead to the host (`ProxyCommand`), its tokens filled in.
  ///
  /// For a host behind `jumps` it is nil: only the nearest of them can have one.
  var proxyCommand: String?
  /// The only key the host may show.
  var pinnedKey: HostKey?
  /// Certificates to show beside keys (`CertificateFile`); those beside a key file are found alone.
  var certificateFiles: [String] = []
  /// Ways to log in, in the order in which they are tried.
  var methods = LoginMethod.allCases
  var password: SecretValue?
  /// A Kerberos ticket may be shown as well, which only the system's `ssh` can do.
  var mayShowTicket = false
  /// What the configuration says about algorithms.
  var algorithms = AlgorithmChoice()
  var transport = TransportChoice.auto
  /// What the configuration asks for and only the system's `ssh` can do, each in words.
  var needsSystem: [String] = []
  /// How the system's `ssh` is called for the same host: arguments, `--` and the destination.
  var systemArguments: [String] = []

  /// The name under which known_hosts has the host, and the one without a port.
  var knownHostsName: (full: String, portless: String?) {
    if let hostKeyAlias { return (hostKeyAlias, nil) }
    let full = KnownHosts.name(host: address, port: port)
    return (full, full == address ? nil : address)
  }

  /// Resolves one host; blocks while configuration files are read, the first time.
  ///
  /// - Throws: all that is wrong with the host's options or with ssh's configuration.
  init(
    _ host: Host, local: LocalUser, policy: HostKeyPolicy, files: ConfigFiles = ConfigFiles()
  ) throws(Diagnostics) {
    let connection = host.connection
    let call = try SSHCall(host, local)
    let resolver = SettingsResolver(
      local: local, policy: policy, files: files, transport: connection.transport)
    self = try resolver.settings(for: host.name, call)
    elevation = connection.elevation
    password = connection.password
    // The inventory's own list of files outweighs every option.
    if !connection.knownHostsFiles.isEmpty {
      userKnownHosts = connection.knownHostsFiles.map(local.expand)
    }
    if transport == .libssh2, !needsSystem.isEmpty {
      throw Diagnostics(
        Diagnostic(
          "libssh2 cannot do all that is asked of it for \(host.name)",
          reason: needsSystem.joined(separator: "; "),
          remedy: "write transport: auto or ssh, or take these options out", at: host.location))
    }
    if let text = connection.hostKey {
      pinnedKey = try gathered { () throws(Diagnostic) in try HostKey(pinned: text) }
    }
    let place = connection.sshArguments.first?.location ?? host.location
    try gathered { [self] () throws(Diagnostic) in try refuseForgetfulness(at: place) }
  }

  /// A key that is accepted into /dev/null is never checked again.
  func refuseForgetfulness(at place: SourceLocation) throws(Diagnostic) {
    guard hostKeyPolicy == .acceptNew, userKnownHosts.first == "/dev/null" else { return }
    throw Diagnostic(
      "new host keys cannot be accepted into /dev/null",
      reason: "a key that is not kept is never checked, so anybody could answer for the host",
      remedy: "name a real UserKnownHostsFile, or leave it out",
      at: place)
  }
}

extension SSHSettings {
  /// What `SettingsResolver` knows at once; it fills in the rest.
  init(host: HostName, address: String, port: Int, user: String) {
    self.host = host
    self.address = address
    self.port = port
    self.user = user
  }
}
