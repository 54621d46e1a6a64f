internal import HelixModel

/// Reads a host's `ansible_*` variables into how to reach it.
struct ConnectionReader {
  private let host: HostName
  private let variables: Mapping
  private(set) var problems: [Diagnostic] = []
  private(set) var warnings: [Diagnostic] = []

  init(host: HostName, variables: Mapping) {
    self.host = host
    self.variables = variables
  }

  /// The connection; parts that could not be read have their defaults, and a problem each.
  mutating func connection() -> Connection {
    refusePasswords()
    checkTransport()
    warnAboutMisspelt()
    var connection = Connection(
      address: text(["ansible_host", "ansible_ssh_host"]) ?? host.rawValue,
      port: port(),
      user: text(["ansible_user", "ansible_ssh_user"]),
      privateKeyFile: text(["ansible_ssh_private_key_file", "ansible_private_key_file"]),
      become: become())
    for name in ["ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"] {
      addArguments(name, to: &connection)
    }
    return connection
  }

  // MARK: - Values

  private func entry(_ names: [String]) -> Mapping.Entry? {
    names.lazy.compactMap { variables.entry($0) }.first { $0.value.value != .null }
  }

  private mutating func text(_ names: [String]) -> String? {
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

  private mutating func plainText(_ entry: Mapping.Entry) -> String? {
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

  private mutating func truth(_ name: String) -> Bool? {
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
    default:
      problems.append(wrongType(entry, wants: "true or false"))
      return nil
    }
  }

  private func wrongType(_ entry: Mapping.Entry, wants: String) -> Diagnostic {
    Diagnostic(
      "\(entry.key) must be \(wants), and this is \(entry.value.value.typeName)",
      remedy: "write \(wants)", at: entry.value.location)
  }

  // MARK: - Become and transport

  private mutating func become() -> Become {
    if let method = entry(["ansible_become_method"]), let text = plainText(method),
      text != "sudo", text != "ansible.builtin.sudo"
    {
      problems.append(
        Diagnostic(
          "this version cannot become another user with \"\(text)\"",
          remedy: "use sudo without password", at: method.value.location))
    }
    if let user = entry(["ansible_become_user"]), let text = plainText(user), text != "root" {
      problems.append(
        Diagnostic(
          "this version cannot become \"\(text)\", only root", remedy: "remove ansible_become_user",
          at: user.value.location))
    }
    return truth("ansible_become") == true ? .root : .never
  }

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

  private mutating func refusePasswords() {
    for name in ConnectionVariables.passwords {
      guard let entry = variables.entry(name) else { continue }
      problems.append(
        Diagnostic(
          "\(name) is a password in an inventory",
          reason: "helix-infra logs in with keys and uses sudo without password",
          remedy: "remove it, and set up a key or NOPASSWD in sudoers", at: entry.keyLocation))
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

  private mutating func addArguments(_ name: String, to connection: inout Connection) {
    guard let entry = entry([name]), let text = plainText(entry) else { return }
    guard let words = ShellWords.split(text) else {
      problems.append(
        Diagnostic(
          "\(name) has a quotation mark that is never closed", remedy: "close it",
          at: entry.value.location))
      return
    }
    for option in SSHOption.options(in: words) {
      if case .setting(let key, let value) = option, key.lowercased() == "userknownhostsfile" {
        connection.knownHostsFiles += ShellWords.split(value) ?? [value]
      } else {
        connection.sshArguments += option.words.map { Located($0, at: entry.value.location) }
      }
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
