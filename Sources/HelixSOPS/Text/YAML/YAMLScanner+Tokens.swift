/// The tokens, one function each.
extension YAMLScanner {
  mutating func fetchEnd() throws(TextFault) {
    unroll(to: -1)
    try removeKey()
    // What stands open in brackets waits for no more text to become a key.
    line += 1
    try dropStaleKeys()
    isKeyAllowed = false
    tokens.append(YAMLToken(.streamEnd, start: size, end: size, column: column))
  }

  mutating func fetchDocumentMark(_ kind: YAMLToken.Kind) throws(TextFault) {
    unroll(to: -1)
    try removeKey()
    isKeyAllowed = false
    appendMark(kind, length: 3)
  }

  mutating func fetchDirective() throws(TextFault) {
    unroll(to: -1)
    try removeKey()
    isKeyAllowed = false
    let start = position
    while !isBreakOrEnd(position), !isComment(position) { position += 1 }
    let isTag = text[start...].starts(with: "%TAG".utf8)
    let kind: YAMLToken.Kind = isTag ? .tagDirective : .versionDirective
    append(YAMLToken(kind, start: start, end: position, column: 0))
  }

  mutating func fetchFlowStart(_ kind: YAMLToken.Kind) throws(TextFault) {
    try saveKey()
    guard flowLevel < TextLimit.depth else { throw TextFault(TextLimit.tooDeep, at: position) }
    flowLevel += 1
    keys.append(PossibleKey())
    isKeyAllowed = true
    appendMark(kind, length: 1)
  }

  mutating func fetchFlowEnd(_ kind: YAMLToken.Kind) throws(TextFault) {
    try removeKey()
    if flowLevel > 0 {
      flowLevel -= 1
      keys.removeLast()
    }
    isKeyAllowed = false
    appendMark(kind, length: 1)
  }

  mutating func fetchFlowEntry() throws(TextFault) {
    try removeKey()
    isKeyAllowed = true
    appendMark(.flowEntry, length: 1)
  }

  mutating func fetchBlockEntry() throws(TextFault) {
    if flowLevel == 0 {
      guard isKeyAllowed else {
        throw TextFault("a list's item cannot start here", at: position)
      }
      try roll(to: column, before: nil, .blockListStart, at: position)
    }
    try removeKey()
    isKeyAllowed = true
    appendMark(.blockEntry, length: 1)
  }

  mutating func fetchKey() throws(TextFault) {
    if flowLevel == 0 {
      guard isKeyAllowed else { throw TextFault("a key cannot start here", at: position) }
      try roll(to: column, before: nil, .blockMapStart, at: position)
    }
    try removeKey()
    isKeyAllowed = flowLevel == 0
    appendMark(.key, length: 1)
  }

  mutating func fetchValue() throws(TextFault) {
    let key = keys[keys.count - 1]
    if key.isPossible {
      let mark = YAMLToken(.key, start: key.offset, end: key.offset, column: key.column)
      tokens.insert(mark, at: head + key.token - taken)
      try roll(to: key.column, before: key.token, .blockMapStart, at: key.offset)
      keys[keys.count - 1].isPossible = false
      isKeyAllowed = false
    } else {
      if flowLevel == 0 {
        guard isKeyAllowed else { throw TextFault("a value cannot start here", at: position) }
        try roll(to: column, before: nil, .blockMapStart, at: position)
      }
      isKeyAllowed = flowLevel == 0
    }
    appendMark(.value, length: 1)
  }

  mutating func fetchAnchor(_ kind: YAMLToken.Kind) throws(TextFault) {
    try saveKey()
    isKeyAllowed = false
    append(try scanAnchor(kind))
  }

  mutating func fetchTag() throws(TextFault) {
    try saveKey()
    isKeyAllowed = false
    append(try scanTag())
  }

  mutating func fetchBlockScalar(_ style: TextNode.Style) throws(TextFault) {
    try removeKey()
    isKeyAllowed = true
    let token = try scanBlockScalar(style)
    tokens.append(token)
  }

  mutating func fetchFlowScalar(_ style: TextNode.Style) throws(TextFault) {
    try saveKey()
    isKeyAllowed = false
    append(try scanQuoted(style))
  }

  mutating func fetchPlain() throws(TextFault) {
    try saveKey()
    isKeyAllowed = false
    let (token, endedOnNewLine) = try scanPlain()
    if endedOnNewLine { isKeyAllowed = true }
    tokens.append(token)
    // What follows on a new line has nothing of the scalar's before it.
    lineHasContent = !endedOnNewLine
  }
}
