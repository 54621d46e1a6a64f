/// The text of a YAML scalar: quotes, escapes and line folding undone.
struct YAMLScalar {
  /// The document, with anything behind it.
  let text: [UInt8]
  /// Whether the document is JSON, whose quotes follow rules of their own.
  var isJSON = false

  /// What stands in the bytes of a node.
  func value(of node: TextNode, extras: TextNodeExtras?) -> [UInt8] {
    switch node.style {
    case .plain: plain(node.start..<node.end)
    case .double where isJSON:
      JSONString.decode(text, (node.start + 1)..<(node.end - 1)).value
    case .single, .double: quoted((node.start + 1)..<(node.end - 1), style: node.style)
    case .literal, .folded: block(node, extras)
    case .block, .flow: []
    }
  }

  // MARK: Plain and quoted

  private func plain(_ range: Range<Int>) -> [UInt8] {
    guard text[range].contains(where: { $0 < 0x20 || $0 >= 0xC2 }) else {
      return Array(text[range])
    }
    return quoted(range, style: .plain)
  }

  /// Undoes folding, doubled quotes and escapes.
  private func quoted(_ range: Range<Int>, style: TextNode.Style) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(range.count)
    var index = range.lowerBound
    // Blanks before a line break are dropped, but escaped ones are text.
    var kept = 0
    while index < range.upperBound {
      let byte = text[index]
      if byte == UInt8(ascii: "\\"), style == .double {
        if breakLength(index + 1) > 0 {
          index = skipIndentation(index + 1 + breakLength(index + 1), &result, range)
          kept = result.count
          continue
        }
        if let escape = YAMLEscape(text, at: index) {
          result.append(contentsOf: UTF8.encode(escape.scalar) ?? UTF8.EncodedScalar())
          kept = result.count
          index += escape.length
          continue
        }
      }
      if byte == UInt8(ascii: "'"), style == .single {
        result.append(byte)
        index += 2
        continue
      }
      if breakLength(index) > 0 {
        while result.count > kept, result.last == UInt8(ascii: " ") || result.last == 0x09 {
          result.removeLast()
        }
        index = fold(index, &result, range)
        kept = result.count
        continue
      }
      result.append(byte)
      index += 1
    }
    return result
  }

  /// Writes what a line break and the empty lines behind it mean; the index of the next text.
  private func fold(_ start: Int, _ result: inout [UInt8], _ range: Range<Int>) -> Int {
    var breaks: [UInt8] = []
    let first = breakText(start)
    let index = skipBreaks(start + breakLength(start), &breaks, range)
    if first != [0x0A] {
      result.append(contentsOf: first)
      result.append(contentsOf: breaks)
    } else if breaks.isEmpty {
      result.append(UInt8(ascii: " "))
    } else {
      result.append(contentsOf: breaks)
    }
    return index
  }

  /// Behind an escaped line break: blanks go, empty lines stay.
  private func skipIndentation(_ start: Int, _ result: inout [UInt8], _ range: Range<Int>) -> Int {
    var breaks: [UInt8] = []
    let index = skipBreaks(start, &breaks, range)
    result.append(contentsOf: breaks)
    return index
  }

  private func skipBreaks(_ start: Int, _ breaks: inout [UInt8], _ range: Range<Int>) -> Int {
    var index = start
    while index < range.upperBound {
      if text[index] == UInt8(ascii: " ") || text[index] == 0x09 {
        index += 1
      } else if breakLength(index) > 0 {
        breaks.append(contentsOf: breakText(index))
        index += breakLength(index)
      } else {
        break
      }
    }
    return index
  }

  // MARK: Blocks

  private func block(_ node: TextNode, _ extras: TextNodeExtras?) -> [UInt8] {
    guard let extras else { return [] }
    let isLiteral = node.style == .literal
    var result: [UInt8] = []
    var index = extras.contentStart
    var pending: [UInt8] = []
    var empty: [UInt8] = []
    var wasBlank = false
    index = skipEmptyLines(index, extras.contentIndent, &empty)
    while index < node.end {
      let isBlank = text[index] == UInt8(ascii: " ") || text[index] == 0x09
      if !isLiteral, pending == [0x0A], !wasBlank, !isBlank {
        if empty.isEmpty { result.append(UInt8(ascii: " ")) }
      } else {
        result.append(contentsOf: pending)
      }
      result.append(contentsOf: empty)
      empty = []
      wasBlank = isBlank
      let start = index
      while index < text.count, text[index] != 0, breakLength(index) == 0 { index += 1 }
      result.append(contentsOf: text[start..<index])
      pending = breakLength(index) > 0 ? breakText(index) : []
      index = skipEmptyLines(index + breakLength(index), extras.contentIndent, &empty)
    }
    switch chomping(node.start) {
    case UInt8(ascii: "-"): break
    case UInt8(ascii: "+"): result.append(contentsOf: pending + empty)
    default: result.append(contentsOf: pending)
    }
    return result
  }

  /// Leaps over the indentation of a line and over empty lines, which are gathered.
  private func skipEmptyLines(_ start: Int, _ indent: Int, _ breaks: inout [UInt8]) -> Int {
    var index = start
    while true {
      var column = 0
      while column < indent, index < text.count, text[index] == UInt8(ascii: " ") {
        index += 1
        column += 1
      }
      guard breakLength(index) > 0 else { return index }
      breaks.append(contentsOf: breakText(index))
      index += breakLength(index)
    }
  }

  /// The sign in a block's header that says what happens to the line breaks at its end; zero when
  /// there is none.
  func chomping(_ start: Int) -> UInt8 {
    for index in (start + 1)..<min(start + 3, text.count) {
      let byte = text[index]
      if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { return byte }
      guard byte >= UInt8(ascii: "1"), byte <= UInt8(ascii: "9") else { return 0 }
    }
    return 0
  }

  // MARK: Line breaks

  private func breakLength(_ index: Int) -> Int {
    guard index < text.count else { return 0 }
    return LineBreak.length(text, at: index)
  }

  /// What a line break is read as: all but two kinds are a line feed.
  private func breakText(_ index: Int) -> [UInt8] {
    text[index] == 0xE2 ? Array(text[index..<(index + 3)]) : [0x0A]
  }
}

/// The line breaks of YAML 1.1, which go-yaml heeds.
enum LineBreak {
  /// How many bytes the line break at an index takes; zero when there is none.
  @inline(__always)
  static func length(_ text: [UInt8], at index: Int) -> Int {
    let byte = text[index]
    if byte == 0x0A { return 1 }
    if byte == 0x0D { return index + 1 < text.count && text[index + 1] == 0x0A ? 2 : 1 }
    if byte == 0xC2 { return index + 1 < text.count && text[index + 1] == 0x85 ? 2 : 0 }
    guard byte == 0xE2, index + 2 < text.count else { return 0 }
    return text[index + 1] == 0x80 && text[index + 2] & 0xFE == 0xA8 ? 3 : 0
  }
}
