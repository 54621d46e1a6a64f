/// A value that is coded as the text it is written as.
package protocol TextCoded: LosslessStringConvertible, Codable {
  /// What such a text should have been, for people: `an address`.
  static var noun: String { get }
}

extension TextCoded {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Self(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\"\(text)\" is not \(Self.noun)")
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
