extension SecretName {
  /// A value in a file that SOPS has encrypted, as SOPS itself writes a path:
  /// `secrets/flux.sops.yaml["stringData"]["token"]`.
  package init(place file: String, _ path: [String]) {
    self.init(file + path.map { "[\(JSONText.write(.text($0)))]" }.joined())
  }

  /// A way of writing a value that says the same to whoever reads it back.
  package enum Coding: String, Sendable, CaseIterable {
    case encodedInBase64 = "b64encode"
    case decodedFromBase64 = "b64decode"
  }

  /// The secret in another coding, by a name that says so.
  package func coded(_ coding: Coding) -> SecretName {
    SecretName("\(rawValue)|\(coding.rawValue)")
  }

  /// The name without its last coding, and that coding; nil for a name that has none.
  package var uncoded: (name: SecretName, coding: Coding)? {
    guard let mark = rawValue.utf8.lastIndex(of: UInt8(ascii: "|")),
      let coding = Coding(rawValue: String(rawValue[rawValue.index(after: mark)...]))
    else { return nil }
    return (SecretName(String(rawValue[..<mark])), coding)
  }
}
