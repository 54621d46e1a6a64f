/// What a file says of itself: for whom, by which rule, and when it was encrypted.
package struct SOPSMetadata: Sendable {
  /// The version that new files say they were written by; it must be a plain semantic version, and
  /// all readers since 3.7 take it.
  static let writtenVersion = "3.11.0"

  /// A master key with its copy of the data key, or of its group's share of it.
  struct Entry: Hashable, Sendable {
    var key: MasterKey
    /// As the file has it, with everything that only others understand.
    var fields: [MetadataValue.Field]

    var wrapped: String? { fields["enc"]?.text }
  }

  /// Everything as read, so that what we do not know stays.
  var fields: [MetadataValue.Field]
  var groups: [[Entry]]
  /// How many groups are needed; only told when there are several.
  var threshold: Int?
  var lastModified: Moment
  var mac: String?
  package internal(set) var rule: SelectionRule
  package internal(set) var macOnlyEncrypted: Bool
}

/// Why a `sops` block makes no sense.
package enum MetadataProblem: Error, Hashable, Sendable {
  case notFields
  /// A field is missing or has a value of another sort.
  case field(String)
  /// More than one rule says what is encrypted.
  case severalRules([String])
  case noKeys
}

// MARK: - Reading

extension SOPSMetadata {
  /// - Throws: a `MetadataProblem` when the block makes no sense.
  init(_ value: MetadataValue) throws(MetadataProblem) {
    guard let fields = value.fields else { throw .notFields }
    self.fields = fields
    guard let moment = fields["lastmodified"]?.text.flatMap({ Moment($0) }) else {
      throw .field("lastmodified")
    }
    lastModified = moment
    mac = try Self.read(fields, "mac") { $0.text }.flatMap { $0.isEmpty ? nil : $0 }
    macOnlyEncrypted = try Self.read(fields, "mac_only_encrypted") { $0.truth } ?? false
    threshold = try Self.read(fields, "shamir_threshold") { $0.number }.flatMap {
      $0 == 0 ? nil : $0
    }
    rule = try Self.rule(fields)
    groups = try Self.groups(fields)
  }

  /// A field's value; nil when the field is missing or null.
  private static func read<Value>(
    _ fields: [MetadataValue.Field], _ name: String, as convert: (MetadataValue) -> Value?
  ) throws(MetadataProblem) -> Value? {
    guard let value = fields[name], value != .null else { return nil }
    guard let converted = convert(value) else { throw .field(name) }
    return converted
  }

  private static func rule(
    _ fields: [MetadataValue.Field]
  ) throws(MetadataProblem) -> SelectionRule {
    var rules: [SelectionRule] = []
    for (name, make) in SelectionRule.names {
      guard let text = try read(fields, name, as: { $0.text }), !text.isEmpty else { continue }
      rules.append(make(text))
    }
    guard rules.count <= 1 else { throw .severalRules(rules.map(\.fieldName)) }
    return rules.first ?? .standard
  }

  private static func groups(
    _ fields: [MetadataValue.Field]
  ) throws(MetadataProblem) -> [[Entry]] {
    // Keys at the top win over groups, as upstream has it.
    let top = try entries(of: fields)
    if !top.isEmpty { return [top] }
    let listed = try read(fields, "key_groups") { $0.list } ?? []
    var groups: [[Entry]] = []
    for group in listed {
      guard let lists = group.fields else { throw .field("key_groups") }
      groups.append(try entries(of: lists))
    }
    guard groups.contains(where: { !$0.isEmpty }) else { throw .noKeys }
    return groups
  }

  private static func entries(
    of fields: [MetadataValue.Field]
  ) throws(MetadataProblem) -> [Entry] {
    var entries: [Entry] = []
    for field in fields where field.name != "key_groups" {
      let isKnown = MasterKey.isKnown(kind: field.name)
      guard let list = field.value.list else {
        guard !isKnown || field.value.isNothing else { throw .field(field.name) }
        continue
      }
      // Lists of later versions count as keys when they look like it, and are kept in any case.
      guard isKnown || list.allSatisfy({ $0.fields?["enc"] != nil }) else { continue }
      for entry in list {
        guard let parts = entry.fields, let key = MasterKey(kind: field.name, entry: parts) else {
          throw .field(field.name)
        }
        entries.append(Entry(key: key, fields: parts))
      }
    }
    return entries
  }
}

extension MetadataValue {
  /// Whether it stands for no list.
  fileprivate var isNothing: Bool { self == .null || self == .text("") }
}

// MARK: - What others ask

extension SOPSMetadata {
  /// Whom the file is for.
  package var recipients: [KeyGroup] { groups.map { KeyGroup($0.map(\.key)) } }

  /// How many groups must give their share.
  var neededGroups: Int { threshold ?? groups.count }
}

extension SelectionRule {
  /// What a file or a rule of `.sops.yaml` calls each kind of rule.
  static let names: [(String, @Sendable (String) -> SelectionRule)] = [
    ("unencrypted_suffix", { .unencryptedSuffix($0) }),
    ("encrypted_suffix", { .encryptedSuffix($0) }),
    ("unencrypted_regex", { .unencryptedRegex($0) }),
    ("encrypted_regex", { .encryptedRegex($0) }),
    ("unencrypted_comment_regex", { .unencryptedCommentRegex($0) }),
    ("encrypted_comment_regex", { .encryptedCommentRegex($0) }),
  ]

  /// What a file calls this kind of rule.
  package var fieldName: String {
    switch self {
    case .unencryptedSuffix: "unencrypted_suffix"
    case .encryptedSuffix: "encrypted_suffix"
    case .unencryptedRegex: "unencrypted_regex"
    case .encryptedRegex: "encrypted_regex"
    case .unencryptedCommentRegex: "unencrypted_comment_regex"
    case .encryptedCommentRegex: "encrypted_comment_regex"
    }
  }

  var text: String {
    switch self {
    case .unencryptedSuffix(let text), .encryptedSuffix(let text), .unencryptedRegex(let text),
      .encryptedRegex(let text), .unencryptedCommentRegex(let text),
      .encryptedCommentRegex(let text):
      text
    }
  }
}
