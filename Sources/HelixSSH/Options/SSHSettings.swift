import HelixModel

/// A way to log in, by its name in the SSH protocol.
enum LoginMethod: String, Hashable, Sendable, CaseIterable {
  case publicKey = "publickey"
  case keyboardInteractive = "keyboard-interactive"
  case password
}

/// All that is needed to reach one host, after defaults and options.
struct SSHSettings: Hashable, Sendable {
  var host: HostName
  /// What is resolved and dialled.
  var address: String
  var port: Int
  var user: String
  var family = AddressFamily.any
  /// Keys named for this host; with none, the agent's and the default files are tried.
  var identityFiles: [String] = []
  var defaultIdentityFiles: [String] = []
  var identitiesOnly = false
  var agentSocket: String?
  var userKnownHosts: [String] = []
  var globalKnownHosts: [String] = []
  var hostKeyPolicy = HostKeyPolicy.strict
  var hostKeyAlias: String?
  var connectTimeout = Duration.seconds(10)
  var loginTimeout = Duration.seconds(30)
  var aliveInterval = Duration.seconds(15)
  var aliveCount = 4
  /// How a login becomes another user.
  var elevation = Elevation()
  /// Hosts to go through, the nearest first (`ProxyJump`).
  var jumps: [SSHSettings] = []
  /// A program whose streams lead to the host (`ProxyCommand`), its tokens filled in.
  var proxyCommand: String?
  /// The only key the host may show.
  var pinnedKey: HostKey?
  /// Certificates to show beside keys (`CertificateFile`); those beside a key file are found alone.
  var certificateFiles: [String] = []
  /// Ways to log in, in the order in which they are tried.
  var methods = LoginMethod.allCases
  var password: SecretValue?
  var transport = TransportChoice.auto
  /// What the configuration asks for and only the system's `ssh` can do, each in words.
  var needsSystem: [String] = []

  /// The name under which known_hosts has the host, and the one without a port.
  var knownHostsName: (full: String, portless: String?) {
    if let hostKeyAlias { return (hostKeyAlias, nil) }
    let full = KnownHosts.name(host: address, port: port)
    return (full, full == address ? nil : address)
  }

  /// - Throws: all that is wrong with the host's options.
  init(_ host: Host, local: LocalUser, policy: HostKeyPolicy) throws(Diagnostics) {
    let connection = host.connection
    let (options, problems) = SSHOptions.read(connection.sshArguments)
    guard problems.isEmpty else { throw Diagnostics(problems) }
    self.host = host.name
    elevation = connection.elevation
    address = options.hostName ?? connection.address
    port = connection.port ?? options.port ?? 22
    user = connection.user ?? options.user ?? local.name
    family = options.family ?? .any
    hostKeyAlias = options.hostKeyAlias
    hostKeyPolicy = options.strictHostKeys == .strict ? .strict : options.strictHostKeys ?? policy
    identitiesOnly = options.identitiesOnly ?? false
    if let limit = options.connectTimeout, limit > .zero {
      connectTimeout = limit
      loginTimeout = max(limit, loginTimeout)
    }
    aliveInterval = options.aliveInterval ?? aliveInterval
    aliveCount = options.aliveCount ?? aliveCount
    setFiles(connection, options, local)
    try refuseForgetfulness(host)
  }

  private mutating func setFiles(
    _ connection: Connection, _ options: SSHOptions, _ local: LocalUser
  ) {
    let values: [Character: String] = [
      "d": local.home, "h": address, "p": String(port), "r": user, "u": local.name,
    ]
    func expand(_ path: String) -> String { local.expand(PathTokens.fill(path, values)) }
    // A private key file of the inventory is a plain path: only ssh's own options have tokens.
    identityFiles =
      (connection.privateKeyFile.map { [local.expand($0)] } ?? [])
      + options.identityFiles.map(expand)
    defaultIdentityFiles = ["id_ed25519", "id_ecdsa", "id_rsa"].map { "\(local.home)/.ssh/\($0)" }
    let named = connection.knownHostsFiles.map(local.expand)
    userKnownHosts =
      named.isEmpty
      ? options.userKnownHosts?.map(expand) ?? ["\(local.home)/.ssh/known_hosts"] : named
    globalKnownHosts = options.globalKnownHosts?.map(expand) ?? ["/etc/ssh/ssh_known_hosts"]
    agentSocket = agent(options.identityAgent, expand, local)
  }

  private func agent(
    _ option: String?, _ expand: (String) -> String, _ local: LocalUser
  ) -> String? {
    switch option {
    case nil, "SSH_AUTH_SOCK": local.agentSocket
    case "none": nil
    case let path?: expand(path)
    }
  }

  /// A key that is accepted into /dev/null is never checked again.
  private func refuseForgetfulness(_ host: Host) throws(Diagnostics) {
    guard hostKeyPolicy == .acceptNew, userKnownHosts.first == "/dev/null" else { return }
    throw Diagnostics(
      Diagnostic(
        "new host keys cannot be accepted into /dev/null",
        reason: "a key that is not kept is never checked, so anybody could answer for the host",
        remedy: "name a real UserKnownHostsFile, or leave it out",
        at: host.connection.sshArguments.first?.location ?? host.location))
  }
}
