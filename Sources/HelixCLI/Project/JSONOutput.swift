import Foundation

extension Encodable {
  /// A JSON document for people and programs; equal values give the same bytes.
  func jsonDocument() throws -> Data { try json([.prettyPrinted]) }

  /// One line of JSON, with its end.
  func jsonLine() throws -> Data { try json([]) }

  private func json(_ layout: JSONEncoder.OutputFormatting) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = layout.union([.sortedKeys, .withoutEscapingSlashes])
    return try encoder.encode(self) + Data("\n".utf8)
  }
}
