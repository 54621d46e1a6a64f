import HelixModel

/// Reads `ssh` arguments one by one and collects what is wrong with them.
struct SSHArgumentReader {
  private(set) var options = SSHOptions()
  private(set) var problems: [Diagnostic] = []
  private var rest: ArraySlice<Located<String>>
  /// As in OpenSSH, the first value of an option counts.
  private var seen: Set<String> = []

  init(_ arguments: [Located<String>]) { rest = arguments[...] }

  mutating func readAll() {
    while let argument = rest.popFirst() { read(argument) }
  }

  private mutating func read(_ argument: Located<String>) {
    let text = argument.value
    guard text.hasPrefix("-"), let letter = text.dropFirst().first else {
      return refuse(
        "\"\(text)\" is no ssh option", reason: "only options can stand here",
        remedy: "write -o Name=value", argument)
    }
    switch letter {
    case "o", "p", "i", "l", "J", "F":
      guard let value = value(of: argument) else { return }
      switch letter {
      case "o": readOption(value)
      case "p": set("port", value)
      case "i": set("identityfile", value)
      case "l": set("user", value)
      case "J": set("proxyjump", value)
      default: refuseLater("-F", value)
      }
    case "4": set("addressfamily", Located("inet", at: argument.location))
    case "6": set("addressfamily", Located("inet6", at: argument.location))
    case "C", "q", "T", "x", "a", "n", "k", "v": refuseUnless(only: "CqTxankv", argument)
    default:
      refuse(
        "the ssh option \"\(text)\" is not supported",
        reason: "it asks for something this version does not do",
        remedy: "known: -o Name=value, -p, -i, -l, -4, -6", argument)
    }
  }

  /// The rest of the argument, or the next one.
  private mutating func value(of argument: Located<String>) -> Located<String>? {
    let attached = argument.value.dropFirst(2)
    if !attached.isEmpty { return Located(String(attached), at: argument.location) }
    if let next = rest.popFirst() { return next }
    refuse(
      "the ssh option \"\(argument.value)\" lacks its value", reason: "it is the last word",
      remedy: "write the value after it", argument)
    return nil
  }

  private mutating func refuseUnless(only letters: String, _ argument: Located<String>) {
    guard let odd = argument.value.dropFirst().first(where: { !letters.contains($0) }) else {
      return
    }
    refuse(
      "the ssh option \"-\(odd)\" is not supported",
      reason: "it asks for something this version does not do",
      remedy: "write each option on its own, without -\(odd)", argument)
  }

  /// `Name=value` or `Name value`.
  private mutating func readOption(_ option: Located<String>) {
    let parts = option.value.split(maxSplits: 1) { $0 == "=" || $0 == " " || $0 == "\t" }
    guard let name = parts.first, parts.count == 2 else {
      return refuse(
        "the ssh option \"\(option.value)\" has no value",
        reason: "an option is a name and a value",
        remedy: "write -o Name=value", option)
    }
    let value = parts[1].drop { $0 == "=" || $0 == " " || $0 == "\t" }
    set(String(name), Located(unquoted(value), at: option.location))
  }

  private func unquoted(_ text: Substring) -> String {
    guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return String(text) }
    return String(text.dropFirst().dropLast())
  }

  private mutating func refuse(
    _ summary: String, reason: String, remedy: String?, _ argument: Located<String>
  ) {
    problems.append(Diagnostic(summary, reason: reason, remedy: remedy, at: argument.location))
  }

  private mutating func refuseLater(_ name: String, _ value: Located<String>) {
    refuse(
      "the ssh option \(name) is not supported yet",
      reason: "this version of helix-infra connects without it",
      remedy: "reach the host without \(name), or remove it", value)
  }
}

// MARK: - Options by name

extension SSHArgumentReader {
  private static let honoured = [
    "AddressFamily", "ConnectTimeout", "GlobalKnownHostsFile", "HostKeyAlias", "HostName",
    "IdentitiesOnly", "IdentityAgent", "IdentityFile", "Port", "ServerAliveCountMax",
    "ServerAliveInterval", "StrictHostKeyChecking", "User", "UserKnownHostsFile",
  ]

  /// Options that change nothing here: we never ask on the terminal, keep our own sessions and
  /// forward nothing.
  private static let withoutEffect = [
    "AddKeysToAgent", "BatchMode", "CheckHostIP", "ClearAllForwardings", "Compression",
    "ConnectionAttempts", "ControlMaster", "ControlPath", "ControlPersist",
    "ExitOnForwardFailure", "ForwardX11", "GSSAPIAuthentication", "GSSAPIDelegateCredentials",
    "HashKnownHosts", "IPQoS", "KbdInteractiveAuthentication", "ChallengeResponseAuthentication",
    "LogLevel", "NumberOfPasswordPrompts", "PasswordAuthentication", "PreferredAuthentications",
    "PubkeyAuthentication", "RequestTTY", "TCPKeepAlive", "UpdateHostKeys", "VisualHostKey",
  ]

  /// Options of OpenSSH that would have to be obeyed, and are not yet.
  private static let later = [
    "BindAddress", "BindInterface", "CASignatureAlgorithms", "CertificateFile", "Ciphers",
    "ForwardAgent", "HostKeyAlgorithms", "HostbasedAuthentication", "KexAlgorithms",
    "KnownHostsCommand", "LocalCommand", "LocalForward", "MACs", "PKCS11Provider", "ProxyCommand",
    "ProxyJump", "PubkeyAcceptedAlgorithms", "PubkeyAcceptedKeyTypes", "RemoteCommand",
    "RemoteForward", "SecurityKeyProvider", "SendEnv", "SetEnv", "VerifyHostKeyDNS",
  ]

  private mutating func set(_ name: String, _ value: Located<String>) {
    let key = name.lowercased()
    guard key == "identityfile" || seen.insert(key).inserted else { return }
    if Self.honoured.contains(where: { $0.lowercased() == key }) { return apply(key, value) }
    if Self.withoutEffect.contains(where: { $0.lowercased() == key }) { return }
    if let name = Self.later.first(where: { $0.lowercased() == key }) {
      guard !Self.asksForNothing(value.value) else { return }
      return refuseLater(name, value)
    }
    let known = Self.honoured + Self.withoutEffect + Self.later
    refuse(
      "unknown ssh option \"\(name)\"", reason: "nobody would know what it was meant to change",
      remedy: nearestName(to: name, among: known).map { "did you mean \"\($0)\"?" }
        ?? "see man 5 ssh_config for their names", value)
  }

  /// `ProxyCommand=none` and `ForwardAgent=no` are what we do anyway.
  private static func asksForNothing(_ value: String) -> Bool {
    ["none", "no"].contains(value.lowercased())
  }

  private mutating func apply(_ key: String, _ value: Located<String>) {
    switch key {
    case "user": options.user = value.value
    case "hostname": options.hostName = value.value
    case "hostkeyalias": options.hostKeyAlias = value.value
    case "identityagent": options.identityAgent = value.value
    case "identityfile": addIdentity(value)
    case "userknownhostsfile": options.userKnownHosts = files(value)
    case "globalknownhostsfile": options.globalKnownHosts = files(value)
    case "port": options.port = number(value, in: 1...65535, "a port")
    case "serveralivecountmax": options.aliveCount = number(value, in: 0...1000, "a count")
    case "connecttimeout": options.connectTimeout = time(value)
    case "serveraliveinterval": options.aliveInterval = time(value)
    case "identitiesonly": options.identitiesOnly = yesOrNo(value)
    case "addressfamily": options.family = family(value)
    default: options.strictHostKeys = policy(value)
    }
  }
}

// MARK: - Values

extension SSHArgumentReader {
  private mutating func addIdentity(_ value: Located<String>) {
    guard value.value.lowercased() != "none" else { return }
    if checkTokens(value) { options.identityFiles.append(value.value) }
  }

  private mutating func files(_ value: Located<String>) -> [String] {
    guard value.value.lowercased() != "none", checkTokens(value) else { return [] }
    return value.value.split { $0 == " " || $0 == "\t" }.map(String.init)
  }

  private mutating func checkTokens(_ value: Located<String>) -> Bool {
    guard let token = PathTokens.unknown(in: value.value) else { return true }
    refuse(
      "\"%\(token)\" in \"\(value.value)\" is not supported",
      reason: "only %d, %h, %p, %r, %u and %% are filled in", remedy: "write the path out", value)
    return false
  }

  private mutating func number(
    _ value: Located<String>, in range: ClosedRange<Int>, _ what: String
  ) -> Int? {
    if let number = Int(value.value), range.contains(number) { return number }
    refuse(
      "\"\(value.value)\" is not \(what)",
      reason: "it must be a number from \(range.lowerBound) to \(range.upperBound)", remedy: nil,
      value)
    return nil
  }

  /// `90`, `90s`, `1m30s`, as OpenSSH writes times.
  private mutating func time(_ value: Located<String>) -> Duration? {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
    var seconds = 0
    var digits = ""
    for letter in value.value.lowercased() + "s" {
      if letter.isASCII, letter.isNumber {
        digits.append(letter)
      } else if let unit = units[letter], let number = Int(digits), number < 1_000_000 {
        seconds += number * unit
        digits = ""
      } else if letter == "s", digits.isEmpty, !value.value.isEmpty {
        // The unit that was added above, after a value that had its own.
        continue
      } else {
        refuse(
          "\"\(value.value)\" is not a time", reason: "ssh counts in seconds",
          remedy: "write for example 10 or 1m30s", value)
        return nil
      }
    }
    return .seconds(seconds)
  }

  private mutating func yesOrNo(_ value: Located<String>) -> Bool? {
    switch value.value.lowercased() {
    case "yes", "true": return true
    case "no", "false": return false
    default:
      refuse(
        "\"\(value.value)\" is neither yes nor no", reason: "ssh knows only these",
        remedy: "write yes or no", value)
      return nil
    }
  }

  private mutating func family(_ value: Located<String>) -> AddressFamily? {
    switch value.value.lowercased() {
    case "any": return .any
    case "inet": return .v4
    case "inet6": return .v6
    default:
      refuse(
        "\"\(value.value)\" is no address family", reason: "ssh knows any, inet and inet6",
        remedy: "write one of these", value)
      return nil
    }
  }

  private mutating func policy(_ value: Located<String>) -> HostKeyPolicy? {
    switch value.value.lowercased() {
    case "yes", "true", "ask": return .strict
    case "accept-new": return .acceptNew
    case "no", "false", "off":
      refuse(
        "host keys are always checked",
        reason: "StrictHostKeyChecking=\(value.value) would let anybody between here and the host"
          + " run commands in its place",
        remedy: "add the host's key to known_hosts, or write accept-new", value)
    default:
      refuse(
        "\"\(value.value)\" says nothing about host keys", reason: "ssh knows yes and accept-new",
        remedy: "write one of these", value)
    }
    return nil
  }
}

/// The `%` tokens in paths.
enum PathTokens {
  /// The first token that we cannot fill in.
  static func unknown(in text: String) -> Character? {
    var letters = text[...]
    while let percent = letters.firstIndex(of: "%") {
      letters = letters[letters.index(after: percent)...]
      guard let token = letters.popFirst() else { return " " }
      guard "dhpru%".contains(token) else { return token }
    }
    return nil
  }

  /// The text with each token replaced.
  static func fill(_ text: String, _ values: [Character: String]) -> String {
    var filled = ""
    var letters = text[...]
    while let letter = letters.popFirst() {
      guard letter == "%", let token = letters.popFirst() else {
        filled.append(letter)
        continue
      }
      filled += token == "%" ? "%" : values[token] ?? "%\(token)"
    }
    return filled
  }
}
