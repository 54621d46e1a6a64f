/// How a text is laid out: its line breaks and indentation, which what is added follows.
struct TextLayout {
  let bytes: [UInt8]
  /// The line break that the text uses.
  let lineBreak: [UInt8]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    let first = bytes.firstIndex(of: 0x0A)
    let isWindows = first.map { $0 > 0 && bytes[$0 - 1] == 0x0D } ?? false
    lineBreak = isWindows ? [0x0D, 0x0A] : [0x0A]
  }

  /// Whether a last line break is missing.
  var lacksLastBreak: Bool {
    guard let last = bytes.last else { return false }
    return last != 0x0A && last != 0x0D
  }

  /// Where the line of an offset starts; a byte order mark stands before the first line.
  func lineStart(_ offset: Int) -> Int {
    var start = offset
    let first = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    while start > first, !endsBreak(start) { start -= 1 }
    return start
  }

  /// Whether a line break ends before an offset.
  private func endsBreak(_ offset: Int) -> Bool {
    switch bytes[offset - 1] {
    case 0x0A, 0x0D: true
    case 0x85: offset > 1 && bytes[offset - 2] == 0xC2
    case 0xA8, 0xA9: offset > 2 && bytes[offset - 2] == 0x80 && bytes[offset - 3] == 0xE2
    default: false
    }
  }

  /// Where the line of an offset ends, before its break.
  func lineEnd(_ offset: Int) -> Int {
    var end = offset
    while end < bytes.count, LineBreak.length(bytes, at: end) == 0 { end += 1 }
    return end
  }

  /// Where the line behind that of an offset starts.
  func nextLine(_ offset: Int) -> Int {
    let end = lineEnd(offset)
    return end < bytes.count ? end + LineBreak.length(bytes, at: end) : end
  }

  /// How many blanks and tabs a line begins with.
  func indentation(_ lineStart: Int) -> Int {
    bytes[lineStart...].prefix { $0 == 0x20 || $0 == 0x09 }.count
  }

  /// The start of the line break that ends before an offset; the offset itself when there is none.
  func beforeBreak(_ offset: Int) -> Int {
    guard offset > 0, bytes[offset - 1] == 0x0A || bytes[offset - 1] == 0x0D else { return offset }
    let isPair = offset > 1 && bytes[offset - 1] == 0x0A && bytes[offset - 2] == 0x0D
    return offset - (isPair ? 2 : 1)
  }
}
