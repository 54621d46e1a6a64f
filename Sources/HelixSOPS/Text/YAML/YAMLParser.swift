/// Reads the tokens of YAML into nodes by libyaml's grammar, without recursion.
struct YAMLParser {
  var scanner: YAMLScanner
  var tree = TextTree()
  var states: [State] = []
  var state: State? = .implicitDocument
  private var open: [Int] = []
  /// Where the last value ends that was read to its end.
  var lastEnd = 0
  private var anchors: [String: Int] = [:]
  private var handles: [String: String] = [:]
  private let limit: Int

  enum State {
    case implicitDocument, document, documentContent, documentEnd
    case blockNode
    case blockListFirst, blockList, plainList
    case blockMapFirst, blockMapKey, blockMapValue
    case flowListFirst, flowList, pairKey, pairValue, pairEnd
    case flowMapFirst, flowMapKey, flowMapValue, flowMapEmptyValue
  }

  /// A tag and an anchor read before their node.
  struct Properties {
    var start: Int
    var extras = TextNodeExtras()
    var isEmpty: Bool { extras.tag == nil && extras.anchor == nil }
  }

  init(_ bytes: [UInt8]) throws(TextFault) {
    scanner = try YAMLScanner(bytes)
    limit = TextLimit.memory(for: bytes.count)
  }

  /// All documents of the text.
  static func parse(_ bytes: [UInt8]) throws(TextFault) -> (tree: TextTree, padded: [UInt8]) {
    var parser = try YAMLParser(bytes)
    while let state = parser.state { try parser.step(state) }
    parser.tree.comments = parser.scanner.comments
    return (parser.tree, parser.scanner.text)
  }

  private mutating func step(_ state: State) throws(TextFault) {
    guard tree.memory + scanner.comments.count * TextLimit.comment <= limit else {
      throw TextFault(TextLimit.tooMany, at: scanner.position)
    }
    switch state {
    case .implicitDocument: try startDocument(isImplicit: true)
    case .document: try startDocument(isImplicit: false)
    case .documentContent: try documentContent()
    case .documentEnd: try endDocument()
    case .blockNode: try node(isBlock: true)
    case .blockListFirst:
      scanner.skip()
      try blockListItem()
    case .blockList: try blockListItem()
    case .plainList: try plainListItem()
    case .blockMapFirst:
      scanner.skip()
      try blockMapKey()
    case .blockMapKey: try blockMapKey()
    case .blockMapValue: try blockMapValue()
    case .flowListFirst:
      scanner.skip()
      try flowListItem(isFirst: true)
    case .flowList: try flowListItem(isFirst: false)
    case .pairKey: try pairKey()
    case .pairValue: try pairValue()
    case .pairEnd:
      self.state = .flowList
      close(at: lastEnd)
    case .flowMapFirst:
      scanner.skip()
      try flowMapKey(isFirst: true)
    case .flowMapKey: try flowMapKey(isFirst: false)
    case .flowMapValue: try flowMapValue(isEmpty: false)
    case .flowMapEmptyValue: try flowMapValue(isEmpty: true)
    }
  }

  // MARK: Building

  private mutating func add(
    _ kind: TextNode.Kind, _ style: TextNode.Style, _ range: Range<Int>, column: Int,
    _ properties: Properties
  ) {
    let index = tree.nodes.count
    tree.nodes.append(
      TextNode(
        kind: kind, style: style, isInFlow: isInFlow,
        start: range.lowerBound, end: range.upperBound, next: index + 1, column: column,
        parentIndent: blockIndent))
    if !properties.isEmpty { tree.extras[index] = properties.extras }
    if let anchor = properties.extras.anchor { anchors[anchor] = index }
    lastEnd = range.upperBound
  }

  /// The indentation of the innermost map or list by indentation.
  private var blockIndent: Int {
    open.last { tree.nodes[$0].style == .block }.map { tree.nodes[$0].column } ?? -1
  }

  /// What stands in brackets is in flow, however deep.
  private var isInFlow: Bool { open.last.map { tree.nodes[$0].style == .flow } ?? false }

  mutating func openNode(
    _ kind: TextNode.Kind, _ style: TextNode.Style, _ token: YAMLToken, _ properties: Properties
  ) throws(TextFault) {
    guard open.count < TextLimit.depth else {
      throw TextFault(TextLimit.tooDeep, at: token.start)
    }
    add(kind, style, token.start..<token.end, column: token.column, properties)
    open.append(tree.nodes.count - 1)
  }

  mutating func close(at end: Int) {
    guard let index = open.popLast() else { return }
    tree.nodes[index].next = tree.nodes.count
    tree.nodes[index].end = end
    lastEnd = end
  }

  /// Closes a map or list by indentation, which ends where its last value does.
  mutating func closeBlock() {
    guard let index = open.last else { return }
    close(at: max(lastEnd, tree.nodes[index].start))
  }

  /// A value that is not written, at the end of what was.
  mutating func addEmpty(at offset: Int) {
    add(.scalar, .plain, offset..<offset, column: 0, Properties(start: offset))
  }

  mutating func pop() { state = states.popLast() }

  // MARK: Documents

  private mutating func startDocument(isImplicit: Bool) throws(TextFault) {
    var token = try scanner.peek()
    while !isImplicit, token.kind == .documentEnd {
      scanner.skip()
      token = try scanner.peek()
    }
    anchors = [:]
    handles = [:]
    switch token.kind {
    case .streamEnd:
      state = nil
      return
    case .versionDirective, .tagDirective, .documentStart: break
    default:
      guard isImplicit else { throw TextFault("a document starts with \"---\"", at: token.start) }
      beginDocument(at: scanner.text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
      states.append(.documentEnd)
      state = .blockNode
      return
    }
    while token.kind == .versionDirective || token.kind == .tagDirective {
      try readDirective(token)
      scanner.skip()
      token = try scanner.peek()
    }
    guard token.kind == .documentStart else {
      throw TextFault("a document starts with \"---\"", at: token.start)
    }
    beginDocument(at: token.end)
    states.append(.documentEnd)
    state = .documentContent
    scanner.skip()
  }

  private mutating func beginDocument(at start: Int) {
    tree.documents.append(
      TextTree.Document(root: tree.nodes.count, start: start, end: scanner.size))
  }

  private mutating func readDirective(_ token: YAMLToken) throws(TextFault) {
    let words = scanner.text[token.start..<token.end].split { $0 == 0x20 || $0 == 0x09 }
      .map { String(decoding: $0, as: UTF8.self) }
    switch words.first {
    case "%TAG" where words.count == 3: handles[words[1]] = words[2]
    case "%YAML" where words.count == 2 && ["1.1", "1.2"].contains(words[1]): break
    case "%TAG", "%YAML": throw TextFault("this directive is not understood", at: token.start)
    default: throw TextFault("there is no such directive", at: token.start)
    }
  }

  private mutating func documentContent() throws(TextFault) {
    let token = try scanner.peek()
    switch token.kind {
    case .versionDirective, .tagDirective, .documentStart, .documentEnd, .streamEnd:
      pop()
      addEmpty(at: tree.documents[tree.documents.count - 1].start)
    default: try node(isBlock: true)
    }
  }

  private mutating func endDocument() throws(TextFault) {
    let token = try scanner.peek()
    if token.kind != .streamEnd { tree.documents[tree.documents.count - 1].end = token.start }
    if token.kind == .documentEnd { scanner.skip() }
    state = .document
  }

  // MARK: Nodes

  mutating func node(isBlock: Bool, takesPlainList: Bool = false) throws(TextFault) {
    var token = try scanner.peek()
    if token.kind == .alias { return try alias(token) }
    var properties = Properties(start: token.start)
    while token.kind == .anchor || token.kind == .tag {
      try read(token, into: &properties)
      scanner.skip()
      token = try scanner.peek()
    }
    if takesPlainList, token.kind == .blockEntry {
      state = .plainList
      return try openNode(.list, .block, token, properties)
    }
    switch token.kind {
    case .scalar: try scalar(token, properties)
    case .flowListStart:
      state = .flowListFirst
      try openNode(.list, .flow, token, properties)
    case .flowMapStart:
      state = .flowMapFirst
      try openNode(.map, .flow, token, properties)
    case .blockListStart where isBlock:
      state = .blockListFirst
      try openNode(.list, .block, token, properties)
    case .blockMapStart where isBlock:
      state = .blockMapFirst
      try openNode(.map, .block, token, properties)
    default:
      guard !properties.isEmpty else { throw TextFault("a value is missing", at: token.start) }
      let extras = properties.extras
      let end = max(extras.tag?.upperBound ?? 0, extras.anchorRange?.upperBound ?? 0)
      pop()
      add(.scalar, .plain, end..<end, column: 0, properties)
    }
  }

  private mutating func scalar(_ token: YAMLToken, _ properties: Properties) throws(TextFault) {
    pop()
    var properties = properties
    let isBlock = token.style == .literal || token.style == .folded
    if isBlock {
      properties.extras.contentStart = token.contentStart
      properties.extras.contentIndent = token.contentIndent
    }
    add(.scalar, token.style, token.start..<token.end, column: token.column, properties)
    if isBlock {
      tree.extras[tree.nodes.count - 1] = properties.extras
      tree.nodes[tree.nodes.count - 1].parentIndent = token.parentIndent
    }
    scanner.skip()
  }

  private mutating func alias(_ token: YAMLToken) throws(TextFault) {
    let name = String(decoding: scanner.text[(token.start + 1)..<token.end], as: UTF8.self)
    guard let target = anchors[name] else {
      throw TextFault("no anchor has this name", at: token.start)
    }
    // A map or list that holds itself has no end; go-yaml refuses it as well.
    guard !open.contains(target) else {
      throw TextFault("an alias stands inside of what it stands for", at: token.start)
    }
    pop()
    add(.alias, .plain, token.start..<token.end, column: token.column, Properties(start: 0))
    tree.extras[tree.nodes.count - 1] = TextNodeExtras(target: target)
    scanner.skip()
  }

  private mutating func read(
    _ token: YAMLToken, into properties: inout Properties
  ) throws(TextFault) {
    let bytes = scanner.text[token.start..<token.end]
    if token.kind == .anchor {
      guard properties.extras.anchor == nil else {
        throw TextFault("a value has one anchor", at: token.start)
      }
      properties.extras.anchor = String(decoding: bytes.dropFirst(), as: UTF8.self)
      properties.extras.anchorRange = token.start..<token.end
    } else {
      guard properties.extras.tag == nil else {
        throw TextFault("a value has one tag", at: token.start)
      }
      properties.extras.tag = token.start..<token.end
      properties.extras.meaning = meaning(ofTag: String(decoding: bytes, as: UTF8.self))
    }
  }

  /// A tag in full: handles replaced by what they stand for.
  private func meaning(ofTag tag: String) -> String {
    if tag.hasPrefix("!<") { return String(tag.dropFirst(2).dropLast()) }
    if let second = tag.dropFirst().firstIndex(of: "!") {
      let handle = String(tag[...second])
      let prefix = handles[handle] ?? (handle == "!!" ? "tag:yaml.org,2002:" : handle)
      return prefix + tag[tag.index(after: second)...]
    }
    guard tag.count > 1, let prefix = handles["!"] else { return tag }
    return prefix + tag.dropFirst()
  }
}
