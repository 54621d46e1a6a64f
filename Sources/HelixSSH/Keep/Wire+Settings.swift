import HelixModel

extension SSHSettings: WireValue {
  static var blank: SSHSettings { SSHSettings(host: "", address: "", port: 0, user: "") }

  mutating func travel(by wire: inout Wire) {
    wire.carry(&host)
    wire.carry(&address)
    wire.carry(&port)
    wire.carry(&user)
    wire.carry(&family, oneOf: [.any, .v4, .v6])
    wire.carry(&identityFiles)
    wire.carry(&optionalIdentityFiles)
    wire.carry(&defaultIdentityFiles)
    wire.carry(&identitiesOnly)
    wire.carry(&agentSocket)
    wire.carry(&userKnownHosts)
    wire.carry(&globalKnownHosts)
    wire.carry(&hostKeyPolicy, oneOf: [.strict, .acceptNew])
    wire.carry(&hostKeyAlias)
    wire.carry(&connectTimeout)
    wire.carry(&connectionAttempts)
    wire.carry(&loginTimeout)
    wire.carry(&aliveInterval)
    wire.carry(&aliveCount)
    wire.carry(&elevation)
    wire.carry(&jumps)
    wire.carry(&proxyCommand)
    wire.carry(&pinnedKey)
    wire.carry(&certificateFiles)
    wire.carry(&methods)
    wire.carry(&password)
    wire.carry(&mayShowTicket)
    wire.carry(&algorithms)
    wire.carry(&transport, oneOf: TransportChoice.allCases)
    wire.carry(&needsSystem)
    wire.carry(&systemArguments)
  }

  /// The same for a process whose working folder is another one.
  func rooted(in folder: String) -> SSHSettings {
    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }
    var settings = self
    settings.identityFiles = identityFiles.map(absolute)
    settings.optionalIdentityFiles = Set(optionalIdentityFiles.map(absolute))
    settings.defaultIdentityFiles = defaultIdentityFiles.map(absolute)
    settings.certificateFiles = certificateFiles.map(absolute)
    settings.userKnownHosts = userKnownHosts.map(absolute)
    settings.globalKnownHosts = globalKnownHosts.map(absolute)
    settings.agentSocket = agentSocket.map(absolute)
    settings.jumps = jumps.map { $0.rooted(in: folder) }
    settings.systemArguments = SSHArgument.rooted(systemArguments, in: folder)
    settings.proxyCommand = proxyCommand.map { command in
      "/bin/sh -c \(shellQuoted("cd \(shellQuoted(folder)) && exec \(command)"))"
    }
    return settings
  }
}

extension Elevation: WireValue {
  static var blank: Elevation { Elevation() }
  mutating func travel(by wire: inout Wire) {
    wire.carry(&method, oneOf: Method.allCases)
    wire.carry(&password)
  }
}

extension AlgorithmChoice: WireValue {
  static var blank: AlgorithmChoice { AlgorithmChoice() }
  mutating func travel(by wire: inout Wire) {
    Self.carry(&keyExchange, by: &wire)
    Self.carry(&hostKey, by: &wire)
    Self.carry(&cipher, by: &wire)
    Self.carry(&mac, by: &wire)
  }

  /// A list travels as it was written.
  private static func carry(_ list: inout AlgorithmList?, by wire: inout Wire) {
    var text = list?.text
    wire.carry(&text)
    list = text.flatMap { AlgorithmList($0) }
    if text != nil, list == nil { wire.refuse() }
  }
}

extension HostKey: WireValue {
  static var blank: HostKey { HostKey(blob: []) }
  mutating func travel(by wire: inout Wire) {
    var blob = blob
    wire.carry(&blob)
    self = HostKey(blob: blob)
  }
}

extension LoginMethod: WireValue {
  static var blank: LoginMethod { .publicKey }
  mutating func travel(by wire: inout Wire) { wire.carry(&self, oneOf: Self.allCases) }
}
