/// Cuts YAML into tokens by the rules of libyaml, of which go-yaml, that SOPS reads with, is a
/// translation: what one of them takes for a key, the other must not take for text.
///
/// It keeps what a binding of libyaml cannot tell: the exact bytes of every token and comment.
struct YAMLScanner {
  /// The text with zeros behind it, so that looking ahead needs no checks; a zero cannot be in it.
  let text: [UInt8]
  let size: Int
  var position = 0
  var lineStart = 0
  var line = 0
  /// Whether a token was taken from the current line.
  var lineHasContent = false

  var tokens: [YAMLToken] = []
  var head = 0
  var taken = 0
  var comments: [YAMLComment] = []

  var indent = -1
  private var indents: [Int] = []
  var flowLevel = 0
  var isKeyAllowed = true
  var keys: [PossibleKey] = [PossibleKey()]

  /// A place that turns out to be a key when a colon follows.
  struct PossibleKey {
    var isPossible = false
    var isRequired = false
    var token = 0
    var offset = 0
    var line = 0
    var column = 0
  }

  init(_ bytes: [UInt8]) throws(TextFault) {
    try YAMLCharacters.check(bytes)
    size = bytes.count
    var padded = bytes
    padded.append(contentsOf: [0, 0, 0, 0])
    text = padded
    if text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF {
      position = 3
      lineStart = 3
    }
  }

  var column: Int { position - lineStart }

  // MARK: Tokens

  /// The next token, left in place.
  mutating func peek() throws(TextFault) -> YAMLToken {
    if head == tokens.count || mayBecomeKey { try fetchMore() }
    return tokens[head]
  }

  /// Takes the token that was peeked at.
  mutating func skip() {
    head += 1
    taken += 1
    if head == tokens.count {
      tokens.removeAll(keepingCapacity: true)
      head = 0
    } else if head > 512 {
      tokens.removeFirst(head)
      head = 0
    }
  }

  /// Whether the next token may yet have a key's mark put before it.
  private var mayBecomeKey: Bool {
    keys.contains { $0.isPossible && $0.token == taken }
  }

  private mutating func fetchMore() throws(TextFault) {
    while true {
      if head < tokens.count {
        try dropStaleKeys()
        guard mayBecomeKey else { return }
      }
      try fetchNext()
    }
  }

  mutating func append(_ token: YAMLToken) {
    tokens.append(token)
    lineHasContent = true
  }

  mutating func appendMark(_ kind: YAMLToken.Kind, length: Int) {
    append(YAMLToken(kind, start: position, end: position + length, column: column))
    position += length
  }

  private mutating func fetchNext() throws(TextFault) {
    try skipToNextToken()
    try dropStaleKeys()
    unroll(to: column)
    let byte = text[position]
    if position >= size { return try fetchEnd() }
    if column == 0 {
      if byte == UInt8(ascii: "%") { return try fetchDirective() }
      if isDocumentMark {
        return try fetchDocumentMark(byte == UInt8(ascii: "-") ? .documentStart : .documentEnd)
      }
    }
    switch byte {
    case UInt8(ascii: "["): return try fetchFlowStart(.flowListStart)
    case UInt8(ascii: "{"): return try fetchFlowStart(.flowMapStart)
    case UInt8(ascii: "]"): return try fetchFlowEnd(.flowListEnd)
    case UInt8(ascii: "}"): return try fetchFlowEnd(.flowMapEnd)
    case UInt8(ascii: ","): return try fetchFlowEntry()
    case UInt8(ascii: "-") where isBlankOrEnd(position + 1): return try fetchBlockEntry()
    case UInt8(ascii: "?") where flowLevel > 0 || isBlankOrEnd(position + 1):
      return try fetchKey()
    case UInt8(ascii: ":") where flowLevel > 0 || isBlankOrEnd(position + 1):
      return try fetchValue()
    case UInt8(ascii: "*"): return try fetchAnchor(.alias)
    case UInt8(ascii: "&"): return try fetchAnchor(.anchor)
    case UInt8(ascii: "!"): return try fetchTag()
    case UInt8(ascii: "|") where flowLevel == 0: return try fetchBlockScalar(.literal)
    case UInt8(ascii: ">") where flowLevel == 0: return try fetchBlockScalar(.folded)
    case UInt8(ascii: "'"): return try fetchFlowScalar(.single)
    case UInt8(ascii: "\""): return try fetchFlowScalar(.double)
    case UInt8(ascii: "#"), UInt8(ascii: "%"), UInt8(ascii: "@"), UInt8(ascii: "`"),
      UInt8(ascii: "|"), UInt8(ascii: ">"), UInt8(ascii: "\t"):
      throw TextFault("no token starts with this character", at: position)
    default: return try fetchPlain()
    }
  }

  // MARK: Gaps

  /// Leaps over blanks, line breaks and comments, which are noted.
  private mutating func skipToNextToken() throws(TextFault) {
    while true {
      while text[position] == UInt8(ascii: " ")
        || (text[position] == UInt8(ascii: "\t") && (flowLevel > 0 || !isKeyAllowed))
      {
        position += 1
      }
      if text[position] == UInt8(ascii: "#") { try scanComment() }
      guard isBreak(position) else { return }
      skipBreak()
      if flowLevel == 0 { isKeyAllowed = true }
    }
  }

  /// Notes the comment at the position and leaps to the end of its line.
  mutating func scanComment() throws(TextFault) {
    guard comments.count * TextLimit.comment <= TextLimit.memory(for: size) else {
      throw TextFault(TextLimit.tooMany, at: position)
    }
    let start = position
    let startColumn = column
    while !isBreakOrEnd(position) { position += 1 }
    comments.append(
      YAMLComment(start: start, end: position, column: startColumn, isInline: lineHasContent))
  }

  // MARK: Possible keys

  mutating func dropStaleKeys() throws(TextFault) {
    for index in keys.indices where keys[index].isPossible {
      let key = keys[index]
      guard key.line < line || isFar(key.offset) else { continue }
      if key.isRequired { throw TextFault("a key has no \":\" behind it", at: key.offset) }
      keys[index].isPossible = false
    }
  }

  /// Whether more than 1,024 characters lie between; such a thing is no key.
  private func isFar(_ offset: Int) -> Bool {
    guard position - offset > 1024 else { return false }
    guard position - offset <= 4096 else { return true }
    return text[offset..<position].count { $0 & 0xC0 != 0x80 } > 1024
  }

  mutating func saveKey() throws(TextFault) {
    guard isKeyAllowed else { return }
    try removeKey()
    keys[keys.count - 1] = PossibleKey(
      isPossible: true, isRequired: flowLevel == 0 && indent == column,
      token: taken + tokens.count - head, offset: position, line: line, column: column)
  }

  mutating func removeKey() throws(TextFault) {
    let key = keys[keys.count - 1]
    if key.isPossible && key.isRequired {
      throw TextFault("a key has no \":\" behind it", at: key.offset)
    }
    keys[keys.count - 1].isPossible = false
  }

  // MARK: Indentation

  /// Opens a block when the column is deeper than the last; `token` tells where its mark belongs.
  mutating func roll(
    to column: Int, before token: Int?, _ kind: YAMLToken.Kind, at offset: Int
  ) throws(TextFault) {
    guard flowLevel == 0, indent < column else { return }
    guard indents.count < TextLimit.depth else { throw TextFault(TextLimit.tooDeep, at: offset) }
    indents.append(indent)
    indent = column
    let mark = YAMLToken(kind, start: offset, end: offset, column: column)
    if let token {
      tokens.insert(mark, at: head + token - taken)
    } else {
      tokens.append(mark)
    }
  }

  mutating func unroll(to column: Int) {
    guard flowLevel == 0 else { return }
    while indent > column {
      tokens.append(YAMLToken(.blockEnd, start: position, end: position, column: self.column))
      indent = indents.removeLast()
    }
  }
}
