internal import HelixModel
internal import HelixTemplates

/// Reads the keys that plays, roles and tasks share.
struct Keywords {
  let mapping: Mapping
  let reading: Reading

  private var problems: Problems { reading.problems }

  /// `become`, which may only be a plain truth value; `become_user` and `become_method` are
  /// accepted where they say what is done anyway.
  func become() -> Bool? {
    require("become_user", toBe: "root")
    require("become_method", toBe: "sudo")
    return truth("become")
  }

  /// A key's truth value, in Ansible's words for it.
  func truth(_ key: String) -> Bool? {
    guard let node = mapping[key], node.value != .null else { return nil }
    if let flag = Coercion.truth(node.value) { return flag }
    problems.add(
      Diagnostic(
        "\"\(key)\" must be true or false", reason: "it is \(node.value.typeName)",
        remedy: "write true or false", at: node.location))
    return nil
  }

  private func require(_ key: String, toBe only: String) {
    guard let node = mapping[key], node.text != only else { return }
    problems.add(
      Diagnostic(
        "\"\(key)\" can only be \"\(only)\" in this version",
        remedy: "write \(only), or remove the key", at: node.location))
  }

  /// `tags:` as a list, or as text with commas.
  func tags() -> Set<String> {
    guard let node = mapping["tags"], node.value != .null else { return [] }
    var tags: Set<String> = []
    for element in node.list ?? [node] {
      guard let text = text(of: element), !NodeTemplate.mayBeTemplate(text) else {
        problems.add(
          Diagnostic(
            "a tag must be plain text", reason: "it is \(Self.word(for: element))",
            remedy: "write the tag itself", at: element.location))
        continue
      }
      tags.formUnion(Coercion.separated(text))
    }
    return tags
  }

  /// A plain scalar: tags such as `1.29` are text to Ansible too.
  private func text(of node: Node) -> String? {
    switch node.value {
    case .text(let text): text
    case .integer, .number: node.written ?? node.value.templateText
    default: nil
    }
  }

  private static func word(for node: Node) -> String {
    node.text == nil ? node.value.typeName : "a template"
  }

  /// `vars:`, a mapping whose templates are checked and kept.
  func variables() -> Mapping {
    guard let node = mapping["vars"], node.value != .null else { return Mapping() }
    guard let variables = node.mapping else {
      problems.add(Self.wrongType(of: "vars", node, wanted: "a mapping of names to values"))
      return Mapping()
    }
    for entry in variables.entries {
      if !Self.isName(entry.key) { problems.add(Self.badName(entry)) }
      if Self.isReserved(entry.key) { problems.add(Self.reservedName(entry)) }
      _ = problems.catchingAll { () throws(Diagnostics) in
        try NodeTemplate(entry.value, sources: reading.sources.reader)
      }
    }
    return variables
  }

  /// `name:`, which may be a template.
  func name() -> NodeTemplate? {
    guard let node = mapping["name"], node.value != .null else { return nil }
    guard node.list == nil, node.mapping == nil else {
      problems.add(Self.wrongType(of: "name", node, wanted: "text"))
      return nil
    }
    return problems.catchingAll { () throws(Diagnostics) in
      try NodeTemplate(node, sources: reading.sources.reader)
    }
  }

  /// The elements of a key that holds a list; none when it is left out.
  func list(_ key: String) -> [Node] {
    guard let node = mapping[key], node.value != .null else { return [] }
    if let list = node.list { return list }
    problems.add(Self.wrongType(of: key, node, wanted: "a list"))
    return []
  }

  static func wrongType(of key: String, _ node: Node, wanted: String) -> Diagnostic {
    Diagnostic(
      "\"\(key)\" must be \(wanted)", reason: "it is \(node.value.typeName)",
      remedy: "write \(wanted)", at: node.location)
  }

  private static func isName(_ name: String) -> Bool {
    guard let first = name.unicodeScalars.first else { return false }
    return (first == "_" || first.properties.isXIDStart)
      && name.unicodeScalars.allSatisfy(\.properties.isXIDContinue)
  }

  private static func isReserved(_ name: String) -> Bool {
    HostScope.magic.contains(name) || PlayScope.magic.contains(name)
  }

  private static func reservedName(_ entry: Mapping.Entry) -> Diagnostic {
    Diagnostic(
      "\"\(entry.key)\" is a variable that sets itself",
      reason: "Ansible lets playbooks hide some of these, which no one could follow",
      remedy: "choose another name", at: entry.keyLocation)
  }

  private static func badName(_ entry: Mapping.Entry) -> Diagnostic {
    Diagnostic(
      "\"\(entry.key)\" cannot be the name of a variable",
      reason: "templates could not name it: names have letters, digits and underscores",
      remedy: "choose another name", at: entry.keyLocation)
  }
}
