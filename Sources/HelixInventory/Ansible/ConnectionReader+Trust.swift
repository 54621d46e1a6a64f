internal import HelixModel

/// Who is logged in as, who becomes whom, and by what the host is known.
extension ConnectionReader {
  /// A password as it stands; nil when it is not, with a problem.
  mutating func password(_ names: [String]) -> SecretValue? {
    guard passwordName(names) == nil, let entry = entry(names), let text = text(names) else {
      return nil
    }
    guard !text.hasPrefix("$ANSIBLE_VAULT;") else {
      problems.append(
        Diagnostic(
          "\(entry.key) is encrypted with ansible-vault, which helix-infra does not read",
          reason: "it would be taken for the password itself",
          remedy: "use a key or an agent, or have helix-infra ask with --ask-pass and"
            + " --ask-become-pass", at: entry.value.location))
      return nil
    }
    return SecretValue(text)
  }

  /// The name of a password that is secret; nil when it is not.
  func passwordName(_ names: [String]) -> TemplateText? {
    if case .hidden(let text) = entry(names)?.value.value { text } else { nil }
  }

  /// How commands become another user, and whom where nobody is named.
  mutating func elevation() -> Elevation {
    let method = method()
    warnAboutUnused("ansible_become_exe", unless: [method.rawValue, "/usr/bin/\(method.rawValue)"])
    warnAboutUnused("ansible_become_flags", unless: ["-H", "-S", "-n", "-H -S", "-H -S -n"])
    let user = text(["ansible_become_user"])
    return Elevation(
      method: method, user: user.map { $0 == "root" ? .root : .user($0) } ?? .root,
      password: password(ConnectionVariables.becomePasswords),
      passwordName: passwordName(ConnectionVariables.becomePasswords))
  }

  private mutating func method() -> Elevation.Method {
    guard let entry = entry(["ansible_become_method"]), let text = plainText(entry) else {
      return .sudo
    }
    let name = text.split(separator: ".").last.map(String.init) ?? text
    if let method = Elevation.Method(rawValue: name),
      [name, "ansible.builtin.\(name)", "community.general.\(name)"].contains(text)
    {
      return method
    }
    problems.append(
      Diagnostic(
        "this version cannot become another user with \"\(text)\"",
        reason: "it knows sudo and doas", remedy: "write one of these, or remove the line",
        at: entry.value.location))
    return .sudo
  }

  private mutating func warnAboutUnused(_ name: String, unless usual: [String]) {
    guard let entry = entry([name]), let text = entry.value.scalarText, !text.isEmpty,
      !usual.contains(text)
    else { return }
    warnings.append(
      Diagnostic(
        "\(name) counts for ansible-playbook alone",
        reason: "helix-infra calls sudo and doas in its own way, by their names",
        remedy: "check that plain sudo or doas does what is meant", at: entry.value.location,
        severity: .warning))
  }

  /// The key that the inventory pins for the host; whether it is one is found out where it is used.
  mutating func hostKey() -> Located<String>? {
    guard let entry = entry(["host_key"]), text(["host_key"]) != nil,
      let key = entry.value.scalarText
    else { return nil }
    return Located(key, at: entry.value.location)
  }

  /// Inventories are brought as they are, so a variable of this name may mean something else.
  mutating func transport() -> TransportChoice {
    guard let entry = entry(["transport"]) else { return .auto }
    let words = TransportChoice.allCases.map(\.rawValue)
    if let choice = entry.value.scalarText.flatMap(TransportChoice.init) { return choice }
    warnings.append(
      Diagnostic(
        "\"transport\" is taken for a variable of your own",
        reason: "helix-infra would choose by it how to speak ssh, and knows"
          + " \(words.joined(separator: ", "))",
        remedy: entry.value.scalarText.flatMap { nearestName(to: $0, among: words) }.map {
          "did you mean \"\($0)\"?"
        },
        at: entry.value.location, severity: .warning))
    return .auto
  }
}
