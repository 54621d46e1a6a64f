internal import HelixModel
internal import Yams

extension ConfigReader {
  private static let selections: [(key: String, rule: @Sendable (String) -> SelectionRule)] = [
    ("unencrypted_suffix", { .unencryptedSuffix($0) }),
    ("encrypted_suffix", { .encryptedSuffix($0) }),
    ("unencrypted_regex", { .unencryptedRegex($0) }),
    ("encrypted_regex", { .encryptedRegex($0) }),
    ("unencrypted_comment_regex", { .unencryptedCommentRegex($0) }),
    ("encrypted_comment_regex", { .encryptedCommentRegex($0) }),
  ]

  /// A rule's fields for keys, and the kinds of key that they hold.
  private static let flatKeys = [
    ("age", "age"), ("pgp", "pgp"), ("kms", "kms"), ("gcp_kms", "gcp_kms"), ("hckms", "hckms"),
    ("azure_keyvault", "azure_kv"), ("hc_vault_transit_uri", "hc_vault"),
  ]

  private static let known =
    flatKeys.map(\.0) + selections.map(\.key) + [
      "path_regex", "aws_profile", "key_groups", "shamir_threshold", "mac_only_encrypted",
    ]

  mutating func rule(_ node: Yams.Node, number: Int) -> CreationRule? {
    guard let fields = entries(node, of: "a rule") else { return nil }
    for field in fields where !Self.known.contains(field.key) {
      warn(
        "\"\(field.key)\" has no effect", reason: "SOPS knows no such part of a rule",
        remedy: nearestName(to: field.key, among: Self.known).map { "did you mean \"\($0)\"?" }
          ?? "remove it, or move it to the top of the file", at: field.place)
    }
    let keys = keyGroups(of: fields)
    var pattern: RE2Pattern?
    var threshold: Int?
    var macOnlyEncrypted = false
    for field in fields {
      switch field.key {
      case "path_regex": pattern = pathPattern(field)
      case "shamir_threshold": threshold = shamirThreshold(field, groups: keys.groups.count)
      case "mac_only_encrypted": macOnlyEncrypted = truth(field) ?? false
      default: break
      }
    }
    return CreationRule(
      number: number, location: place(of: node), pathPattern: pattern, keyGroups: keys.groups,
      keyLocations: keys.places, shamirThreshold: threshold, selection: selection(in: fields),
      macOnlyEncrypted: macOnlyEncrypted)
  }

  private mutating func pathPattern(_ field: Field) -> RE2Pattern? {
    guard let text = text(field), let scalar = field.value.scalar else { return nil }
    do {
      return try RE2Pattern(text)
    } catch {
      refuse(
        error.diagnostic(
          in: field.key, danger: "SOPS stops at this rule, for every file that gets here",
          at: place(of: error, in: scalar)))
      return nil
    }
  }

  private mutating func selection(in fields: [Field]) -> SelectionRule? {
    var found: [(field: Field, rule: SelectionRule)] = []
    for field in fields {
      guard let make = Self.selections.first(where: { $0.key == field.key })?.rule,
        let text = text(field), let scalar = field.value.scalar
      else { continue }
      let rule = make(text)
      found.append((field, rule))
      do { _ = try Selection(rule) } catch {
        refuse(
          error.diagnostic(
            in: field.key, danger: rule.dangerOfBadPattern, at: place(of: error, in: scalar)))
      }
    }
    for other in found.dropFirst() {
      refuse(
        "\"\(other.field.key)\" cannot stand beside \"\(found[0].field.key)\"",
        reason: "a file has one rule for what is encrypted", remedy: "keep one of them",
        at: other.field.place)
    }
    return found.first?.rule
  }

  private mutating func shamirThreshold(_ field: Field, groups: Int) -> Int? {
    guard let number = number(field), number > 0 else { return nil }
    guard groups > 1 else {
      warn(
        "\"shamir_threshold\" has no effect", reason: "the rule has one group of keys",
        remedy: "write several key_groups, or remove it", at: field.place)
      return number
    }
    if number < 2 || number > groups {
      refuse(
        "\(number) of \(groups) key groups is not possible",
        reason: "a data key is split into a share for each group, of which at least two are needed",
        remedy: groups == 2 ? "write 2" : "write a number from 2 to \(groups)", at: field.value)
    }
    return number
  }
}

// MARK: - Keys

/// The keys of a rule, and where they are written.
struct RuleKeys {
  var groups: [KeyGroup] = []
  var places: [MasterKey: SourceLocation] = [:]

  fileprivate mutating func note(_ keys: [Located<MasterKey>]) {
    for key in keys where places[key.value] == nil { places[key.value] = key.location }
  }

  /// Adds a group, each key once.
  fileprivate mutating func add(_ keys: [Located<MasterKey>]) {
    var seen: Set<MasterKey> = []
    groups.append(KeyGroup(keys.map(\.value).filter { seen.insert($0).inserted }))
    note(keys)
  }
}

extension ConfigReader {
  private static let deepestGroup = 50
  private static let groupKeys = [
    "merge", "age", "pgp", "kms", "gcp_kms", "hckms", "azure_keyvault", "hc_vault",
  ]

  fileprivate mutating func keyGroups(of fields: [Field]) -> RuleKeys {
    var keys = RuleKeys()
    let flat = fields.filter { field in Self.flatKeys.contains { $0.0 == field.key } }
    if let field = fields.first(where: { $0.key == "key_groups" }), !isNothing(field.value) {
      guard let groups = field.value.sequence else {
        refuse("key_groups is a list of groups", remedy: "begin each with \"- \"", at: field.value)
        return keys
      }
      for group in groups { keys.add(keyGroup(group, depth: 0)) }
      if !groups.isEmpty {
        warnAboutFlatKeys(flat)
        return keys
      }
    }
    var own: [Located<MasterKey>] = []
    for (name, kind) in Self.flatKeys {
      for field in flat where field.key == name {
        let isList = name == "hckms"
        own += names(field, onlyList: isList).compactMap { masterKey($0, kind: kind) }
      }
    }
    keys.add(own)
    return keys
  }

  private mutating func warnAboutFlatKeys(_ flat: [Field]) {
    for field in flat where !isNothing(field.value) {
      warn(
        "\"\(field.key)\" has no effect beside \"key_groups\"",
        reason: "SOPS takes the keys of the groups only",
        remedy: "move its keys into a group, or remove it", at: field.place)
    }
  }

  private mutating func keyGroup(_ node: Yams.Node, depth: Int) -> [Located<MasterKey>] {
    guard mayTakeMore(at: node) else { return [] }
    guard depth < Self.deepestGroup else {
      refuse("the groups merge too deeply", remedy: "merge them directly", at: node)
      return []
    }
    guard let fields = entries(node, of: "a key group") else { return [] }
    for field in fields where !Self.groupKeys.contains(field.key) {
      warn(
        "\"\(field.key)\" has no effect", reason: "SOPS knows no such part of a key group",
        remedy: nearestName(to: field.key, among: Self.groupKeys).map { "did you mean \"\($0)\"?" }
          ?? "remove it", at: field.place)
    }
    // In the order in which SOPS puts them into the file.
    return Self.groupKeys.flatMap { name in
      fields.filter { $0.key == name }.flatMap { field in
        name == "merge" ? merged(field, depth: depth) : groupKeys(field)
      }
    }
  }

  private mutating func merged(_ field: Field, depth: Int) -> [Located<MasterKey>] {
    if isNothing(field.value) { return [] }
    guard let groups = field.value.sequence else {
      refuse("\"merge\" is a list of groups", remedy: "begin each with \"- \"", at: field.value)
      return []
    }
    return groups.flatMap { keyGroup($0, depth: depth + 1) }
  }

  private mutating func groupKeys(_ field: Field) -> [Located<MasterKey>] {
    switch field.key {
    case "kms": remoteKeys(field, kind: "kms", parts: ["arn"])
    case "gcp_kms": remoteKeys(field, kind: "gcp_kms", parts: ["resource_id"])
    case "hckms": remoteKeys(field, kind: "hckms", parts: ["key_id"])
    case "azure_keyvault":
      remoteKeys(field, kind: "azure_kv", parts: ["vaultUrl", "key", "version"])
    default: names(field, onlyList: true).compactMap { masterKey($0, kind: field.key) }
    }
  }

  /// Keys that are mappings, named by some of their parts as a file's metadata name them.
  private mutating func remoteKeys(
    _ field: Field, kind: String, parts: [String]
  ) -> [Located<MasterKey>] {
    if isNothing(field.value) { return [] }
    guard let list = field.value.sequence else {
      refuse(
        "in a key group, \"\(field.key)\" is a list", remedy: "begin each key with \"- \"",
        at: field.value)
      return []
    }
    return list.compactMap { node in
      guard let fields = entries(node, of: "a key of \(field.key)") else { return nil }
      let names = parts.compactMap { part in
        fields.first { $0.key == part }?.value.scalar?.string
      }.filter { !$0.isEmpty }
      guard !names.isEmpty else {
        refuse("this key has no \"\(parts[0])\"", remedy: "write it", at: node)
        return nil
      }
      let name = names.joined(separator: "/")
      return Located(.remote(kind: kind, name: name), at: place(of: node))
    }
  }

  private mutating func masterKey(
    _ name: Located<String>, kind: String
  ) -> Located<MasterKey>? {
    if name.value.uppercased().hasPrefix("AGE-SECRET-KEY") {
      refuse(
        "a secret key stands where a recipient should",
        reason: "this file is for everyone to read, and whoever reads it can now decrypt",
        remedy: "write the recipient that age-keygen -y prints, and make a new key for the old one",
        at: name.location)
      return nil
    }
    switch kind {
    case "age":
      guard ["age1", "ssh-"].contains(where: name.value.hasPrefix) else {
        refuse(
          "this is not an age recipient", reason: "recipients begin with age1, or with ssh-",
          remedy: "write what age-keygen prints as the public key", at: name.location)
        return nil
      }
      return Located(.age(name.value), at: name.location)
    case "pgp":
      return Located(.pgp(name.value.filter { $0 != " " }), at: name.location)
    default:
      return Located(.remote(kind: kind, name: RemoteName.of(name.value, kind)), at: name.location)
    }
  }
}

/// How the metadata of files name keys that rules write in one text.
enum RemoteName {
  static func of(_ text: String, _ kind: String) -> String {
    let plain = text.filter { $0 != " " }
    switch kind {
    case "kms":
      // A role to take on may follow the key's own name.
      guard let role = plain.range(of: "+arn:") else { return plain }
      return String(plain[..<role])
    case "azure_kv": return withoutFolder("keys", plain)
    case "hc_vault": return withoutVersion(withoutFolder("keys", plain))
    default: return plain
    }
  }

  /// `https://vault/keys/name/version` as `https://vault/name/version`.
  private static func withoutFolder(_ folder: Substring, _ address: String) -> String {
    var parts = address.split(separator: "/", omittingEmptySubsequences: false)
    while parts.last?.isEmpty == true { parts.removeLast() }
    if let place = parts.lastIndex(of: folder), place > 2 { parts.remove(at: place) }
    return parts.joined(separator: "/")
  }

  /// `https://vault/v1/transit/name` as `https://vault/transit/name`.
  private static func withoutVersion(_ address: String) -> String {
    var parts = address.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count > 3, parts[3].first == "v", Int(parts[3].dropFirst()) != nil {
      parts.remove(at: 3)
    }
    return parts.joined(separator: "/")
  }
}

extension String {
  /// Where a text first stands.
  fileprivate func range(of part: String) -> String.Index? {
    indices.first { self[$0...].hasPrefix(part) }
  }
}
