extension MasterKey {
  /// The name of the list that a file has such keys in.
  package var kind: String {
    switch self {
    case .age: "age"
    case .pgp: "pgp"
    case .remote(let kind, _): kind
    }
  }

  /// The key as people write it.
  package var name: String {
    switch self {
    case .age(let recipient): recipient
    case .pgp(let fingerprint): fingerprint
    case .remote(_, let name): name
    }
  }

  /// The key of an entry in one of a file's lists; nil when the entry does not say.
  init?(kind: String, entry: [MetadataValue.Field]) {
    func text(_ name: String) -> String? {
      guard let text = entry[name]?.text, !text.isEmpty else { return nil }
      return text
    }
    switch kind {
    case "age":
      guard let recipient = text("recipient") else { return nil }
      self = .age(recipient)
    case "pgp":
      guard let fingerprint = text("fp") else { return nil }
      self = .pgp(fingerprint)
    default:
      let names = Self.identifying[kind] ?? entry.map(\.name).filter { !Self.wrapping.contains($0) }
      self = .remote(kind: kind, name: names.compactMap(text).joined(separator: "/"))
    }
  }

  /// The lists that upstream has, and which of an entry's fields name the key.
  private static let identifying: [String: [String]] = [
    "kms": ["arn"], "gcp_kms": ["resource_id"], "hckms": ["key_id"],
    "azure_kv": ["vault_url", "name", "version"],
    "hc_vault": ["vault_address", "engine_path", "key_name"],
  ]

  /// Fields that belong to the wrapped data key and not to the key's name.
  private static let wrapping: Set<String> = ["enc", "created_at"]

  /// Whether a list is one of master keys even when it is empty.
  static func isKnown(kind: String) -> Bool {
    kind == "age" || kind == "pgp" || identifying[kind] != nil
  }

  /// The same for all ways of writing the key.
  ///
  /// Fingerprints are written with and without blanks, and ssh keys with a remark behind them.
  var canonical: MasterKey {
    switch self {
    case .age(let recipient):
      let words = recipient.split(separator: " ").map(String.init)
      guard words.count > 1, recipient.hasPrefix("ssh-") else { return .age(words.joined()) }
      return .age(words[0] + " " + words[1])
    case .pgp(let fingerprint):
      let digits = fingerprint.filter { !$0.isWhitespace }.uppercased()
      return .pgp(digits.hasPrefix("0X") ? String(digits.dropFirst(2)) : digits)
    case .remote: return self
    }
  }
}

extension MetadataValue {
  var text: String? {
    if case .text(let text) = self { text } else { nil }
  }

  /// A number; the flat formats have it as text, old ini files with a fraction of noughts.
  var number: Int? {
    switch self {
    case .integer(let number): number
    case .text(let text): Double(text).flatMap { Int(exactly: $0) }
    default: nil
    }
  }

  var truth: Bool? {
    switch self {
    case .boolean(let truth): truth
    case .text("true"), .text("True"), .text("1"): true
    case .text("false"), .text("False"), .text("0"), .text(""): false
    default: nil
    }
  }

  var list: [MetadataValue]? {
    if case .list(let list) = self { list } else { nil }
  }

  var fields: [Field]? {
    if case .fields(let fields) = self { fields } else { nil }
  }
}

extension [MetadataValue.Field] {
  subscript(name: String) -> MetadataValue? {
    get { first { $0.name == name }?.value }
    set {
      let place = firstIndex { $0.name == name }
      switch (place, newValue) {
      case (let place?, let value?): self[place].value = value
      case (let place?, nil): remove(at: place)
      case (nil, let value?):
        insert(.init(name, value), at: firstIndex { $0.name > name } ?? endIndex)
      case (nil, nil): break
      }
    }
  }
}
