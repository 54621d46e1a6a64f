/// A located value as YAML, JSON and Jinja2 know values.
package struct Node: Hashable, Sendable {
  package var value: Value
  package var location: SourceLocation
  /// A plain scalar as it stands in the file (`0644`, `1.29`, `yes`), where reading it as a number,
  /// a truth value or nothing loses how it was written; nil for everything else.
  package var written: String?

  package init(_ value: Value, at location: SourceLocation, written: String? = nil) {
    self.value = value
    self.location = location
    self.written = written
  }
}

/// What a node holds.
package indirect enum Value: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  /// Text of which a part is secret and stays named.
  case hidden(TemplateText)
  case list([Node])
  case mapping(Mapping)
}

extension Value {
  /// The word error messages use for the sort of value this is.
  package var typeName: String {
    switch self {
    case .null: "nothing"
    case .bool: "true or false"
    case .integer: "a whole number"
    case .number: "a number"
    case .text: "text"
    case .hidden: "a secret"
    case .list: "a list"
    case .mapping: "a mapping"
    }
  }
}

extension Value {
  /// The secrets in it, however deep, each once.
  package var secrets: [SecretName] {
    var seen: Set<SecretName> = []
    return allSecrets.filter { seen.insert($0).inserted }
  }

  /// Whether there is a secret in it, however deep.
  package var holdsSecret: Bool {
    switch self {
    case .null, .bool, .integer, .number, .text: false
    case .hidden(let text): text.holdsSecret
    case .list(let nodes): nodes.contains { $0.value.holdsSecret }
    case .mapping(let mapping): mapping.entries.contains { $0.value.value.holdsSecret }
    }
  }

  private var allSecrets: [SecretName] {
    switch self {
    case .null, .bool, .integer, .number, .text: []
    case .hidden(let text): text.secrets
    case .list(let nodes): nodes.flatMap(\.value.allSecrets)
    case .mapping(let mapping): mapping.entries.flatMap(\.value.value.allSecrets)
    }
  }
}

extension Node {
  /// The text of a text value; nil for one that is secret.
  package var text: String? {
    if case .text(let text) = value { text } else { nil }
  }

  /// The text of a scalar as its author wrote it: `0644` rather than 420, `1.30` rather than 1.3.
  package var scalarText: String? {
    text ?? written
  }

  /// The entries of a mapping value.
  package var mapping: Mapping? {
    if case .mapping(let mapping) = value { mapping } else { nil }
  }

  /// The elements of a list value.
  package var list: [Node]? {
    if case .list(let list) = value { list } else { nil }
  }
}

/// An ordered mapping whose keys know their places too.
package struct Mapping: Sendable {
  /// A key, its place, and its value.
  package struct Entry: Hashable, Sendable {
    package var key: String
    package var keyLocation: SourceLocation
    package var value: Node

    package init(key: String, keyLocation: SourceLocation, value: Node) {
      self.key = key
      self.keyLocation = keyLocation
      self.value = value
    }
  }

  package private(set) var entries: [Entry] = []
  private var positions: [String: Int] = [:]

  package init() {}

  package init(_ entries: [Entry]) {
    for entry in entries { set(entry) }
  }

  /// The value under a key.
  package subscript(key: String) -> Node? {
    positions[key].map { entries[$0].value }
  }

  /// The whole entry under a key.
  package func entry(_ key: String) -> Entry? {
    positions[key].map { entries[$0] }
  }

  package var keys: [String] { entries.map(\.key) }
  package var isEmpty: Bool { entries.isEmpty }

  /// Adds an entry, or replaces the one with the same key where it stands.
  package mutating func set(_ entry: Entry) {
    if let position = positions[entry.key] {
      entries[position] = entry
    } else {
      positions[entry.key] = entries.count
      entries.append(entry)
    }
  }

  /// The entries of both, the other's winning, as Ansible merges variables (one level deep).
  package func merging(_ other: Mapping) -> Mapping {
    var merged = self
    for entry in other.entries { merged.set(entry) }
    return merged
  }
}

extension Mapping: Hashable {
  package static func == (left: Mapping, right: Mapping) -> Bool { left.entries == right.entries }
  package func hash(into hasher: inout Hasher) { hasher.combine(entries) }
}
