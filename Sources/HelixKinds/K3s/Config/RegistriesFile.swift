import HelixModel

/// What cluster.yaml wants registries.yaml to say, written out once for every node.
struct RegistriesFile: Sendable, Hashable {
  let content: TemplateText
  let location: SourceLocation

  /// Keys whose values must not stand in cluster.yaml; every other value is shown in plans.
  private static let secretKeys = ["password", "auth", "identity_token", "identitytoken"]
  private static let topKeys = ["mirrors", "configs", "auths"]

  init(_ declared: Located<Mapping>, _ problems: inout [Diagnostic]) {
    location = declared.location
    for entry in declared.value.entries where !Self.topKeys.contains(entry.key) {
      problems.append(
        Diagnostic(
          "\"\(entry.key)\" is not a key of registries",
          remedy: suggestion(for: entry.key, among: Self.topKeys)
            ?? "k3s knows \(Self.topKeys.joined(separator: " and "))",
          at: entry.keyLocation))
    }
    Self.refuseWrittenOut(Node(.mapping(declared.value), at: declared.location), &problems)
    var parts: [TemplateText.Part] = [.literal("# \(NodeScripts.mark)\n")]
    Self.write(declared.value, indent: "", into: &parts)
    content = TemplateText(parts: parts.joinedLiterals)
  }

  private static func refuseWrittenOut(_ node: Node, _ problems: inout [Diagnostic]) {
    for entry in node.mapping?.entries ?? [] {
      let isPlain = entry.value.mapping == nil && !entry.value.value.holdsSecret
      if isPlain, secretKeys.contains(entry.key) {
        problems.append(
          Diagnostic(
            "\"\(entry.key)\" is a secret written out",
            reason: "it would stand in plans and on everybody's disk",
            remedy: "put it into the secrets and write { secret: NAME }",
            at: entry.value.location))
      }
      refuseWrittenOut(entry.value, &problems)
    }
    for element in node.list ?? [] { refuseWrittenOut(element, &problems) }
  }
}

// MARK: - As YAML

extension RegistriesFile {
  private static func write(
    _ mapping: Mapping, indent: String, into parts: inout [TemplateText.Part]
  ) {
    for entry in mapping.entries {
      parts.append(.literal("\(indent)\(scalar(entry.key)):"))
      write(entry.value, indent: indent, into: &parts)
    }
  }

  /// What stands behind a key or a dash, up to the end of its last line.
  private static func write(
    _ node: Node, indent: String, into parts: inout [TemplateText.Part]
  ) {
    if let word = word(node) {
      parts += [.literal(" ")] + word + [.literal("\n")]
    } else if let mapping = node.mapping {
      parts.append(.literal(mapping.isEmpty ? " {}\n" : "\n"))
      write(mapping, indent: indent + "  ", into: &parts)
    } else if let list = node.list {
      parts.append(.literal(list.isEmpty ? " []\n" : "\n"))
      for element in list {
        parts.append(.literal("\(indent)  -"))
        write(element, indent: indent + "  ", into: &parts)
      }
    }
  }

  private static func word(_ node: Node) -> [TemplateText.Part]? {
    if let secret = node.namedSecret { return quoted("\(secret: secret)") }
    switch node.value {
    case .null: return [.literal("null")]
    case .bool(let truth): return [.literal(truth ? "true" : "false")]
    case .integer(let number): return [.literal(node.written ?? String(number))]
    case .number(let number): return [.literal(node.written ?? number.description)]
    case .text(let text): return [.literal(scalar(text))]
    case .hidden(let text): return quoted(text)
    case .list, .mapping: return nil
    }
  }

  // A JSON string is one of YAML's, whatever the value holds.
  private static func quoted(_ text: TemplateText) -> [TemplateText.Part] {
    text.coded(.quotedForJSON)?.parts ?? []
  }

  /// Text that stays text: k3s does not take a number for a name.
  private static func scalar(_ text: String) -> String {
    let reads = text.first.map { $0.isLetter || $0 == "/" } ?? false
    return reads && !["true", "false"].contains(text)
      ? yamlScalar(text) : JSONText.write(.text(text))
  }
}
