/// Reads INI as go-ini does, which SOPS reads with: quotes go, and `;` and `#` start comments
/// anywhere in a value.
struct INIParser {
  private let bytes: [UInt8]
  private var lines: LineItems
  private var position = 0
  private var section: PathChain = PathChain(nil, .key("DEFAULT"))
  private var isMetadata = false
  private var keys: Set<String> = []
  /// The comment lines since the last key or section.
  private var pending: [Range<Int>] = []

  static let separatorText = "go-ini, which SOPS reads with, would lose it"

  static func parse(_ bytes: [UInt8], file: String) throws(TextFault) -> SOPSText {
    guard UTF8Step.isValid(bytes) else { throw TextFault("the bytes are not UTF-8", at: 0) }
    var parser = INIParser(bytes: bytes, file: file)
    try parser.parse()
    return try SOPSText(parser.lines, bytes: bytes, format: .ini, file: file)
  }

  private init(bytes: [UInt8], file: String) {
    self.bytes = bytes
    lines = LineItems(bytes, file: file)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  private mutating func parse() throws(TextFault) {
    while position < bytes.count {
      let line = takeLine()
      guard let start = bytes[line].firstIndex(where: { !Self.isSpace($0) }) else { continue }
      let text = start..<trimmedEnd(start..<line.upperBound)
      switch bytes[start] {
      case UInt8(ascii: "#"), UInt8(ascii: ";"): pending.append(text)
      case UInt8(ascii: "["): try startSection(text, line)
      default: try readKey(text, line)
      }
    }
    if lines.body.section != nil, isMetadata { endMetadata(at: bytes.count) }
    guard let last = pending.first, !isMetadata else { return }
    lines.obstacle(
      "a comment stands behind the last key", because: Self.separatorText, at: last.lowerBound)
    try addComment()
  }

  // MARK: Lines

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  private mutating func takeLine() -> Range<Int> {
    let start = position
    let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
    position = min(end + 1, bytes.count)
    return start..<end
  }

  private func trimmedEnd(_ range: Range<Int>) -> Int {
    bytes[range].lastIndex { !Self.isSpace($0) }.map { $0 + 1 } ?? range.lowerBound
  }

  private func trimmed(_ range: Range<Int>) -> Range<Int> {
    let start = bytes[range].firstIndex { !Self.isSpace($0) } ?? range.upperBound
    return start..<trimmedEnd(start..<range.upperBound)
  }

  private func string(_ range: Range<Int>) -> String {
    String(decoding: bytes[range], as: UTF8.self)
  }

  // MARK: Sections

  private mutating func startSection(_ text: Range<Int>, _ line: Range<Int>) throws(TextFault) {
    guard let close = bytes[text].lastIndex(of: UInt8(ascii: "]")) else {
      throw TextFault("a section has no \"]\"", at: text.lowerBound)
    }
    if isMetadata { endMetadata(at: pending.first?.lowerBound ?? line.lowerBound) }
    let name = string((text.lowerBound + 1)..<close)
    keys = []
    lines.startSection()
    section = PathChain(nil, .key(name))
    isMetadata = name == "sops"
    if !isMetadata { try lines.add(section: name, end: position) }
    if isMetadata {
      guard lines.body.section == nil else {
        throw TextFault("the section sops stands twice", at: text.lowerBound)
      }
      lines.body.section = line.lowerBound..<line.upperBound
      if let first = pending.first {
        lines.obstacle(
          "a comment stands behind the last key", because: Self.separatorText,
          at: first.lowerBound)
        section = PathChain(nil, .key("DEFAULT"))
        try addComment()
      }
    } else {
      try addComment()
    }
    if close + 1 < text.upperBound {
      lines.obstacle(
        "something stands behind a section's name", because: Self.separatorText, at: close + 1)
    }
  }

  private mutating func endMetadata(at offset: Int) {
    guard let start = lines.body.section?.lowerBound else { return }
    lines.body.section = start..<offset
  }

  /// Comment lines are one comment to go-ini, which leads the section or follows its key.
  private mutating func addComment() throws(TextFault) {
    defer { pending = [] }
    guard let first = pending.first, let last = pending.last else { return }
    let marks = bytes[first].prefix { $0 == bytes[first.lowerBound] || $0 == 0x20 }.count
    let start = first.lowerBound + marks
    let rest = pending.dropFirst().map { Array(bytes[$0]) }
    let text = Array(
      ([Array(bytes[start..<max(start, first.upperBound)])] + rest)
        .joined(separator: [0x0A]))
    try lines.add(comment: text, in: [section, nil], at: start..<max(start, last.upperBound))
  }

  // MARK: Keys

  private mutating func readKey(_ text: Range<Int>, _ line: Range<Int>) throws(TextFault) {
    let (name, valueStart) = try keyName(text)
    let value = try readValue(trimmed(valueStart..<max(valueStart, text.upperBound)), line)
    let content = Array(bytes[inner(value)])
    if isMetadata {
      pending = []
      try lines.add(
        LinesBody.Entry(
          name: name, line: line.lowerBound..<position, value: value,
          text: FlatMetadata.unescaped(String(decoding: content, as: UTF8.self))))
      return
    }
    if name == "-" {
      lines.obstacle(
        "a key is a bare dash", because: "go-ini gives it a number", at: text.lowerBound)
    }
    if !keys.insert(name).inserted {
      lines.obstacle(
        "a key stands twice in one section", because: Self.separatorText, at: text.lowerBound)
    }
    try lines.add(content, key: name, in: section, at: value)
    if lines.body.sections.isEmpty { lines.body.sections.append(("DEFAULT", position)) }
    lines.body.sections[lines.body.sections.count - 1].end = position
    try addComment()
  }

  private func keyName(_ text: Range<Int>) throws(TextFault) -> (name: String, end: Int) {
    let delimiters = Array("=:".utf8)
    var start = text.lowerBound
    var nameEnd: Int?
    let first = bytes[start]
    if first == UInt8(ascii: "\"") || first == UInt8(ascii: "`") {
      let quote = bytes[text].starts(with: Array("\"\"\"".utf8)) ? Array("\"\"\"".utf8) : [first]
      start += quote.count
      let close = bytes[start..<max(start, text.upperBound)].firstRange(of: quote)
      guard let close else {
        throw TextFault("a key's quotes are never closed", at: text.lowerBound)
      }
      nameEnd = close.lowerBound
    }
    let from = nameEnd ?? start
    guard let end = bytes[from..<text.upperBound].firstIndex(where: delimiters.contains) else {
      throw TextFault("a line has no \"=\"", at: text.lowerBound)
    }
    guard end > start else { throw TextFault("a key has no name", at: text.lowerBound) }
    return (string(trimmed(start..<(nameEnd ?? end))), end + 1)
  }

  // MARK: Values

  /// The bytes of a value without its quotes.
  private func inner(_ spot: LinesBody.Spot) -> Range<Int> {
    let width = spot.quote.rawValue.utf8.count
    return (spot.range.lowerBound + width)..<(spot.range.upperBound - width)
  }

  private mutating func readValue(
    _ text: Range<Int>, _ line: Range<Int>
  ) throws(TextFault) -> LinesBody.Spot {
    for quote in [LinesBody.Quote.triple, .back] {
      let mark = Array(quote.rawValue.utf8)
      guard text.count > (quote == .triple ? 3 : 0), bytes[text].starts(with: mark) else {
        continue
      }
      return try readQuoted(text, line, quote, mark)
    }
    var end = text.upperBound
    if let mark = bytes[text].firstIndex(where: {
      $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: ";")
    }) {
      lines.obstacle(
        "\"#\" and \";\" in a value start a comment",
        because: "what stands behind would be lost; put the value in backquotes", at: mark)
      end = trimmedEnd(text.lowerBound..<mark)
    }
    if end > text.lowerBound, bytes[text.upperBound - 1] == UInt8(ascii: "\\") {
      lines.obstacle(
        "a backslash ends a line", because: "go-ini joins the next line to it",
        at: text.upperBound - 1)
    }
    let range = text.lowerBound..<end
    for quote in [LinesBody.Quote.double, .single] {
      let mark = quote.rawValue.utf8.first ?? 0
      if range.count >= 2, bytes[range.lowerBound] == mark,
        bytes[(range.lowerBound + 1)..<end].firstIndex(of: mark) == end - 1
      {
        return LinesBody.Spot(range: range, quote: quote)
      }
    }
    return LinesBody.Spot(range: range)
  }

  /// A value in backquotes or three quotes, which may go over lines.
  private mutating func readQuoted(
    _ text: Range<Int>, _ line: Range<Int>, _ quote: LinesBody.Quote, _ mark: [UInt8]
  ) throws(TextFault) -> LinesBody.Spot {
    let start = text.lowerBound
    var close = lastIndex(of: mark, in: (start + mark.count)..<text.upperBound)
    var lineEnd = text.upperBound
    while close == nil {
      guard position < bytes.count else {
        throw TextFault("the quotes that open here are never closed", at: start)
      }
      let next = takeLine()
      close = lastIndex(of: mark, in: next)
      lineEnd = trimmedEnd(next)
    }
    let end = (close ?? start) + mark.count
    if end < lineEnd {
      lines.obstacle(
        "something stands behind a value's quotes", because: Self.separatorText, at: end)
    }
    return LinesBody.Spot(range: start..<end, quote: quote)
  }

  private func lastIndex(of mark: [UInt8], in range: Range<Int>) -> Int? {
    guard range.count >= mark.count else { return nil }
    for start in stride(from: range.upperBound - mark.count, through: range.lowerBound, by: -1)
    where bytes[start...].starts(with: mark) { return start }
    return nil
  }
}
