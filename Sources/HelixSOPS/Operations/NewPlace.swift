import HelixModel

/// Makes room in an encrypted file's text for a value that it does not have yet.
///
/// What was added is proved by reading the text again: everything else must be there as before.
struct NewPlace {
  let text: SOPSText
  let path: [PathStep]

  /// The text with an empty value at the path in its first document, and the value's index; nil
  /// when there is no map or list to add it to.
  func made() -> (text: SOPSText, index: Int)? {
    let insertion: Insertion? =
      switch text.format {
      case .yaml, .json: inTree()
      case .dotenv: inLines()
      case .ini: inSection()
      case .binary: nil
      }
    guard let insertion else { return nil }
    var bytes = text.bytes
    bytes.insert(contentsOf: insertion.bytes, at: insertion.offset)
    guard
      let made = try? SOPSText.parse(bytes, format: text.format, file: text.file),
      made.metadata == text.metadata, made.items.count == text.items.count + 1,
      let index = made.items.firstIndex(where: {
        $0.document == 0 && $0.place == path && $0.value == .text([])
      })
    else { return nil }
    var rest = made.items
    rest.remove(at: index)
    let isRest = zip(rest, text.items).allSatisfy { new, old in
      new.value.isSame(as: old.value) && new.place == old.place && new.document == old.document
    }
    return isRest ? (made, index) : nil
  }

  private struct Insertion {
    var offset: Int
    var bytes: [UInt8]

    init(_ text: String, at offset: Int) {
      self.offset = offset
      bytes = Array(text.utf8)
    }
  }

  private var layout: TextLayout { TextLayout(text.bytes) }
  private var lineBreak: String { String(decoding: layout.lineBreak, as: UTF8.self) }

  /// Lines at an offset where a line starts, or behind a last line without a break.
  private func lines(_ lines: [String], at offset: Int) -> Insertion {
    let joined = lines.joined(separator: lineBreak)
    return offset == text.bytes.count && layout.lacksLastBreak
      ? Insertion(lineBreak + joined, at: offset) : Insertion(joined + lineBreak, at: offset)
  }

  // MARK: Lines

  private func inLines() -> Insertion? {
    guard path.count == 1, case .key(let name) = path[0], !name.isEmpty,
      !name.utf8.contains(where: { [10, 61].contains($0) }), !name.hasPrefix("#")
    else { return nil }
    var offset = 0
    while offset < text.bytes.count, !text.bytes[offset...].starts(with: Array("sops_".utf8)) {
      offset = layout.nextLine(offset)
    }
    return lines(["\(name)="], at: offset)
  }

  private func inSection() -> Insertion? {
    guard path.count == 2, case .key(let name) = path[1],
      let last = text.items.last(where: { $0.place.count == 2 && $0.place[0] == path[0] })
    else { return nil }
    var offset = 0
    for _ in 0..<last.location.line { offset = layout.nextLine(offset) }
    return lines(["\(name) = "], at: offset)
  }
}

// MARK: - Trees

extension NewPlace {
  private func inTree() -> Insertion? {
    guard case .tree(let body) = text.body, let document = body.tree.documents.first else {
      return nil
    }
    let tree = body.tree
    let names = TreeMetadata(body: body)
    let metadataKey = body.metadataKeys.first ?? nil
    var holder = document.root
    for (depth, step) in path.enumerated() {
      let children = tree.children(of: holder)
      let isList = tree.nodes[holder].kind == .list
      guard isList || tree.nodes[holder].kind == .map else { return nil }
      var found: Int?
      switch step {
      case .index(let index):
        guard isList, index <= children.count else { return nil }
        found = index < children.count ? children[index] : nil
      case .key(let name):
        guard !isList else { return nil }
        let place = stride(from: 0, to: children.count - 1, by: 2).first {
          names.name(children[$0]) == name
        }
        if let place, holder == document.root, children[place] == metadataKey { return nil }
        found = place.map { children[$0 + 1] }
      }
      guard let found else { return insertion(path[depth...], in: holder, tree, metadataKey) }
      holder = found
    }
    return nil
  }

  private func insertion(
    _ rest: ArraySlice<PathStep>, in holder: Int, _ tree: TextTree, _ metadataKey: Int?
  ) -> Insertion? {
    let keys = Array(rest).keys
    guard rest.dropFirst().allSatisfy({ if case .key = $0 { true } else { false } }) else {
      return nil
    }
    let node = tree.nodes[holder]
    guard node.style == .block else {
      return inBrackets(member(keys), holder, tree, metadataKey)
    }
    var column = max(node.column, 0)
    var written: [String] = []
    func add(_ text: String) { written.append(String(repeating: " ", count: column) + text) }
    if node.kind == .list {
      guard rest.count == 1 else { return nil }
      add("- \"\"")
    } else {
      for (number, key) in keys.enumerated() {
        add(word(key) + (number == keys.count - 1 ? ": \"\"" : ":"))
        column += YAMLIndentation.find(in: tree)
      }
    }
    if let metadataKey, tree.nodes[tree.nodes[metadataKey].next].next == node.next,
      tree.documents[0].root == holder
    {
      return lines(written, at: layout.lineStart(tree.nodes[metadataKey].start))
    }
    let isAtLine = layout.beforeBreak(node.end) != node.end
    return lines(written, at: isAtLine ? node.end : layout.nextLine(node.end))
  }

  private func word(_ key: String) -> String {
    SOPSValue.text(Array(key.utf8)).quoted(isBare: text.format == .yaml)
  }

  /// A member of a map in brackets with an empty value, or an item of a list.
  private func member(_ keys: [String]) -> String {
    guard let first = keys.first else { return "\"\"" }
    let quoted = SOPSValue.text(Array(first.utf8)).quoted(isBare: false)
    let below = keys.dropFirst()
    return "\(quoted): " + (below.isEmpty ? "\"\"" : "{\(member(Array(below)))}")
  }

  private func inBrackets(
    _ member: String, _ holder: Int, _ tree: TextTree, _ metadataKey: Int?
  ) -> Insertion? {
    let children = tree.children(of: holder)
    guard let first = children.first else {
      return Insertion(member, at: tree.nodes[holder].start + 1)
    }
    let inner = text.bytes[(tree.nodes[holder].start + 1)..<tree.nodes[first].start]
    guard inner.allSatisfy({ [9, 10, 13, 32].contains($0) }) else { return nil }
    let gap = String(decoding: inner, as: UTF8.self)
    if first == metadataKey {
      return Insertion(member + "," + (gap.isEmpty ? " " : gap), at: tree.nodes[first].start)
    }
    var last = children[children.count - 1]
    if let metadataKey, tree.nodes[metadataKey].next == last, children.count > 2 {
      last = children[children.count - 3]
    }
    return Insertion("," + (gap.isEmpty ? " " : gap) + member, at: tree.nodes[last].end)
  }
}

extension TextTree {
  /// What a map or list holds: keys and values in turn, or values.
  func children(of holder: Int) -> [Int] {
    var children: [Int] = []
    var index = holder + 1
    while index < nodes[holder].next {
      children.append(index)
      index = nodes[index].next
    }
    return children
  }
}
