extension SecretName {
  /// A value in a file that SOPS has encrypted, as SOPS itself writes a path:
  /// `secrets/flux.sops.yaml["stringData"]["token"]`.
  package init(place file: String, _ path: [String]) {
    self = path.reduce(SecretName(file)) { $0.entry($1) }
  }

  /// A way of writing a value anew that needs nothing but the value; named like the filter of
  /// templates that does it.
  package enum Coding: String, Hashable, Sendable, Codable, CaseIterable {
    case encodedInBase64 = "b64encode"
    case decodedFromBase64 = "b64decode"
    case encodedForURLs = "urlencode"
    case quotedForJSON = "to_json"
    case quotedForShell = "quote"
    case trimmed = "trim"
    /// What templates write for true and false: `True` and `False`.
    case toldAsTruth = "bool"
  }

  /// The value under a key of the value that this names.
  package func entry(_ key: String) -> SecretName {
    SecretName("\(rawValue)[\(JSONText.write(.text(key)))]")
  }

  /// The value at a position of the list that this names.
  package func element(_ position: Int) -> SecretName { SecretName("\(rawValue)[\(position)]") }

  /// The secret in another coding, by a name that says so.
  package func coded(_ coding: Coding) -> SecretName {
    SecretName("\(rawValue)|\(coding.rawValue)")
  }

  /// The name without any coding.
  package var bare: SecretName { uncoded?.name.bare ?? self }

  /// The name without its last coding, and that coding; nil for a name that has none.
  package var uncoded: (name: SecretName, coding: Coding)? {
    guard let mark = rawValue.utf8.lastIndex(of: UInt8(ascii: "|")),
      let coding = Coding(rawValue: String(rawValue[rawValue.index(after: mark)...]))
    else { return nil }
    return (SecretName(String(rawValue[..<mark])), coding)
  }
}
