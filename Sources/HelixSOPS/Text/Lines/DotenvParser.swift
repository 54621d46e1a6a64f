/// Reads dotenv as SOPS does, which trims and unquotes nothing.
enum DotenvParser {
  static let prefix = Array("sops_".utf8)

  static func parse(_ bytes: [UInt8], file: String) throws(TextFault) -> SOPSText {
    guard UTF8Step.isValid(bytes) else { throw TextFault("the bytes are not UTF-8", at: 0) }
    var lines = LineItems(bytes, file: file)
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
      if start < end { try read(bytes, start..<end, &lines) }
      start = end + 1
    }
    return try SOPSText(lines, bytes: bytes, format: .dotenv, file: file)
  }

  private static func read(
    _ bytes: [UInt8], _ line: Range<Int>, _ lines: inout LineItems
  ) throws(TextFault) {
    if bytes[line.lowerBound] == UInt8(ascii: "#") {
      let text = (line.lowerBound + 1)..<line.upperBound
      return try lines.add(comment: Array(bytes[text]), in: [nil], at: line)
    }
    guard let equals = bytes[line].firstIndex(of: UInt8(ascii: "=")) else {
      throw TextFault("a line has no \"=\"", at: line.lowerBound)
    }
    let value = (equals + 1)..<line.upperBound
    let name = String(decoding: bytes[line.lowerBound..<equals], as: UTF8.self)
    let spot = LinesBody.Spot(range: value)
    guard bytes[line].starts(with: prefix) else {
      let text = FlatMetadata.unescaped(String(decoding: bytes[value], as: UTF8.self))
      return try lines.add(Array(text.utf8), key: name, in: nil, at: spot)
    }
    var text = bytes[value]
    // An editor of Windows's may have been at it.
    if text.last == 0x0D { text = text.dropLast() }
    try lines.add(
      LinesBody.Entry(
        name: String(name.dropFirst(prefix.count)),
        line: line.lowerBound..<min(line.upperBound + 1, bytes.count),
        value: LinesBody.Spot(range: text.startIndex..<text.endIndex),
        text: FlatMetadata.unescaped(String(decoding: text, as: UTF8.self))))
  }
}
