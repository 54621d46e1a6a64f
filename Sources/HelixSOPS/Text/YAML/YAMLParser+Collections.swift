/// The states inside of lists and maps.
extension YAMLParser {
  /// Goes on with a node and comes back to a state behind it.
  mutating func node(
    then state: State, isBlock: Bool, takesPlainList: Bool = false
  ) throws(TextFault) {
    states.append(state)
    try node(isBlock: isBlock, takesPlainList: takesPlainList)
  }

  mutating func blockListItem() throws(TextFault) {
    let token = try scanner.peek()
    guard token.kind == .blockEntry else {
      guard token.kind == .blockEnd else {
        throw TextFault("a list's next item, or its end, is expected", at: token.start)
      }
      closeBlock()
      pop()
      return scanner.skip()
    }
    scanner.skip()
    switch try scanner.peek().kind {
    case .blockEntry, .blockEnd:
      state = .blockList
      addEmpty(at: token.end)
    default: try node(then: .blockList, isBlock: true)
    }
  }

  mutating func plainListItem() throws(TextFault) {
    let token = try scanner.peek()
    guard token.kind == .blockEntry else {
      closeBlock()
      return pop()
    }
    scanner.skip()
    switch try scanner.peek().kind {
    case .blockEntry, .key, .value, .blockEnd:
      state = .plainList
      addEmpty(at: token.end)
    default: try node(then: .plainList, isBlock: true)
    }
  }

  mutating func blockMapKey() throws(TextFault) {
    let token = try scanner.peek()
    switch token.kind {
    case .key:
      scanner.skip()
      switch try scanner.peek().kind {
      case .key, .value, .blockEnd:
        state = .blockMapValue
        addEmpty(at: token.end)
      default: try node(then: .blockMapValue, isBlock: true, takesPlainList: true)
      }
    case .blockEnd:
      closeBlock()
      pop()
      scanner.skip()
    default: throw TextFault("a map's next key, or its end, is expected", at: token.start)
    }
  }

  mutating func blockMapValue() throws(TextFault) {
    let token = try scanner.peek()
    guard token.kind == .value else {
      state = .blockMapKey
      return addEmpty(at: lastEnd)
    }
    scanner.skip()
    switch try scanner.peek().kind {
    case .key, .value, .blockEnd:
      state = .blockMapKey
      addEmpty(at: token.end)
    default: try node(then: .blockMapKey, isBlock: true, takesPlainList: true)
    }
  }

  mutating func flowListItem(isFirst: Bool) throws(TextFault) {
    var token = try scanner.peek()
    if token.kind != .flowListEnd, !isFirst {
      guard token.kind == .flowEntry else {
        throw TextFault("a \",\" or \"]\" is expected", at: token.start)
      }
      scanner.skip()
      token = try scanner.peek()
    }
    switch token.kind {
    case .flowListEnd:
      close(at: token.end)
      pop()
      scanner.skip()
    case .key:
      state = .pairKey
      try openNode(.map, .flow, token, Properties(start: token.start))
      scanner.skip()
    default: try node(then: .flowList, isBlock: false)
    }
  }

  mutating func pairKey() throws(TextFault) {
    let token = try scanner.peek()
    switch token.kind {
    case .value, .flowEntry, .flowListEnd:
      state = .pairValue
      addEmpty(at: token.start)
    default: try node(then: .pairValue, isBlock: false)
    }
  }

  mutating func pairValue() throws(TextFault) {
    let token = try scanner.peek()
    guard token.kind == .value else {
      state = .pairEnd
      return addEmpty(at: lastEnd)
    }
    scanner.skip()
    switch try scanner.peek().kind {
    case .flowEntry, .flowListEnd:
      state = .pairEnd
      addEmpty(at: token.end)
    default: try node(then: .pairEnd, isBlock: false)
    }
  }

  mutating func flowMapKey(isFirst: Bool) throws(TextFault) {
    var token = try scanner.peek()
    if token.kind != .flowMapEnd, !isFirst {
      guard token.kind == .flowEntry else {
        throw TextFault("a \",\" or \"}\" is expected", at: token.start)
      }
      scanner.skip()
      token = try scanner.peek()
    }
    switch token.kind {
    case .flowMapEnd:
      close(at: token.end)
      pop()
      scanner.skip()
    case .key:
      scanner.skip()
      switch try scanner.peek().kind {
      case .value, .flowEntry, .flowMapEnd:
        state = .flowMapValue
        addEmpty(at: token.end)
      default: try node(then: .flowMapValue, isBlock: false)
      }
    default: try node(then: .flowMapEmptyValue, isBlock: false)
    }
  }

  mutating func flowMapValue(isEmpty: Bool) throws(TextFault) {
    let token = try scanner.peek()
    guard !isEmpty, token.kind == .value else {
      state = .flowMapKey
      return addEmpty(at: lastEnd)
    }
    scanner.skip()
    switch try scanner.peek().kind {
    case .flowEntry, .flowMapEnd:
      state = .flowMapKey
      addEmpty(at: token.end)
    default: try node(then: .flowMapKey, isBlock: false)
    }
  }
}
