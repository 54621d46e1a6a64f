/// A coding key that is any word.
package struct Word: CodingKey, Hashable {
  package let stringValue: String
  package var intValue: Int? { nil }

  package init(stringValue: String) { self.stringValue = stringValue }
  package init?(intValue: Int) { nil }
}

/// A choice that is coded as an object with one key, the case's word: `{"write": {…}}`.
///
/// The compiler's own form puts payloads under `_0`, which is no name to document.
package protocol ChoiceCoded: Codable {
  /// Encodes the payload of the case under its word.
  func encodeChoice(into container: inout KeyedEncodingContainer<Word>) throws
  /// The case with a word; nil when there is none.
  static func decodeChoice(
    _ word: Word, from container: KeyedDecodingContainer<Word>
  ) throws -> Self?
}

extension ChoiceCoded {
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Word.self)
    try encodeChoice(into: &container)
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Word.self)
    guard let word = container.allKeys.first, container.allKeys.count == 1,
      let choice = try Self.decodeChoice(word, from: container)
    else {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: decoder.codingPath, debugDescription: "not one of the known choices"))
    }
    self = choice
  }
}

extension KeyedEncodingContainer<Word> {
  /// Encodes a payload under a case's word.
  package mutating func encode(_ payload: some Encodable, as word: String) throws {
    try encode(payload, forKey: Word(stringValue: word))
  }
}
