import HelixModel

/// Replaces values in YAML or JSON where they stand.
struct TreeEdit {
  let source: SOPSText
  let body: TreeBody
  let layout: TextLayout
  var splices = Splices()
  /// What is to become of each node, the values of aliases included.
  private var edits: [Int: Replacement] = [:]
  private var parents: [Int]?
  private var commentsToBe: Set<Int>?
  private(set) lazy var indentation = YAMLIndentation.find(in: body.tree)

  init(_ source: SOPSText, _ body: TreeBody) {
    self.source = source
    self.body = body
    layout = TextLayout(source.bytes)
  }

  var tree: TextTree { body.tree }

  /// The text with values replaced and the `sops` blocks made to say what is given.
  static func replacing(
    _ source: SOPSText, _ body: TreeBody, _ edits: [Int: Replacement], metadata: MetadataValue?
  ) throws(Diagnostic) -> [UInt8] {
    var edit = TreeEdit(source, body)
    try edit.gather(edits)
    for (index, replacement) in edit.edits.sorted(by: { $0.key < $1.key }) {
      try edit.replace(index, replacement)
    }
    if metadata != source.metadata || body.metadataKeys.contains(where: { $0 == nil }) {
      try edit.setMetadata(metadata)
    }
    return edit.splices.applied(to: source.bytes)
  }

  func refusal(_ summary: String, because reason: String, at item: Int) -> Diagnostic {
    Diagnostic(summary, reason: reason, at: source.items[item].location)
  }

  // MARK: What changes

  private mutating func gather(_ wanted: [Int: Replacement]) throws(Diagnostic) {
    edits = wanted.filter { index, replacement in
      guard source.items.indices.contains(index) else { return false }
      switch (replacement, source.items[index].value) {
      case (.value(let value), let current): return value != current
      case (.ciphertext(let text), .text(let current)),
        (.ciphertext(let text), .comment(let current)):
        return Array(text.utf8) != current
      default: return true
      }
    }
    try detachAliases()
  }

  /// Gives aliases values of their own where the value of their anchor changes.
  ///
  /// An alias says what its anchor says, and must not follow it into ciphertext of another path:
  /// upstream writes every alias out as a value of its own. The alias of one value can be written
  /// out in its place; that of a map or list would need text moved and indented anew, which is
  /// refused instead.
  private mutating func detachAliases() throws(Diagnostic) {
    let anchored = tree.extras.compactMap { $1.target }
    guard !anchored.isEmpty else { return }
    let changed = edits.keys.compactMap { index -> Int? in
      if case .node(let node) = body.spots[index] { node } else { nil }
    }
    let isChanged = Set(changed)
    for (index, spot) in body.spots.enumerated() {
      guard edits[index] == nil, case .node(let node) = spot,
        let target = tree.extras[node]?.target, isChanged.contains(target)
      else { continue }
      edits[index] = .value(source.items[index].value)
    }
    for target in Set(anchored) where tree.nodes[target].kind != .scalar {
      guard let inside = (target + 1..<tree.nodes[target].next).first(where: isChanged.contains)
      else { continue }
      let item = body.spots.firstIndex(of: .node(inside)) ?? 0
      throw refusal(
        "a value cannot change here", because: "it is part of a map or list that an alias repeats",
        at: item)
    }
  }

  private mutating func replace(_ index: Int, _ replacement: Replacement) throws(Diagnostic) {
    switch body.spots[index] {
    case .comment(let comment): replaceComment(comment, replacement)
    case .alias:
      throw refusal(
        "a value cannot change where an alias stands for it",
        because: "its text stands elsewhere; write the map or list out in place of the alias",
        at: index)
    case .node(let node):
      let value: SOPSValue =
        switch replacement {
        case .ciphertext(let text): .text(Array(text.utf8))
        case .value(let value): value
        }
      if source.format != .yaml { return try replaceJSON(node, value, item: index) }
      if case .comment(let text) = value { return try turnIntoComment(node, text, item: index) }
      try replace(node: node, with: value)
    }
  }

  private mutating func replaceComment(_ index: Int, _ replacement: Replacement) {
    let comment = tree.comments[index]
    let text: [UInt8] =
      switch replacement {
      case .ciphertext(let text): Array(text.utf8)
      case .value(.comment(let text)), .value(.text(let text)): text
      case .value(let value): Array("\(value)".utf8)
      }
    splices.replace(
      comment.start..<comment.end, with: commentLines(text, column: comment.column))
  }

  /// A comment's lines; more than one only when somebody encrypted such a comment.
  private func commentLines(_ text: [UInt8], column: Int) -> [UInt8] {
    let indent = Array(repeating: UInt8(ascii: " "), count: column)
    let lines = String(decoding: text, as: UTF8.self).split(omittingEmptySubsequences: false) {
      $0.isNewline
    }
    let written = lines.map { Array("#".utf8) + Array($0.utf8) }
    return Array(written.joined(separator: layout.lineBreak + indent))
  }

  private mutating func replaceJSON(
    _ node: Int, _ value: SOPSValue, item: Int
  ) throws(Diagnostic) {
    guard let text = JSONSpelling.spell(value) else {
      throw refusal(
        "JSON has no words for a value",
        because: "it is not a number, text or comment that JSON has",
        at: item)
    }
    splices.replace(tree.nodes[node].start..<tree.nodes[node].end, with: text)
  }

  // MARK: Values of YAML

  /// Writes a value in place of a scalar or of an alias of one.
  mutating func replace(node index: Int, with value: SOPSValue) throws(Diagnostic) {
    let node = tree.nodes[index]
    let extras = tree.extras[index]
    let spelled = YAMLSpelling.spell(value, at: position(of: index))
    let start = dropTag(index, for: value)
    let isBlock = node.style == .literal || node.style == .folded
    switch spelled {
    case .inline(let text):
      let head = isBlock ? headerEnd(node.start) : node.end
      splices.replace(start..<head, with: blankBefore(start, node) + text)
      if isBlock, let extras, node.end > extras.contentStart {
        splices.replace(layout.beforeBreak(extras.contentStart)..<node.end, with: [])
      }
    case .block(let header, let lines):
      let head = isBlock ? headerEnd(node.start) : node.end
      splices.replace(start..<head, with: blankBefore(start, node) + header)
      let indent = Array(
        repeating: UInt8(ascii: " "), count: position(of: index).contentIndent ?? 0)
      let content = lines.flatMap { layout.lineBreak + ($0.isEmpty ? [] : indent + $0) }
      let lineEnd = layout.lineEnd(head)
      splices.replace(lineEnd..<max(lineEnd, isBlock ? node.end : 0), with: content)
    }
  }

  /// Where a value may be written, and how.
  private mutating func position(of index: Int) -> YAMLSpelling.Position {
    let node = tree.nodes[index]
    var position = YAMLSpelling.Position(
      style: node.kind == .alias ? .plain : node.style, isInFlow: node.isInFlow,
      contentIndent: nil, parentIndent: node.parentIndent)
    // At the end of a text without a last line break a block would lose its own.
    guard !layout.lacksLastBreak else { return position }
    let wanted = max(node.parentIndent, 0) + indentation
    let isBlock = node.style == .literal || node.style == .folded
    let present = tree.extras[index]?.contentIndent ?? 0
    position.contentIndent = isBlock && present > max(node.parentIndent, 0) ? present : wanted
    return position
  }

  /// The end of a block's header: its mark with signs and digits.
  func headerEnd(_ start: Int) -> Int {
    var end = start + 1
    while end < layout.bytes.count, Array("+-0123456789".utf8).contains(layout.bytes[end]) {
      end += 1
    }
    return end
  }

  /// An empty value stands right behind its colon or dash.
  private func blankBefore(_ start: Int, _ node: TextNode) -> [UInt8] {
    guard start == node.end, start > 0 else { return [] }
    let before = layout.bytes[start - 1]
    return before == UInt8(ascii: " ") || before == 0x09 ? [] : [UInt8(ascii: " ")]
  }

  /// Where the new text starts.
  ///
  /// A tag that says what the old value was goes; `!!str` may stay with
  /// text, and with ciphertext, which is text.
  private mutating func dropTag(_ index: Int, for value: SOPSValue) -> Int {
    let node = tree.nodes[index]
    guard let tag = tree.extras[index]?.tag else { return node.start }
    if case .text(let text) = value, UTF8Step.isValid(text),
      tree.extras[index]?.meaning == "tag:yaml.org,2002:str"
    {
      return node.start
    }
    guard tree.extras[index]?.anchor != nil else { return tag.lowerBound }
    var end = tag.upperBound
    while end < node.start, layout.bytes[end] == UInt8(ascii: " ") { end += 1 }
    splices.replace(tag.lowerBound..<end, with: [])
    return node.start
  }

  /// Whether a node is given a new value.
  func isEdited(_ node: Int) -> Bool {
    edits.keys.contains { body.spots[$0] == .node(node) }
  }

  // MARK: Comments that stand as items

  private mutating func turnIntoComment(
    _ node: Int, _ text: [UInt8], item: Int
  ) throws(Diagnostic) {
    let parents = self.parents ?? TreeEdit.parents(of: tree)
    self.parents = parents
    let list = parents[node]
    let place = tree.nodes[node]
    let lineStart = layout.lineStart(place.start)
    let dash = layout.bytes[lineStart..<place.start].lastIndex(of: UInt8(ascii: "-"))
    guard list >= 0, tree.nodes[list].kind == .list, tree.nodes[list].style == .block,
      let dash, layout.bytes[lineStart..<dash].allSatisfy({ $0 == UInt8(ascii: " ") }),
      layout.bytes[(dash + 1)..<place.start].allSatisfy({ $0 == UInt8(ascii: " ") })
    else {
      throw refusal(
        "a comment cannot be written here", because: "it must stand on a line of its own", at: item)
    }
    var written = commentLines(text, column: dash - lineStart)
    if node == lastItem(of: list), becomesEmpty(list) {
      let indent = max(dash - lineStart, tree.nodes[list].parentIndent + 1)
      // Without an item the list would be read as nothing.
      written +=
        layout.lineBreak + Array(repeating: UInt8(ascii: " "), count: indent)
        + Array("[]".utf8)
    }
    splices.replace(dash..<place.end, with: written)
  }

  private func lastItem(of list: Int) -> Int {
    var index = list + 1
    while tree.nodes[index].next < tree.nodes[list].next { index = tree.nodes[index].next }
    return index
  }

  /// Whether every item of a list turns into a comment.
  private mutating func becomesEmpty(_ list: Int) -> Bool {
    let comments =
      commentsToBe
      ?? Set(
        edits.compactMap { index, replacement in
          guard case .node(let node) = body.spots[index], case .value(.comment) = replacement else {
            return nil
          }
          return node
        })
    commentsToBe = comments
    return tree.children(of: list).allSatisfy(comments.contains)
  }

  /// The map or list that holds each node.
  static func parents(of tree: TextTree) -> [Int] {
    var result = Array(repeating: -1, count: tree.nodes.count)
    var open: [Int] = []
    for index in tree.nodes.indices {
      while let last = open.last, tree.nodes[last].next <= index { open.removeLast() }
      result[index] = open.last ?? -1
      if tree.nodes[index].kind == .map || tree.nodes[index].kind == .list { open.append(index) }
    }
    return result
  }
}
