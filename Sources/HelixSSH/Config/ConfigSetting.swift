import HelixModel

/// Reads a keyword's arguments into what they do to a host's options.
struct ConfigSetting {
  /// What a line does when it holds for a host.
  typealias Effect = @Sendable (inout SSHOptions) -> Void

  /// Where a line comes from: some things are of concern only when they are asked for on purpose.
  enum Origin { case argument, file }

  private let keyword: ConfigKeyword
  private let line: ConfigLine
  private let origin: Origin

  /// The effect of a line; nil when it has none here.
  ///
  /// - Throws: a `Diagnostic` for a value that OpenSSH would refuse, or that we do.
  static func effect(
    of line: ConfigLine, _ keyword: ConfigKeyword, from origin: Origin
  ) throws(Diagnostic) -> Effect? {
    try ConfigSetting(keyword: keyword, line: line, origin: origin).effect()
  }

  private func effect() throws(Diagnostic) -> Effect? {
    switch keyword.kind {
    case .host, .match, .include, .nothing: return nil
    case .text(let path): return set(path, try word().value)
    case .place(let path): return set(path, try word())
    case .flag(let path):
      return set(path, try value(ConfigValue.flag, "is neither yes nor no", "ssh knows only these"))
    case .time(let path):
      if try word().value == "none" { return nil }
      return set(path, try value(ConfigValue.time, "is not a time", "ssh counts in seconds"))
    case .count(let path, let least): return set(path, try count(least))
    case .files(let path): return set(path, try files())
    case .algorithms(let path):
      return set(
        path, try value(AlgorithmList.init, "names no algorithms", "ssh needs at least one"))
    case .alias: return set(\.hostKeyAlias, try word().value.lowercased())
    case .port:
      return set(
        \.port, try value(ConfigValue.port, "is not a port", "it must be a number from 1 to 65535"))
    case .family:
      return set(
        \.family,
        try value(
          { AddressFamily(rawValue: $0.lowercased()) }, "is no address family",
          "ssh knows any, inet and inet6"))
    default: return try specialEffect()
    }
  }

  private func specialEffect() throws(Diagnostic) -> Effect? {
    switch keyword.kind {
    case .keyLogin:
      return set(
        \.keyLogin,
        try value(ConfigValue.keyLogin, "is neither yes nor no", "ssh knows only these"))
    case .checking: return set(\.checking, try checking())
    case .identity:
      let identity = SSHOptions.Identity(path: try word(), isRequired: origin == .argument)
      return { $0.add(identity) }
    case .certificate:
      let path = try word()
      return { $0.add(certificate: path) }
    case .proxyCommand: return proxyCommand()
    case .proxyJump: return set(\.proxy, try proxyJump())
    case .loginAlgorithms: return try loginAlgorithms()
    case .leastRSA: return try leastRSA()
    case .system(let exceptions): return system(unless: exceptions)
    case .systemIfAsked: return origin == .argument ? system(unless: ["no", "none"]) : nil
    case .session:
      if origin == .argument { try refuseSession() }
      return nil
    default: return nil
    }
  }

  // MARK: - Arguments

  private func set<Value: Sendable>(
    _ path: any ConfigKeyword.Path<Value>, _ value: Value
  ) -> Effect {
    { $0.keep(path, value) }
  }

  /// The only argument.
  private func word() throws(Diagnostic) -> Located<String> {
    guard let word = line.words.first, !word.value.isEmpty else {
      throw Diagnostic(
        "\(keyword.name) has an empty value", reason: "an option is a name and a value",
        remedy: "write a value, or remove the line", at: line.keyword.location)
    }
    if line.words.count > 1 {
      throw Diagnostic(
        "\(keyword.name) takes one value, and \"\(line.words[1].value)\" is a second one",
        reason: "ssh would refuse it, too", remedy: "put a value with blanks into quotation marks",
        at: line.words[1].location)
    }
    return word
  }

  private func value<Value>(
    _ read: (String) -> Value?, _ problem: String, _ reason: String
  ) throws(Diagnostic) -> Value {
    let word = try word()
    if let value = read(word.value) { return value }
    throw Diagnostic("\"\(word.value)\" \(problem)", reason: reason, at: word.location)
  }

  private func count(_ least: Int) throws(Diagnostic) -> Int {
    try value(
      { ConfigValue.number($0).flatMap { $0 >= least && $0 < 1 << 31 ? $0 : nil } },
      "is not a count", "it must be a number from \(least) on")
  }

  private func files() throws(Diagnostic) -> [Located<String>] {
    guard let first = line.words.first, line.words.allSatisfy({ !$0.value.isEmpty }) else {
      throw Diagnostic(
        "\(keyword.name) names an empty file", reason: "ssh would refuse it, too",
        remedy: "write a path, or none", at: line.keyword.location)
    }
    guard line.words.contains(where: { $0.value.lowercased() == "none" }) else { return line.words }
    guard line.words.count == 1 else {
      throw Diagnostic(
        "\(keyword.name) names files beside \"none\"", reason: "ssh would refuse it, too",
        remedy: "remove one or the other", at: first.location)
    }
    return []
  }

  private func checking() throws(Diagnostic) -> SSHOptions.Checking {
    let word = try word()
    guard let checking = ConfigValue.checking(word.value) else {
      throw Diagnostic(
        "\"\(word.value)\" says nothing about host keys", reason: "ssh knows yes and accept-new",
        remedy: "write one of these", at: word.location)
    }
    guard checking == .no, origin == .argument else { return checking }
    throw Diagnostic(
      "host keys are always checked",
      reason: "StrictHostKeyChecking=\(word.value) would let anybody between here and the host"
        + " run commands in its place",
      remedy: "add the host's key to known_hosts, or write accept-new", at: word.location)
  }

  // MARK: - Proxies

  /// What follows as it stands: the shell that runs it reads the quotation marks.
  private func command() -> Located<String> {
    Located(String(line.rest.value.drop { " \t\r\n=".contains($0) }), at: line.rest.location)
  }

  private func proxyCommand() -> Effect {
    let command = command()
    let proxy: SSHOptions.Proxy =
      command.value.lowercased() == "none" ? .none : .command(command)
    return { options in
      if options.proxy == nil || options.proxy == .noJump { options.proxy = proxy }
    }
  }

  private func proxyJump() throws(Diagnostic) -> SSHOptions.Proxy {
    let text = command().value.prefix { $0 != "#" }
    let hosts = String(text.reversed().drop { $0.isWhitespace }.reversed())
    if hosts.lowercased() == "none" { return .noJump }
    if let route = JumpRoute(hosts) { return .jump(Located(route, at: line.rest.location)) }
    throw Diagnostic(
      "\"\(hosts)\" is no way to a host",
      reason: "ssh knows [user@]host[:port], with commas between",
      remedy: "write for example ProxyJump ops@bastion:2222", at: line.rest.location)
  }

  // MARK: - What only the system's ssh can do

  private func system(unless exceptions: Set<String>) -> Effect {
    let value = command().value
    let isNeeded = !exceptions.contains(value.lowercased())
    let matter = SSHOptions.SystemMatter(
      keyword: keyword.name, reason: isNeeded ? "\(keyword.name) \(value)" : nil)
    return { $0.keep(matter) }
  }

  /// Lists that leave our own algorithms alone, as distributions like to set them, need nothing.
  private func loginAlgorithms() throws(Diagnostic) -> Effect {
    let list: AlgorithmList = try value(
      AlgorithmList.init, "names no algorithms", "ssh needs at least one")
    let ours = [
      "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
      "rsa-sha2-512", "rsa-sha2-256",
    ]
    let isNeeded = list.applied(to: ours, known: ours).count < ours.count
    let matter = SSHOptions.SystemMatter(
      keyword: keyword.name, reason: isNeeded ? "\(keyword.name) \(list.text)" : nil)
    return { $0.keep(matter) }
  }

  private func leastRSA() throws(Diagnostic) -> Effect {
    let bits = try count(0)
    let matter = SSHOptions.SystemMatter(
      keyword: keyword.name, reason: bits > 2048 ? "\(keyword.name) \(bits)" : nil)
    return { $0.keep(matter) }
  }

  private func refuseSession() throws(Diagnostic) {
    guard !["none", "no", "false"].contains(command().value.lowercased()) else { return }
    throw Diagnostic(
      "the ssh option \(keyword.name) is not supported",
      reason: "it asks for something that has no place beside the commands that are run",
      remedy: "remove it, or write it into ssh's own configuration, where it is passed over",
      at: line.rest.location)
  }
}
