import Glibc
import HelixModel

/// Makes a call of `ssh` into all that is needed to reach its host, as ssh would understand it.
struct SettingsResolver {
  let local: LocalUser
  /// What the user said about unknown host keys.
  let policy: HostKeyPolicy
  let files: ConfigFiles
  /// Which program speaks with the host and with those on the way.
  var transport = TransportChoice.auto

  /// All that is needed for a call: `name` is whom errors speak of, and `trail` the destinations
  /// that lead here, each through the next, to notice when they go round.
  func settings(
    for name: HostName, _ call: SSHCall, trail: [String] = []
  ) throws(Diagnostics) -> SSHSettings {
    let (options, address) = try resolve(call)
    var settings = try gathered { () throws(Diagnostic) in
      try direct(name, address, options, call)
    }
    guard case .jump(let route) = options.proxy else { return settings }
    let trail = trail + [call.destination]
    try gathered { () throws(Diagnostic) in try checkRoute(route, from: settings, trail) }
    let hop = SSHCall(to: route.value, at: route.location, configFile: options.configFile)
    let jump = try self.settings(for: HostName(hop.destination), hop, trail: trail)
    try gathered { () throws(Diagnostic) in try jump.refuseForgetfulness(at: route.location) }
    settings.jumps = jump.jumps + [jump]
    settings.needsSystem += jump.needsSystem.map { "\($0) (jump host \(hop.destination))" }
    return settings
  }

  /// The settings of a host without the way to it.
  func direct(
    _ name: HostName, _ address: String, _ options: SSHOptions, _ call: SSHCall
  ) throws(Diagnostic) -> SSHSettings {
    var settings = SSHSettings(
      host: name, address: address, port: options.port ?? 22, user: options.user ?? local.name)
    fill(&settings, options)
    try fillFiles(&settings, options, call)
    settings.transport = transport
    settings.systemArguments = call.arguments + ["--", call.destination]
    settings.needsSystem += options.needsSystem + options.algorithms.obstacles
    return settings
  }

  /// What arguments and files say about a host, and where it really is.
  func resolve(_ call: SSHCall) throws(Diagnostics) -> (SSHOptions, address: String) {
    let configs = try files.read(for: local, only: call.options.configFile)
    var reading = ConfigReading(call.options, host: call.destination, local: local)
    try reading.read(configs)
    var address = call.destination
    if let hostName = reading.options.hostName {
      address = try gathered { () throws(Diagnostic) in
        try Tokens.fill(hostName: hostName, original: call.destination)
      }
    }
    address = Self.canonical(address)
    if reading.wantsFinalPass { try reading.readAgain(configs, finalName: address) }
    return (reading.options, address)
  }

  /// A numeric address in its usual form, a name in lower case.
  private static func canonical(_ name: String) -> String {
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard name.contains(":") || name.first?.isNumber == true,
      getaddrinfo(name, nil, &hints, &list) == 0, let entry = list
    else { return name.lowercased() }
    defer { freeaddrinfo(list) }
    var digits = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    getnameinfo(
      entry.pointee.ai_addr, entry.pointee.ai_addrlen, &digits, socklen_t(digits.count), nil, 0,
      NI_NUMERICHOST)
    let text = String(
      decoding: digits.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return text.isEmpty || text.lowercased() == name.lowercased() ? name : text
  }
}

/// One mistake thrown as the only one of its kind.
func gathered<Value>(_ body: () throws(Diagnostic) -> Value) throws(Diagnostics) -> Value {
  do throws(Diagnostic) {
    return try body()
  } catch {
    throw Diagnostics(error)
  }
}

// MARK: - Values

extension SettingsResolver {
  private func fill(_ settings: inout SSHSettings, _ options: SSHOptions) {
    settings.family = options.family ?? .any
    settings.hostKeyAlias = options.hostKeyAlias
    settings.hostKeyPolicy = policy(options.checking)
    settings.identitiesOnly = options.identitiesOnly ?? false
    if let limit = options.connectTimeout, limit > .zero {
      settings.connectTimeout = limit
      settings.loginTimeout = max(limit, settings.loginTimeout)
    }
    settings.connectionAttempts = options.connectionAttempts ?? settings.connectionAttempts
    settings.aliveInterval = options.aliveInterval ?? settings.aliveInterval
    settings.aliveCount = options.aliveCount ?? settings.aliveCount
    settings.algorithms = options.algorithms
    settings.mayShowTicket = options.ticketLogin ?? false
    fillMethods(&settings, options)
  }

  /// Files cannot switch the check off, and cannot be asked about it: then the user's word counts.
  private func policy(_ checking: SSHOptions.Checking?) -> HostKeyPolicy {
    switch checking {
    case .yes: .strict
    case .acceptNew: .acceptNew
    case .ask, .no, nil: policy
    }
  }

  private func fillMethods(_ settings: inout SSHSettings, _ options: SSHOptions) {
    var methods: [LoginMethod] = []
    let preferred = options.preferredMethods?.split(separator: ",").map(String.init)
    for name in preferred ?? LoginMethod.allCases.map(\.rawValue) {
      if let method = LoginMethod(rawValue: name), !methods.contains(method) {
        methods.append(method)
      }
    }
    if options.keyLogin == false { methods.removeAll { $0 == .publicKey } }
    if options.keyboardLogin == false { methods.removeAll { $0 == .keyboardInteractive } }
    if options.passwordLogin == false { methods.removeAll { $0 == .password } }
    settings.methods = methods
    guard methods.isEmpty else { return }
    settings.needsSystem.append(
      options.preferredMethods.map { "PreferredAuthentications \($0)" }
        ?? "logins by key and by password are switched off")
  }

  private func fillFiles(
    _ settings: inout SSHSettings, _ options: SSHOptions, _ call: SSHCall
  ) throws(Diagnostic) {
    let tokens = Tokens(
      local: local, original: call.destination, host: settings.address, port: settings.port,
      user: settings.user, alias: options.hostKeyAlias)
    func file(_ path: Located<String>) throws(Diagnostic) -> String {
      try tokens.fill(Located(local.expand(path.value), at: path.location), .files)
    }
    for identity in options.identityFiles where identity.path.value.lowercased() != "none" {
      let path = try file(identity.path)
      if settings.identityFiles.contains(path) { continue }
      settings.identityFiles.append(path)
      if !identity.isRequired { settings.optionalIdentityFiles.insert(path) }
    }
    if options.identityFiles.isEmpty {
      settings.defaultIdentityFiles = ["id_ed25519", "id_ecdsa", "id_rsa"].map {
        "\(local.home)/.ssh/\($0)"
      }
    }
    for path in options.certificateFiles { settings.certificateFiles.append(try file(path)) }
    settings.userKnownHosts = ["known_hosts", "known_hosts2"].map { "\(local.home)/.ssh/\($0)" }
    if let files = options.userKnownHosts { settings.userKnownHosts = try all(files, file) }
    settings.globalKnownHosts =
      options.globalKnownHosts?.map { local.expand($0.value) }
      ?? ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
    settings.agentSocket = try agent(options.identityAgent, file)
    if case .command(let command) = options.proxy {
      settings.proxyCommand = try tokens.fill(command, .proxyCommand)
    }
  }

  private func all(
    _ paths: [Located<String>], _ file: (Located<String>) throws(Diagnostic) -> String
  ) throws(Diagnostic) -> [String] {
    var files: [String] = []
    for path in paths { files.append(try file(path)) }
    return files
  }

  private func agent(
    _ option: Located<String>?, _ file: (Located<String>) throws(Diagnostic) -> String
  ) throws(Diagnostic) -> String? {
    guard let option else { return local.agentSocket }
    let path = try file(option)
    if path == "SSH_AUTH_SOCK" { return local.agentSocket }
    if path == "none" { return nil }
    guard path.hasPrefix("$") else { return path }
    return LocalUser.variable(String(path.dropFirst()))
  }
}

// MARK: - Jump hosts

extension SettingsResolver {
  /// A host may well be on the way twice, with other hops before it; no way is very long, though.
  func checkRoute(
    _ route: Located<JumpRoute>, from settings: SSHSettings, _ trail: [String]
  ) throws(Diagnostic) {
    let next = route.value
    let isItself =
      next.host == settings.address && (next.port ?? 22) == settings.port
      && (next.user ?? settings.user) == settings.user
    guard isItself || trail.count > 16 else { return }
    throw Diagnostic(
      "the jump hosts of \(trail[0]) go round in a circle",
      reason: Self.circle(trail + [next.host]).joined(separator: " is reached through "),
      remedy: "write ProxyJump none for the host that can be reached directly, above the line"
        + " that holds for all",
      at: route.location)
  }

  /// The part of a trail up to the first name that comes back.
  private static func circle(_ trail: [String]) -> [String] {
    var seen: Set<String> = []
    guard let end = trail.firstIndex(where: { !seen.insert($0).inserted }) else { return trail }
    return Array(trail[...end])
  }
}
