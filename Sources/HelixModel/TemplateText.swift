/// The name of a secret; the value is looked up only where it is written.
package struct SecretName: Hashable, Sendable, Codable, RawRepresentable {
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }
  package init(_ name: String) { rawValue = name }
}

/// The name of something a step finds out while the plan is applied.
package struct LearnedName: Hashable, Sendable, Codable, RawRepresentable {
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }
  package init(_ name: String) { rawValue = name }
}

/// Text whose secret and not-yet-known parts stay named until the moment it is written.
///
/// `"token: \(secret: name)"` holds the name, never the value, so it may stand in plans and logs.
package struct TemplateText: Hashable, Sendable {
  package enum Part: Hashable, Sendable {
    case literal(String)
    case secret(SecretName)
    case learned(LearnedName)
    /// A text with a secret in it, written anew as a whole.
    case coded(TemplateText, SecretName.Coding)
  }

  package private(set) var parts: [Part]

  package init(_ literal: String) {
    parts = literal.isEmpty ? [] : [.literal(literal)]
  }

  package init(parts: [Part]) { self.parts = parts }

  /// The text, if nothing in it is secret or still to be learned.
  package var plain: String? {
    var text = ""
    for part in parts {
      guard case .literal(let literal) = part else { return nil }
      text += literal
    }
    return text
  }

  /// The text for people: secrets and unknown parts by name, in quotation marks of their own.
  package var shown: String {
    parts.map { part in
      switch part {
      case .literal(let literal): literal
      case .secret(let name): "‹secret \(name.rawValue)›"
      case .learned(let name): "‹\(name.rawValue), known after apply›"
      case .coded(let text, let coding): "‹\(text.shown)|\(coding.rawValue)›"
      }
    }.joined()
  }

  /// Whether writing it needs a secret.
  package var holdsSecret: Bool { !secrets.isEmpty }

  /// The secrets that writing it needs, without their codings.
  package var secrets: [SecretName] {
    parts.flatMap { part -> [SecretName] in
      switch part {
      case .literal, .learned: []
      case .secret(let name): [name.bare]
      case .coded(let text, _): text.secrets
      }
    }
  }

  /// The text behind this one.
  package func followed(by other: TemplateText) -> TemplateText {
    TemplateText(parts: parts + other.parts)
  }

  /// The text written anew; nil when it is plain and not one that the coding can be applied to.
  package func coded(_ coding: SecretName.Coding) -> TemplateText? {
    if let plain { return coding.applied(to: plain).map { TemplateText($0) } }
    if parts.count == 1, case .secret(let name) = parts[0] {
      return TemplateText(parts: [.secret(name.coded(coding))])
    }
    return TemplateText(parts: [.coded(self, coding)])
  }
}

extension TemplateText: ExpressibleByStringInterpolation {
  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var parts: [Part] = []

    package init(literalCapacity: Int, interpolationCount: Int) {}

    package mutating func appendLiteral(_ literal: String) {
      if !literal.isEmpty { parts.append(.literal(literal)) }
    }

    package mutating func appendInterpolation(_ text: String) { appendLiteral(text) }
    package mutating func appendInterpolation(_ number: Int) { appendLiteral(String(number)) }
    package mutating func appendInterpolation(_ text: TemplateText) { parts += text.parts }
    package mutating func appendInterpolation(secret name: SecretName) {
      parts.append(.secret(name))
    }
    package mutating func appendInterpolation(learned name: LearnedName) {
      parts.append(.learned(name))
    }
  }

  package init(stringLiteral value: String) { self.init(value) }
  package init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }
}

extension TemplateText.Part: ChoiceCoded {
  private struct Coded: Codable {
    var text: TemplateText
    var coding: SecretName.Coding
  }

  package func encodeChoice(into container: inout KeyedEncodingContainer<Word>) throws {
    switch self {
    case .literal(let text): try container.encode(text, as: "literal")
    case .secret(let name): try container.encode(name, as: "secret")
    case .learned(let name): try container.encode(name, as: "learned")
    case .coded(let text, let coding):
      try container.encode(Coded(text: text, coding: coding), as: "coded")
    }
  }

  package static func decodeChoice(
    _ word: Word, from container: KeyedDecodingContainer<Word>
  ) throws -> TemplateText.Part? {
    switch word.stringValue {
    case "literal": return .literal(try container.decode(String.self, forKey: word))
    case "secret": return .secret(try container.decode(SecretName.self, forKey: word))
    case "learned": return .learned(try container.decode(LearnedName.self, forKey: word))
    case "coded":
      let coded = try container.decode(Coded.self, forKey: word)
      return .coded(coded.text, coded.coding)
    default: return nil
    }
  }
}

extension TemplateText: Codable {
  package init(from decoder: any Decoder) throws {
    parts = try decoder.singleValueContainer().decode([Part].self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(parts)
  }
}
