import HelixModel

/// Sets values at paths of YAML and JSON.
extension TreeEdit {
  static func setting(
    _ source: SOPSText, _ body: TreeBody, _ value: SOPSTree, at path: [PathStep]
  ) throws(Diagnostic) -> [UInt8] {
    var edit = TreeEdit(source, body)
    guard var node = body.tree.documents.first?.root else {
      throw source.refusal("nothing can be set here", because: "the file is empty")
    }
    for (index, step) in path.enumerated() {
      let rest = path[(index + 1)...]
      switch (edit.tree.nodes[node].kind, step) {
      case (.map, .key), (.list, .index):
        guard let child = body.child(of: node, step) else {
          try edit.add(value.nested(under: rest), step, to: node)
          return edit.splices.applied(to: source.bytes)
        }
        node = child
      case (.map, _), (.list, _):
        throw source.refusal(
          "nothing can be set at this path", because: "a map has keys, and a list has indices")
      case (.alias, _):
        throw source.refusal(
          "nothing can be set at this path", because: "an alias stands for what holds it")
      case (.scalar, _):
        try edit.put(value.nested(under: path[index...]), in: node)
        return edit.splices.applied(to: source.bytes)
      }
    }
    try edit.put(value, in: node)
    return edit.splices.applied(to: source.bytes)
  }

  // MARK: In place of something

  private mutating func put(_ value: SOPSTree, in index: Int) throws(Diagnostic) {
    let node = tree.nodes[index]
    let isScalar = node.kind == .scalar || node.kind == .alias
    if index == tree.documents.first?.root { return try fill(value) }
    if case .leaf(let leaf) = value, isScalar, source.format == .yaml {
      return try replace(node: index, with: leaf)
    }
    guard source.format == .yaml, !node.isInFlow, node.style != .flow || isScalar else {
      let start = tree.extras[index]?.tag?.lowerBound ?? node.start
      let unit = brackets(index).unit
      let level = source.format == .json ? depth(of: index) : 0
      let writer = JSONWriter(
        unit: source.format == .json ? unit : nil, lineBreak: layout.lineBreak)
      return splices.replace(start..<node.end, with: writer.text(value, level: level))
    }
    guard tree.extras[index]?.tag == nil else {
      throw source.refusal(
        "nothing can be set at this path", because: "what stands there has a tag of its own")
    }
    if isScalar { try putBlock(value, inScalar: index) } else { putBlock(value, inBlock: index) }
  }

  /// A document without anything gets its first key.
  private mutating func fill(_ value: SOPSTree) throws(Diagnostic) {
    let document = tree.documents[0]
    let root = tree.nodes[document.root]
    guard case .map(let fields) = value, root.start == root.end else {
      throw source.refusal("nothing can be set here", because: "the document is no map")
    }
    let writer = YAMLBlockWriter(lineBreak: layout.lineBreak, base: 0, step: indentation)
    let lacksBreak = document.end == layout.bytes.count && layout.lacksLastBreak
    splices.insert((lacksBreak ? layout.lineBreak : []) + writer.lines(fields), at: document.end)
  }

  /// In place of a scalar: below a key on lines of its own, behind a dash on the same line.
  private mutating func putBlock(_ value: SOPSTree, inScalar index: Int) throws(Diagnostic) {
    let node = tree.nodes[index]
    let isBlock = node.style == .literal || node.style == .folded
    guard value.isContainer else {
      try replace(node: index, with: .text([]))
      return
    }
    let parent = TreeEdit.parents(of: tree)[index]
    let start = layout.lineStart(node.start)
    if tree.nodes[parent].kind == .list, tree.extras[index] == nil, node.start < node.end {
      let writer = YAMLBlockWriter(
        lineBreak: layout.lineBreak, base: node.start - start, step: indentation)
      return splices.replace(node.start..<node.end, with: writer.inPlace(value))
    }
    let column = max(node.parentIndent, 0) + indentation
    let writer = YAMLBlockWriter(lineBreak: layout.lineBreak, base: column, step: indentation)
    let text = layout.lineBreak + Array(repeating: 0x20, count: column) + writer.inPlace(value)
    let head = isBlock ? headerEnd(node.start) : node.end
    splices.replace(node.start..<head, with: [])
    let lineEnd = layout.lineEnd(head)
    splices.replace(lineEnd..<max(lineEnd, isBlock ? node.end : 0), with: text)
  }

  /// In place of a map or list by indentation, at its column.
  private mutating func putBlock(_ value: SOPSTree, inBlock index: Int) {
    let node = tree.nodes[index]
    // A list may stand at the column of its key, where nothing else may.
    let extra = node.column <= node.parentIndent ? indentation : 0
    let column = node.column + extra
    let writer = YAMLBlockWriter(lineBreak: layout.lineBreak, base: column, step: indentation)
    let text =
      value.isContainer
      ? writer.inPlace(value)
      : JSONWriter(
        unit: nil, lineBreak: layout.lineBreak
      ).text(value, level: 0)
    splices.replace(node.start..<node.end, with: Array(repeating: 0x20, count: extra) + text)
  }

  // MARK: Behind what is there

  private mutating func add(
    _ value: SOPSTree, _ step: PathStep, to container: Int
  ) throws(Diagnostic) {
    var name: String?
    if case .key(let key) = step { name = key }
    let node = tree.nodes[container]
    var children = tree.children(of: container)
    if container == tree.documents.first?.root, let key = body.metadataKeys.first ?? nil {
      children.removeAll { $0 == key || $0 == tree.nodes[key].next }
    }
    if node.style == .flow {
      return addInBrackets(value, name, to: container, behind: children.last)
    }
    let writer = YAMLBlockWriter(
      lineBreak: layout.lineBreak, base: node.column, step: indentation)
    let indent = Array(repeating: UInt8(ascii: " "), count: node.column)
    let text = indent + writer.entry(name, value)
    guard let last = children.last else {
      let start = layout.lineStart(tree.nodes[container + 1].start)
      return splices.insert(text + layout.lineBreak, at: start)
    }
    let leaf = tree.nodes[last].next - 1
    let leafEnd = max(tree.nodes[leaf].end, tree.nodes[last].end)
    var line = layout.nextLine(leafEnd)
    if keepsEmptyLines(leaf) {
      while line < layout.bytes.count, layout.lineEnd(line) == line { line = layout.nextLine(line) }
    }
    guard line < layout.bytes.count || !layout.lacksLastBreak else {
      if let document = tree.documents.first { stripChomping(document) }
      return splices.insert(layout.lineBreak + text, at: layout.bytes.count)
    }
    splices.insert(text + layout.lineBreak, at: line)
  }

  private func keepsEmptyLines(_ leaf: Int) -> Bool {
    let style = tree.nodes[leaf].style
    return (style == .literal || style == .folded)
      && YAMLScalar(text: body.text).chomping(tree.nodes[leaf].start) == UInt8(ascii: "+")
  }

  private mutating func addInBrackets(
    _ value: SOPSTree, _ name: String?, to container: Int, behind last: Int?
  ) {
    let node = tree.nodes[container]
    let level = source.format == .json ? depth(of: container) + 1 : 1
    let writer = brackets(container)
    let text =
      name.map { writer.member(SOPSTree.Field($0, value), level: level) }
      ?? writer.text(value, level: level)
    if let last {
      let comma = Array((writer.unit == nil ? ", " : ",").utf8)
      return splices.insert(comma + writer.gap(level) + text, at: tree.nodes[last].end)
    }
    guard node.next > container + 1 else {
      return splices.replace(
        (node.start + 1)..<(node.end - 1), with: writer.gap(level) + text + writer.gap(level - 1))
    }
    // Only the metadata is there, and stays behind.
    splices.insert(
      text + Array(",".utf8) + writer.gap(level), at: tree.nodes[container + 1].start)
  }

  /// How many maps and lists hold a node.
  private func depth(of node: Int) -> Int {
    let parents = TreeEdit.parents(of: tree)
    var depth = 0
    var index = parents[node]
    while index >= 0 {
      depth += 1
      index = parents[index]
    }
    return depth
  }

  /// A writer that indents as the text does around a node.
  private func brackets(_ node: Int) -> JSONWriter {
    guard source.format == .json, let document = tree.documents.first else {
      return JSONWriter(unit: nil, lineBreak: layout.lineBreak)
    }
    return writer(document)
  }
}
