/// How far the tokens with text in them reach; what the text means is told by `YAMLScalar`.
extension YAMLScanner {
  // MARK: Characters

  @inline(__always)
  func isBlank(_ index: Int) -> Bool {
    text[index] == UInt8(ascii: " ") || text[index] == UInt8(ascii: "\t")
  }

  /// Whether a line break stands there; YAML 1.1, and so go-yaml, has five of them.
  @inline(__always)
  func isBreak(_ index: Int) -> Bool {
    switch text[index] {
    case 0x0A, 0x0D: true
    case 0xC2: text[index + 1] == 0x85
    case 0xE2: text[index + 1] == 0x80 && text[index + 2] & 0xFE == 0xA8
    default: false
    }
  }

  @inline(__always)
  func isBreakOrEnd(_ index: Int) -> Bool { text[index] == 0 || isBreak(index) }

  @inline(__always)
  func isBlankOrEnd(_ index: Int) -> Bool { isBlank(index) || isBreakOrEnd(index) }

  /// Whether a comment's mark stands there with a blank before it.
  func isComment(_ index: Int) -> Bool {
    text[index] == UInt8(ascii: "#") && isBlank(index - 1)
  }

  /// Leaps over the line break at the position.
  @inline(__always)
  mutating func skipBreak() {
    switch text[position] {
    case 0x0D where text[position + 1] == 0x0A: position += 2
    case 0xC2: position += 2
    case 0xE2: position += 3
    default: position += 1
    }
    line += 1
    lineStart = position
    lineHasContent = false
  }

  /// Whether `---` or `...` stands at the position, which is the start of a line.
  var isDocumentMark: Bool {
    let byte = text[position]
    return (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "."))
      && text[position + 1] == byte && text[position + 2] == byte && isBlankOrEnd(position + 3)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// What tags are made of; escapes of other characters in them are nobody's custom.
  private static func isTagByte(_ byte: UInt8) -> Bool {
    isWord(byte) || ";/?:@&=+$.!~*'()".utf8.contains(byte)
  }

  private static func isFlowMark(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"),
      UInt8(ascii: "}"):
      true
    default: false
    }
  }

  // MARK: Anchors and tags

  mutating func scanAnchor(_ kind: YAMLToken.Kind) throws(TextFault) -> YAMLToken {
    let start = position
    let startColumn = column
    position += 1
    while Self.isWord(text[position]) { position += 1 }
    let ends: Bool =
      switch text[position] {
      case UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "]"),
        UInt8(ascii: "}"), UInt8(ascii: "%"), UInt8(ascii: "@"), UInt8(ascii: "`"):
        true
      default: isBlankOrEnd(position)
      }
    guard position > start + 1, ends else {
      throw TextFault("an anchor's name is letters, digits, \"-\" and \"_\"", at: start)
    }
    return YAMLToken(kind, start: start, end: position, column: startColumn)
  }

  mutating func scanTag() throws(TextFault) -> YAMLToken {
    let start = position
    let startColumn = column
    position += 1
    if text[position] == UInt8(ascii: "<") {
      while text[position] != UInt8(ascii: ">"), !isBlankOrEnd(position) { position += 1 }
      guard text[position] == UInt8(ascii: ">") else {
        throw TextFault("a tag has no \">\" at its end", at: start)
      }
      position += 1
    } else {
      while Self.isTagByte(text[position]) { position += 1 }
    }
    guard isBlankOrEnd(position) || flowLevel > 0 && text[position] == UInt8(ascii: ",") else {
      throw TextFault("a tag needs a blank behind it", at: start)
    }
    return YAMLToken(.tag, start: start, end: position, column: startColumn)
  }

  // MARK: Quoted text

  mutating func scanQuoted(_ style: TextNode.Style) throws(TextFault) -> YAMLToken {
    let start = position
    var token = YAMLToken(.scalar, start: start, end: start, column: column)
    token.style = style
    let quote = text[start]
    position += 1
    while true {
      let byte = text[position]
      if byte == quote {
        if style == .single, text[position + 1] == quote {
          position += 2
          continue
        }
        position += 1
        token.end = position
        return token
      }
      if byte == UInt8(ascii: "\\"), style == .double {
        try skipEscape()
      } else if byte == 0 {
        throw TextFault("the quotes that open here are never closed", at: start)
      } else if isBreak(position) {
        try skipBreakInQuotes(start)
      } else {
        position += 1
      }
    }
  }

  private mutating func skipBreakInQuotes(_ start: Int) throws(TextFault) {
    skipBreak()
    if isDocumentMark {
      throw TextFault("the quotes that open here are not closed in their document", at: start)
    }
  }

  /// Leaps over an escape in double quotes; a wrong one is refused here, so that reading the text
  /// later cannot fail.
  private mutating func skipEscape() throws(TextFault) {
    if isBreak(position + 1) {
      position += 1
      return try skipBreakInQuotes(position - 1)
    }
    guard let escape = YAMLEscape(text, at: position) else {
      throw TextFault("there is no such escape in double quotes", at: position)
    }
    position += escape.length
  }

  // MARK: Plain text

  /// The token, and whether the search for its end went over a line break.
  mutating func scanPlain() throws(TextFault) -> (YAMLToken, Bool) {
    var token = YAMLToken(.scalar, start: position, end: position, column: column)
    let least = indent + 1
    var isOnNewLine = false
    while true {
      if column == 0 && isDocumentMark { break }
      if text[position] == UInt8(ascii: "#") { break }
      let runStart = position
      while try isPlain() { position += 1 }
      if position > runStart {
        token.end = position
        isOnNewLine = false
      }
      guard isBlank(position) || isBreak(position) else { break }
      while true {
        if isBlank(position) {
          if isOnNewLine, column < least, text[position] == UInt8(ascii: "\t") {
            throw TextFault("a tab stands where blanks indent", at: position)
          }
          position += 1
        } else if isBreak(position) {
          skipBreak()
          isOnNewLine = true
        } else {
          break
        }
      }
      if flowLevel == 0 && column < least { break }
    }
    return (token, isOnNewLine)
  }

  /// Whether the byte at the position belongs to plain text.
  @inline(__always)
  private func isPlain() throws(TextFault) -> Bool {
    let byte = text[position]
    if byte <= 0x20 { return false }
    if byte == UInt8(ascii: ":") {
      if isBlankOrEnd(position + 1) { return false }
      // Where brackets follow, readers do not agree what this is.
      if flowLevel > 0, Self.isFlowMark(text[position + 1]) {
        throw TextFault("a \":\" needs a blank behind it", at: position)
      }
      return true
    }
    if byte >= 0xC2 { return !isBreak(position) }
    return !(flowLevel > 0 && Self.isFlowMark(byte))
  }

  // MARK: Blocks of text

  mutating func scanBlockScalar(_ style: TextNode.Style) throws(TextFault) -> YAMLToken {
    var token = YAMLToken(.scalar, start: position, end: position, column: column)
    token.style = style
    token.parentIndent = indent
    position += 1
    let increment = try scanBlockHeader()
    token.end = position
    while isBlank(position) { position += 1 }
    lineHasContent = true
    if text[position] == UInt8(ascii: "#") { try scanComment() }
    guard isBreakOrEnd(position) else {
      throw TextFault("only a comment may follow \"|\" and \">\"", at: position)
    }
    if isBreak(position) { skipBreak() }
    token.contentStart = position
    let given = increment.map { max(indent, 0) + $0 }
    var contentIndent = given ?? 0
    try skipBlockBreaks(&contentIndent)
    token.contentIndent = contentIndent
    while column == contentIndent, text[position] != 0 {
      while !isBreakOrEnd(position) { position += 1 }
      token.end = position
      if isBreak(position) { skipBreak() }
      try skipBlockBreaks(&contentIndent)
    }
    return token
  }

  /// The digit of a block's header, if there is one.
  private mutating func scanBlockHeader() throws(TextFault) -> Int? {
    var increment: Int?
    var hasChomping = false
    while true {
      switch text[position] {
      case UInt8(ascii: "+"), UInt8(ascii: "-"):
        guard !hasChomping else { return increment }
        hasChomping = true
      case UInt8(ascii: "1")...UInt8(ascii: "9"):
        guard increment == nil else { return increment }
        increment = Int(text[position] - UInt8(ascii: "0"))
      case UInt8(ascii: "0"):
        throw TextFault("a block's indentation is 1 to 9", at: position)
      default: return increment
      }
      position += 1
    }
  }

  /// Leaps over empty lines; finds out the indentation when it is not known.
  private mutating func skipBlockBreaks(_ contentIndent: inout Int) throws(TextFault) {
    var deepest = 0
    while true {
      while contentIndent == 0 || column < contentIndent, text[position] == UInt8(ascii: " ") {
        position += 1
      }
      deepest = max(deepest, column)
      if contentIndent == 0 || column < contentIndent, text[position] == UInt8(ascii: "\t") {
        throw TextFault("a tab stands where blanks indent", at: position)
      }
      guard isBreak(position) else { break }
      skipBreak()
    }
    if contentIndent == 0 { contentIndent = max(deepest, indent + 1, 1) }
  }
}
