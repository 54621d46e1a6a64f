import HelixModel

/// What the system's `ssh` is told about one host.
///
/// ssh takes the first value of an option, so what must hold comes first, then what the inventory
/// says; the rest it finds in its own configuration.
struct SystemArguments: Sendable {
  /// What the program is started for.
  private enum Part {
    /// To hold the connection to the host.
    case master
    /// To lead another `ssh` on to the next host.
    case gate(host: String, port: Int)
  }

  private let settings: SSHSettings
  private let program: String
  private let folder: PrivateFolder
  private let part: Part

  /// A master's arguments.
  init(_ settings: SSHSettings, program: String, folder: PrivateFolder) {
    self.init(settings, program, folder, .master)
  }

  private init(
    _ settings: SSHSettings, _ program: String, _ folder: PrivateFolder, _ part: Part
  ) {
    self.settings = settings
    self.program = program
    self.folder = folder
    self.part = part
  }

  /// The program and its arguments.
  var list: [String] {
    let task: [String]
    switch part {
    case .master: task = ["-M", "-N", "-S", folder.socket]
    case .gate(let host, let port):
      task = ["-W", "[\(host)]:\(port)", "-o", "ControlMaster=no", "-o", "ControlPath=none"]
    }
    return [program] + task + words(fixed + trust + place + identities + way)
      + InventoryArguments(settings.systemArguments).list + words(unlessAsked) + family
      + ["--", destination]
  }

  private func words(_ options: [(String, String)]) -> [String] {
    options.flatMap { ["-o", "\($0)=\($1)"] }
  }

  /// No terminal, no forwards and nothing that runs by itself, on either side.
  private var fixed: [(String, String)] {
    [
      ("IgnoreUnknown", "ForkAfterAuthentication"), ("ForkAfterAuthentication", "no"),
      ("BatchMode", "no"), ("NumberOfPasswordPrompts", "1"),
      // Failures are understood from what ssh tells about the login.
      ("LogLevel", "DEBUG1"),
      ("ControlPersist", "no"), ("ClearAllForwardings", "yes"), ("ForwardX11", "no"),
      ("Tunnel", "no"), ("RequestTTY", "no"), ("RemoteCommand", "none"),
      ("PermitLocalCommand", "no"), ("EscapeChar", "none"), ("PasswordAuthentication", "no"),
      ("KbdInteractiveAuthentication", "no"),
      ("ConnectionAttempts", String(settings.connectionAttempts)),
      ("ConnectTimeout", String(max(1, settings.connectTimeout.components.seconds))),
      ("ServerAliveInterval", String(settings.aliveInterval.components.seconds)),
      ("ServerAliveCountMax", String(settings.aliveCount)),
    ]
  }

  /// What only the inventory's arguments can ask for: what files say is meant for people's logins.
  private var unlessAsked: [(String, String)] { [("ForwardAgent", "no")] }

  /// The same rules for host keys as ours.
  private var trust: [(String, String)] {
    let isPinned = settings.pinnedKey != nil
    let policy = settings.hostKeyPolicy == .acceptNew && !isPinned ? "accept-new" : "yes"
    var options = [
      ("StrictHostKeyChecking", policy),
      ("UserKnownHostsFile", files(isPinned ? [folder.knownHosts] : settings.userKnownHosts)),
      ("GlobalKnownHostsFile", files(isPinned ? [] : settings.globalKnownHosts)),
      ("CheckHostIP", "no"), ("UpdateHostKeys", "no"), ("NoHostAuthenticationForLocalhost", "no"),
    ]
    if isPinned { options += [("KnownHostsCommand", "none"), ("VerifyHostKeyDNS", "no")] }
    if let alias = settings.hostKeyAlias { options.append(("HostKeyAlias", alias)) }
    return options
  }

  private var place: [(String, String)] {
    [
      ("HostName", Tokens.literal(settings.address)), ("Port", String(settings.port)),
      ("User", "\"\(settings.user)\""),
    ]
  }

  private var identities: [(String, String)] {
    var options = [("IdentityAgent", settings.agentSocket.map(path) ?? "none")]
    options += settings.identityFiles.map { ("IdentityFile", path($0)) }
    options += settings.certificateFiles.map { ("CertificateFile", path($0)) }
    if settings.identitiesOnly { options.append(("IdentitiesOnly", "yes")) }
    return options
  }

  /// How the bytes get there: ssh's own jumps would not keep to the same rules.
  private var way: [(String, String)] {
    if let gate = settings.gate {
      let part = Part.gate(host: settings.address, port: settings.port)
      let words = SystemArguments(gate, program, folder, part).list
      return [("ProxyCommand", Tokens.literal(words.map(shellQuoted).joined(separator: " ")))]
    }
    return settings.proxyCommand.map { [("ProxyCommand", Tokens.literal($0))] } ?? []
  }

  private var family: [String] {
    switch settings.family {
    case .any: []
    case .v4: ["-4"]
    case .v6: ["-6"]
    }
  }

  /// The name by which ssh's configuration knows the host.
  private var destination: String { settings.systemArguments.last ?? settings.address }

  private func files(_ paths: [String]) -> String {
    paths.isEmpty ? "none" : paths.map(path).joined(separator: " ")
  }

  /// A path as a value, its spaces kept.
  private func path(_ path: String) -> String { "\"\(Tokens.literal(path))\"" }
}

/// The inventory's own arguments for ssh, without those that would speak against ours.
struct InventoryArguments {
  /// How much ssh tells is what errors are understood from.
  private static let talk: Set<Character> = ["q", "v"]

  private(set) var list: [String] = []

  /// - Parameter call: Arguments, `--` and the destination.
  init(_ call: [String]) {
    for argument in SSHArgument.list(of: call) {
      if argument.value == nil {
        let letters = argument.words.map { $0.filter { !Self.talk.contains($0) } }
        list += letters.filter { $0 != "-" }
      } else if argument.letter != "J" {
        // The way is already told, and ssh takes it only once.
        list += argument.words
      }
    }
  }

  /// Variables of ours are to be sent along.
  static func sendVariables(_ call: [String]) -> Bool {
    InventoryArguments(call).list.contains { $0.lowercased().contains("sendenv") }
  }
}
