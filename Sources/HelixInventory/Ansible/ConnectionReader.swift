internal import HelixModel

/// Reads a host's `ansible_*` variables into how to reach it.
struct ConnectionReader {
  private let host: HostName
  private let variables: Mapping
  var problems: [Diagnostic] = []
  var warnings: [Diagnostic] = []

  init(host: HostName, variables: Mapping) {
    self.host = host
    self.variables = variables
  }

  /// The connection; parts that could not be read have their defaults, and a problem each.
  mutating func connection() -> Connection {
    checkTransport()
    warnAboutMisspelt()
    let elevation = elevation()
    var connection = Connection(
      address: text(["ansible_host", "ansible_ssh_host"]) ?? host.rawValue,
      port: port(),
      user: text(["ansible_user", "ansible_ssh_user"]),
      password: password(ConnectionVariables.loginPasswords),
      passwordName: passwordName(ConnectionVariables.loginPasswords),
      privateKeyFile: text(["ansible_ssh_private_key_file", "ansible_private_key_file"]),
      become: truth("ansible_become") == true ? elevation.user : .never,
      elevation: elevation, hostKey: hostKey(), transport: transport())
    connection.leadingSSHArguments = arguments("ansible_ssh_args")
    connection.sshArguments =
      timeout() + arguments("ansible_ssh_common_args") + arguments("ansible_ssh_extra_args")
    return connection
  }

  // MARK: - Values

  func entry(_ names: [String]) -> Mapping.Entry? {
    names.lazy.compactMap { variables.entry($0) }.first { $0.value.value != .null }
  }

  mutating func text(_ names: [String]) -> String? {
    guard let entry = entry(names), let text = plainText(entry) else { return nil }
    guard !text.isEmpty else {
      problems.append(
        Diagnostic(
          "\(entry.key) is empty", remedy: "write a value, or remove the line",
          at: entry.value.location))
      return nil
    }
    return text
  }

  mutating func plainText(_ entry: Mapping.Entry) -> String? {
    if entry.value.value.holdsSecret {
      problems.append(
        Diagnostic(
          "\(entry.key) cannot be a secret",
          reason: "of what says how to reach a host, only passwords are looked up",
          remedy: "write it in a file that is not encrypted", at: entry.value.location))
      return nil
    }
    guard let text = entry.value.scalarText else {
      problems.append(wrongType(entry, wants: "text"))
      return nil
    }
    guard !text.contains("{{"), !text.contains("{%") else {
      problems.append(
        Diagnostic(
          "\(entry.key) is a template, which this version does not fill in",
          reason: "the host must be reachable before any expression can be evaluated",
          remedy: "write the value itself", at: entry.value.location))
      return nil
    }
    return text
  }

  private mutating func port() -> Int? {
    guard let entry = entry(["ansible_port", "ansible_ssh_port"]), let text = plainText(entry)
    else { return nil }
    guard let port = Int(text), (1...65535).contains(port) else {
      problems.append(
        Diagnostic(
          "\(entry.key) must be a port from 1 to 65535, and this is \"\(text)\"",
          remedy: "write a number, for example 22", at: entry.value.location))
      return nil
    }
    return port
  }

  mutating func truth(_ name: String) -> Bool? {
    guard let entry = entry([name]) else { return nil }
    switch entry.value.value {
    case .bool(let truth): return truth
    case .integer(let number) where number == 0 || number == 1: return number == 1
    case .text(let text) where ["yes", "true", "on", "1"].contains(text.lowercased()): return true
    case .text(let text) where ["no", "false", "off", "0"].contains(text.lowercased()):
      return false
    case .text(let text) where text.contains("{{"):
      _ = plainText(entry)
      return nil
    case .hidden:
      _ = plainText(entry)
      return nil
    default:
      problems.append(wrongType(entry, wants: "true or false"))
      return nil
    }
  }

  func wrongType(_ entry: Mapping.Entry, wants: String) -> Diagnostic {
    Diagnostic(
      "\(entry.key) must be \(wants), and this is \(entry.value.value.typeName)",
      remedy: "write \(wants)", at: entry.value.location)
  }

  /// Ansible hands its own limit of time to ssh, before the arguments that may follow.
  private mutating func timeout() -> [Located<String>] {
    guard let entry = entry(["ansible_timeout", "ansible_ssh_timeout"]),
      let text = plainText(entry)
    else { return [] }
    return ["-o", "ConnectTimeout=\(text)"].map { Located($0, at: entry.value.location) }
  }

  // MARK: - Transport

  private mutating func checkTransport() {
    if let entry = entry(["ansible_connection"]), let text = plainText(entry) {
      let isLocal = text == "local" && host == .controller
      if !isLocal && !["ssh", "smart", "ansible.builtin.ssh"].contains(text) {
        problems.append(
          Diagnostic(
            "this version reaches hosts over ssh only, not \"\(text)\"",
            remedy: text == "local"
              ? "only the host \"localhost\" may be local"
              : "remove ansible_connection, or take the host out of this inventory",
            at: entry.value.location))
      }
    }
    for name in ["ansible_host_key_checking", "ansible_ssh_host_key_checking"] {
      guard truth(name) == false, let entry = entry([name]) else { continue }
      problems.append(
        Diagnostic(
          "\(name) cannot be switched off",
          reason: "without host keys, anyone on the way could receive the cluster's token",
          remedy: "remove it, and collect the keys once with --accept-new-host-keys",
          at: entry.value.location))
    }
  }

  private mutating func warnAboutMisspelt() {
    for entry in variables.entries where entry.key.hasPrefix("ansible_") {
      guard !ConnectionVariables.all.contains(entry.key),
        let nearest = nearestName(to: entry.key, among: ConnectionVariables.all)
      else { continue }
      warnings.append(
        Diagnostic(
          "\"\(entry.key)\" is no variable that Ansible or helix-infra knows",
          reason: "it would be ignored", remedy: "did you mean \"\(nearest)\"?",
          at: entry.keyLocation, severity: .warning))
    }
  }

  // MARK: - Arguments of ssh

  private mutating func arguments(_ name: String) -> [Located<String>] {
    guard let entry = entry([name]), let text = plainText(entry) else { return [] }
    guard let words = ShellWords.split(text) else {
      problems.append(
        Diagnostic(
          "\(name) has a quotation mark that is never closed", remedy: "close it",
          at: entry.value.location))
      return []
    }
    return SSHOption.options(in: words).flatMap(\.words).map {
      Located($0, at: entry.value.location)
    }
  }
}

/// An argument of ssh: an `-o` setting, or anything else as it stands.
enum SSHOption: Hashable {
  case setting(key: String, value: String)
  case other(String)

  /// Two words for a setting, `-o` and `Key=value`, however it was written.
  var words: [String] {
    switch self {
    case .setting(let key, let value): ["-o", "\(key)=\(value)"]
    case .other(let word): [word]
    }
  }

  /// Reads `-o Key=value`, `-oKey=value` and `-o "Key value"`.
  static func options(in words: [String]) -> [SSHOption] {
    var options: [SSHOption] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "-o", let setting = rest.first.flatMap(Self.setting) {
        rest.removeFirst()
        options.append(setting)
      } else if word.hasPrefix("-o"), let setting = setting(String(word.dropFirst(2))) {
        options.append(setting)
      } else {
        options.append(.other(word))
      }
    }
    return options
  }

  private static func setting(_ text: String) -> SSHOption? {
    guard let split = text.firstIndex(where: { $0 == "=" || $0 == " " }) else { return nil }
    return .setting(
      key: text[..<split].trimmingBlanks,
      value: text[text.index(after: split)...].trimmingBlanks)
  }
}
