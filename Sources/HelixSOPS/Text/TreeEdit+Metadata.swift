import HelixModel

/// The `sops` blocks of YAML and JSON.
extension TreeEdit {
  /// Makes the block of every document say what is given, or takes it away.
  mutating func setMetadata(_ metadata: MetadataValue?) throws(Diagnostic) {
    for (number, document) in tree.documents.enumerated() {
      let key = body.metadataKeys[number]
      switch (metadata, key) {
      case (nil, nil): break
      case (nil, let key?): remove(key, document)
      case (let metadata?, nil): try append(metadata, document)
      case (let metadata?, let key?):
        let value = tree.nodes[key].next
        if hasShape(of: metadata, value) {
          try update(value, to: metadata)
        } else if isInBrackets(document) {
          let start = tree.nodes[key].start
          splices.replace(
            start..<tree.nodes[value].end,
            with: writer(document).member(Self.field(metadata), level: 1))
        } else {
          let start = layout.lineStart(tree.nodes[key].start)
          let text = block(metadata, document)
          let end = layout.lineEnd(tree.nodes[value].end)
          splices.replace(start..<end, with: Array(text.dropLast(layout.lineBreak.count)))
        }
      }
    }
  }

  private static func field(_ metadata: MetadataValue) -> SOPSTree.Field {
    SOPSTree.Field("sops", metadata.sorted.tree)
  }

  func isInBrackets(_ document: TextTree.Document) -> Bool {
    tree.nodes[document.root].style == .flow
  }

  // MARK: Changing scalars only

  /// Whether a value has the same fields and lengths as the text has.
  private func hasShape(of value: MetadataValue, _ node: Int) -> Bool {
    let place = tree.nodes[node]
    switch (value, place.kind) {
    case (.list(let items), .list):
      let nodes = tree.children(of: node)
      return items.count == nodes.count && zip(items, nodes).allSatisfy { hasShape(of: $0, $1) }
    case (.fields(let fields), .map):
      let entries = entries(of: node)
      guard fields.count == entries.count else { return false }
      return fields.allSatisfy { field in
        entries[field.name].map { hasShape(of: field.value, $0) } ?? false
      }
    case (.list, _), (.fields, _), (_, .map), (_, .list), (_, .alias): return false
    default: return true
    }
  }

  private mutating func update(_ node: Int, to value: MetadataValue) throws(Diagnostic) {
    switch value {
    case .list(let items):
      for (item, child) in zip(items, tree.children(of: node)) { try update(child, to: item) }
    case .fields(let fields):
      let entries = entries(of: node)
      for field in fields {
        if let child = entries[field.name] { try update(child, to: field.value) }
      }
    default:
      guard (try? TreeMetadata(body: body).value(node)) != value else { return }
      if source.format == .yaml {
        try replace(node: node, with: value.leaf)
      } else {
        splices.replace(
          tree.nodes[node].start..<tree.nodes[node].end,
          with: JSONSpelling.spell(value.leaf) ?? [])
      }
    }
  }

  /// The values of a map by their keys.
  private func entries(of map: Int) -> [String: Int] {
    let nodes = tree.children(of: map)
    let names = TreeMetadata(body: body)
    return stride(from: 0, to: nodes.count - 1, by: 2).reduce(into: [:]) { result, index in
      result[names.name(nodes[index])] = nodes[index + 1]
    }
  }

  // MARK: Whole blocks

  /// The block as SOPS 3.13 writes it, line break included.
  private func block(_ metadata: MetadataValue, _ document: TextTree.Document) -> [UInt8] {
    let root = tree.nodes[document.root]
    let writer = YAMLBlockWriter(
      lineBreak: layout.lineBreak, base: root.kind == .map ? root.column : 0)
    return writer.lines([Self.field(metadata)])
  }

  private mutating func append(
    _ metadata: MetadataValue, _ document: TextTree.Document
  ) throws(Diagnostic) {
    let root = tree.nodes[document.root]
    guard root.kind == .map || root.start == root.end,
      tree.extras[document.root] == nil
        || root.kind == .map
    else {
      throw Diagnostic(
        "nothing can be added to a document that is null",
        remedy: "leave the document empty, or write a map",
        at: .source(SourceLocation(file: source.file, line: 1, column: 1)))
    }
    if isInBrackets(document) { return insertInBrackets(metadata, document) }
    let text = block(metadata, document)
    let end = document.end
    if end == layout.bytes.count, layout.lacksLastBreak {
      stripChomping(document)
      splices.insert(
        layout.lineBreak + text.dropLast(layout.lineBreak.count), at: end)
    } else {
      splices.insert(text, at: end)
    }
  }

  /// A block of text at the very end has no last line break, and must not get one in its value.
  mutating func stripChomping(_ document: TextTree.Document) {
    guard let last = lastLeaf(document) else { return }
    let start = tree.nodes[last].start + 1
    var end = start
    while end < layout.bytes.count, Array("123456789".utf8).contains(layout.bytes[end]) { end += 1 }
    let sign = end < layout.bytes.count ? layout.bytes[end] : 0
    if sign == UInt8(ascii: "-") { return }
    splices.replace(end..<(sign == UInt8(ascii: "+") ? end + 1 : end), with: "-")
  }

  /// The block of text that ends a document's content, the `sops` block left out, if it stays.
  private func lastLeaf(_ document: TextTree.Document) -> Int? {
    let root = tree.nodes[document.root]
    guard root.kind == .map else { return nil }
    let number = tree.documents.firstIndex { $0.root == document.root } ?? 0
    var last = root.next - 1
    if let key = body.metadataKeys[number], tree.nodes[tree.nodes[key].next].next == root.next {
      last = key - 1
    }
    guard last > document.root else { return nil }
    let style = tree.nodes[last].style
    guard style == .literal || style == .folded, !isEdited(last) else { return nil }
    return last
  }

  private mutating func remove(_ key: Int, _ document: TextTree.Document) {
    let value = tree.nodes[tree.nodes[key].next]
    if isInBrackets(document) { return removeFromBrackets(key, document) }
    let start = layout.lineStart(tree.nodes[key].start)
    let end = layout.nextLine(value.end)
    guard end == layout.bytes.count, layout.lacksLastBreak else {
      return splices.replace(start..<end, with: [])
    }
    // The text had no last line break before the block was added, unless a block of text needs it.
    let keepsBreak = lastLeaf(document).map {
      YAMLScalar(text: body.text).chomping(tree.nodes[$0].start) != UInt8(ascii: "-")
    }
    splices.replace((keepsBreak == true ? start : layout.beforeBreak(start))..<end, with: [])
  }

  // MARK: Brackets

  func writer(_ document: TextTree.Document) -> JSONWriter {
    let root = tree.nodes[document.root]
    let first = root.next > document.root + 1 ? tree.nodes[document.root + 1].start : root.end - 1
    let inner = layout.bytes[(root.start + 1)..<first]
    guard let lineBreak = inner.lastIndex(of: 0x0A) else {
      let isEmpty = root.next == document.root + 1
      return JSONWriter(
        unit: isEmpty ? [0x09] : nil, lineBreak: layout.lineBreak)
    }
    let unit = Array(inner[(lineBreak + 1)...].prefix { $0 == 0x20 || $0 == 0x09 })
    return JSONWriter(unit: unit, lineBreak: layout.lineBreak)
  }

  private mutating func insertInBrackets(
    _ metadata: MetadataValue, _ document: TextTree.Document
  ) {
    let root = tree.nodes[document.root]
    let writer = writer(document)
    let member = writer.gap(1) + writer.member(Self.field(metadata), level: 1)
    guard root.next > document.root + 1 else {
      let inside = (root.start + 1)..<(root.end - 1)
      return splices.replace(inside, with: member + writer.gap(0))
    }
    var last = document.root + 1
    while tree.nodes[last].next < root.next { last = tree.nodes[last].next }
    splices.insert(Array((writer.unit == nil ? ", " : ",").utf8) + member, at: tree.nodes[last].end)
  }

  private mutating func removeFromBrackets(_ key: Int, _ document: TextTree.Document) {
    let root = tree.nodes[document.root]
    let value = tree.nodes[tree.nodes[key].next]
    if key > document.root + 1 {
      var before = document.root + 1
      while tree.nodes[before].next < key { before = tree.nodes[before].next }
      return splices.replace(tree.nodes[before].end..<value.end, with: [])
    }
    if value.next < root.next {
      return splices.replace(tree.nodes[key].start..<tree.nodes[value.next].start, with: [])
    }
    splices.replace((root.start + 1)..<(root.end - 1), with: [])
  }
}
