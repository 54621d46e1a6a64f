import HelixModel

/// Walks a tree of nodes as SOPS does and gathers its items, its metadata and what stands in the
/// way of encrypting it.
struct TreeWalk {
  /// Where an item stands in the text.
  enum Spot: Hashable, Sendable {
    case node(Int)
    case comment(Int)
    /// Below an alias of a map or list, whose text stands elsewhere.
    case alias(Int)
  }

  /// A map or list that is being walked.
  struct Frame {
    var node: Int
    var cursor: Int
    var end: Int
    var path: PathChain?
    var isMap: Bool
    var count = 0
    /// The last comment that counts for the next child, and what it was when the frame opened.
    var activeComment: Int
    var outerComment: Int
    /// The alias through which it is seen.
    var alias: Int?
    var keys: Set<String> = []
  }

  let tree: TextTree
  let text: [UInt8]
  let format: SOPSFormat
  let file: String
  let scalar: YAMLScalar

  var items: [SOPSItem] = []
  var spots: [Spot] = []
  var obstacles: [Diagnostic] = []
  /// The key of every document's `sops` block.
  var metadataKeys: [Int?] = []
  var frames: [Frame] = []
  var document = 0
  var nextComment = 0
  /// A comment behind brackets, which is walked before what is in them.
  var walkedComment = -1
  var commentTexts: [[UInt8]] = []
  var previousComments: [Int] = []
  private var cursor: PlaceCursor
  private var steps = 0
  private let limit: Int

  init(_ tree: TextTree, text: [UInt8], bytes: [UInt8], format: SOPSFormat, file: String) {
    self.tree = tree
    self.text = text
    self.format = format
    self.file = file
    scalar = YAMLScalar(text: text, isJSON: format != .yaml)
    cursor = PlaceCursor(file: file, bytes: bytes)
    limit = TextLimit.memory(for: bytes.count) - tree.memory
    items.reserveCapacity(tree.nodes.count / 2)
    spots.reserveCapacity(tree.nodes.count / 2)
  }

  mutating func walk() throws(TextFault) {
    for (number, place) in tree.documents.enumerated() {
      document = number
      metadataKeys.append(nil)
      let root = tree.nodes[place.root]
      if root.kind == .map {
        note(tagOf: place.root)
        open(place.root, path: nil, alias: nil)
        while !frames.isEmpty { try step() }
      } else {
        guard format == .yaml, root.kind == .scalar, isNull(place.root) else {
          throw TextFault(Self.noMap, at: root.start)
        }
        flushComments(before: place.end, next: nil)
      }
    }
    SOPSItem.bind(
      &items, to: CommentTable(texts: commentTexts, previous: previousComments))
  }

  static let noMap = "SOPS takes documents only that are maps of keys and values"

  func isNull(_ node: Int) -> Bool {
    tree.nodes[node].style == .plain && value(of: node) == .null
  }

  mutating func location(_ offset: Int) -> SourceLocation { cursor.location(of: offset) }

  // MARK: Frames

  mutating func open(_ node: Int, path: PathChain?, alias: Int?) {
    let active = frames.last?.activeComment ?? -1
    frames.append(
      Frame(
        node: node, cursor: node + 1, end: tree.nodes[node].next, path: path,
        isMap: tree.nodes[node].kind == .map, activeComment: active, outerComment: active,
        alias: alias))
  }

  private mutating func step() throws(TextFault) {
    steps += 1
    guard steps <= tree.nodes.count || (items.count + steps) * TextLimit.item <= limit * 2,
      items.count * TextLimit.item <= limit
    else {
      throw TextFault(TextLimit.tooMany, at: tree.nodes[frames[0].node].start)
    }
    let frame = frames[frames.count - 1]
    guard frame.cursor < frame.end else { return closeFrame() }
    if frame.isMap {
      try visitEntry(frame)
    } else {
      flushComments(before: tree.nodes[frame.cursor].start, next: frames.count - 1)
      let child = frame.cursor
      frames[frames.count - 1].cursor = tree.nodes[child].next
      frames[frames.count - 1].count += 1
      try visit(child, .index(frame.count))
    }
  }

  private mutating func closeFrame() {
    let frame = frames[frames.count - 1]
    if frame.alias == nil {
      let place = tree.documents[document]
      let following = frame.end
      // Documents stand one behind the other, and so do their nodes.
      let isInside =
        following < tree.nodes.count && tree.nodes[following].start < place.end
        && frames[0].end > following
      flushComments(
        before: isInside ? tree.nodes[following].start : place.end,
        next: frames.lastIndex { $0.cursor < $0.end })
    }
    frames.removeLast()
    finishChild()
  }

  /// A child that is no comment ends what the comments before it say.
  private mutating func finishChild() {
    guard let last = frames.indices.last else { return }
    frames[last].activeComment = frames[last].outerComment
  }

  private mutating func visitEntry(_ frame: Frame) throws(TextFault) {
    let key = frame.cursor
    let child = tree.nodes[key].next
    flushComments(before: tree.nodes[key].start, next: frames.count - 1)
    frames[frames.count - 1].cursor = tree.nodes[child].next
    let name = try self.name(of: key)
    if frames.count == 1, name == "sops", metadataKeys[document] == nil {
      metadataKeys[document] = key
      // What stands inside of the block, comments too, is not the document's.
      let end = tree.nodes[child].end
      while nextComment < tree.comments.count, tree.comments[nextComment].start < end {
        nextComment += 1
      }
      return
    }
    if frame.alias == nil {
      noteInlineComment(of: key, before: tree.nodes[child].start)
      if !frames[frames.count - 1].keys.insert(name).inserted {
        obstacle("a key stands twice in one map", at: key, because: "SOPS refuses such files")
      }
    }
    try visit(child, .key(name))
  }

  private mutating func visit(_ node: Int, _ step: PathStep) throws(TextFault) {
    let frame = frames[frames.count - 1]
    switch tree.nodes[node].kind {
    case .map, .list:
      guard frames.count < TextLimit.depth else {
        throw TextFault(TextLimit.tooDeep, at: tree.nodes[node].start)
      }
      if frame.alias == nil { note(tagOf: node) }
      let behind = frame.alias == nil ? commentBehindBrackets(node) : nil
      if let behind, !frame.isMap { add(comment: behind, to: frames.count - 1) }
      open(node, path: PathChain(frame.path, step), alias: frame.alias)
      if let behind, frame.isMap { add(comment: behind, to: frames.count - 1) }
    case .scalar:
      leaf(node, node, step)
      finishChild()
    case .alias:
      guard let target = tree.extras[node]?.target else { return }
      guard tree.nodes[target].kind != .scalar else {
        leaf(node, target, step)
        return finishChild()
      }
      guard frames.count < TextLimit.depth else {
        throw TextFault(TextLimit.tooDeep, at: tree.nodes[node].start)
      }
      open(target, path: PathChain(frame.path, step), alias: frame.alias ?? node)
    }
  }

  /// A value: the node that stands there, and the one that says what it is.
  private mutating func leaf(_ node: Int, _ source: Int, _ step: PathStep) {
    let frame = frames[frames.count - 1]
    if let alias = frame.alias {
      return append(source, step, at: .alias(alias), location: location(tree.nodes[alias].start))
    }
    flushComments(before: tree.nodes[node].start, next: frames.count - 1)
    let place = location(tree.nodes[node].start)
    noteInlineComment(of: node, before: followingStart(of: node))
    note(tagOf: node)
    append(source, step, at: .node(node), location: place)
  }

  private func followingStart(of node: Int) -> Int {
    let following = tree.nodes[node].next
    guard following < tree.nodes.count else { return .max }
    // An empty value stands where the next thing may start.
    return max(tree.nodes[following].start, tree.nodes[node].end)
  }

  private mutating func append(
    _ source: Int, _ step: PathStep, at spot: Spot, location: SourceLocation
  ) {
    let frame = frames[frames.count - 1]
    items.append(
      SOPSItem(
        document: document, holder: frame.path, step: step, value: value(of: source),
        activeComment: frame.activeComment, location: location))
    spots.append(spot)
  }

  /// Notes what stands in the way of encrypting.
  mutating func obstacle(_ summary: String, at node: Int, because reason: String) {
    guard obstacles.count < TextLimit.obstacles else { return }
    obstacles.append(
      Diagnostic(summary, reason: reason, at: location(tree.nodes[node].start)))
  }
}
