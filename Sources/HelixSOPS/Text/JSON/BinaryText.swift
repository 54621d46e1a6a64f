import HelixModel

/// Binary files: any bytes in clear, JSON with one string when encrypted.
extension SOPSText {
  /// Reads a binary file; bytes that are not SOPS's JSON are the one value themselves.
  init(binary bytes: [UInt8], file: String) {
    if let wrapped = Self.wrapped(bytes, file: file) {
      self = wrapped
      return
    }
    format = .binary
    self.file = file
    self.bytes = bytes
    metadata = nil
    obstacles = []
    documents = 1
    body = .whole
    items = [
      SOPSItem(
        document: 0, place: [.key("data")], value: .text(bytes),
        location: SourceLocation(file: file, line: 1, column: 1))
    ]
  }

  private static func wrapped(_ bytes: [UInt8], file: String) -> SOPSText? {
    let blanks: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]
    guard bytes.first(where: { !blanks.contains($0) }) == UInt8(ascii: "{"),
      let (tree, text) = try? JSONParser.parse(bytes),
      let wrapped = try? SOPSText(tree, text: text, bytes: bytes, format: .binary, file: file),
      wrapped.metadata != nil, wrapped.items.contains(where: { $0.place == [.key("data")] })
    else { return nil }
    return wrapped
  }

  /// A binary file with its value replaced: JSON when there is metadata, else the bytes.
  func replacingBinary(
    _ edits: [Int: Replacement], metadata: MetadataValue?
  ) throws(Diagnostic) -> [UInt8] {
    let index = items.firstIndex { $0.place == [.key("data")] } ?? 0
    if case .tree(let tree) = body, metadata != nil {
      return try TreeEdit.replacing(self, tree, edits, metadata: metadata)
    }
    let value: SOPSValue =
      switch edits[index] {
      case .ciphertext(let text): .text(Array(text.utf8))
      case .value(let value): value
      case nil: items[index].value
      }
    let bytes = FlatText.text(of: value)
    guard let metadata else { return bytes }
    guard let data = JSONSpelling.spell(.text(bytes)) else {
      throw Diagnostic(
        "bytes cannot be written into JSON in clear", at: items[index].location)
    }
    let writer = JSONWriter(unit: [0x09], lineBreak: [0x0A])
    let fields = Array("{\n\t\"data\": ".utf8) + data + Array(",\n\t".utf8)
    return fields + writer.member(SOPSTree.Field("sops", metadata.sorted.tree), level: 1)
      + Array("\n}\n".utf8)
  }
}
