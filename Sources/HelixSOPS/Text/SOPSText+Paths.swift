package import HelixModel

/// Single values and subtrees by their path, in the first document.
extension SOPSText {
  /// What upstream prints for a path: text as it is, a map or list as a document of its own.
  package func excerpt(at path: [PathStep]) throws(Diagnostic) -> [UInt8] {
    guard case .tree(let tree) = body, format != .binary else { return try flatExcerpt(at: path) }
    guard let node = tree.node(at: path) else { throw missing(path) }
    let place = tree.tree.nodes[node]
    guard place.kind != .scalar else {
      let value = tree.values.value(of: node)
      switch value {
      case .text(let text): return text
      default:
        guard format == .yaml else { return JSONSpelling.spell(value) ?? [] }
        let text = value == .null ? Array("null".utf8) : FlatText.text(of: value)
        return text + [UInt8(ascii: "\n")]
      }
    }
    let layout = TextLayout(bytes)
    let start = layout.lineStart(place.start)
    let column = place.style == .block ? place.column : layout.indentation(start)
    var result: [UInt8] = []
    // What is indented is set back to the margin, but for text, whose lines may begin anywhere.
    var index = place.start
    while index < place.end {
      let next = min(layout.nextLine(index), place.end)
      result += bytes[index..<next]
      index = next
      var skipped = 0
      while skipped < column, index < place.end,
        bytes[index] == UInt8(ascii: " ")
          || bytes[index] == 0x09
      {
        index += 1
        skipped += 1
      }
    }
    return result + layout.lineBreak
  }

  private func flatExcerpt(at path: [PathStep]) throws(Diagnostic) -> [UInt8] {
    guard let item = items.first(where: { $0.place == path && !$0.isComment }) else {
      throw missing(path)
    }
    return FlatText.text(of: item.value)
  }

  /// The text with a value set at a path, as it is: maps and lists on the way that are missing are
  /// made, and what is new stands behind what is there.
  package func setting(
    _ value: SOPSTree, at path: [PathStep]
  ) throws(Diagnostic) -> [UInt8] {
    guard !path.isEmpty, path.first != .key("sops") else {
      throw refusal("nothing can be set here", because: "a path of a value is needed")
    }
    switch body {
    case .whole: throw refusal("nothing can be set here", because: "a binary file has no parts")
    case .lines(let lines): return try LinesEdit.setting(self, lines, value, at: path)
    case .tree(let tree):
      guard format != .binary else {
        throw refusal("nothing can be set here", because: "a binary file has no parts")
      }
      return try TreeEdit.setting(self, tree, value, at: path)
    }
  }

  private func missing(_ path: [PathStep]) -> Diagnostic {
    refusal("there is nothing at this path", because: "a key or index of it is missing")
  }

  func refusal(_ summary: String, because reason: String) -> Diagnostic {
    Diagnostic(summary, reason: reason, at: SourceLocation(file: file, line: 1, column: 1))
  }
}

extension SOPSItem {
  /// Whether it is a comment, in clear or as ciphertext of one.
  package var isComment: Bool {
    if case .comment = value { true } else { false }
  }
}

extension TreeBody {
  /// The node at a path of the first document; aliases lead to what they stand for.
  func node(at path: [PathStep]) -> Int? {
    guard var node = tree.documents.first?.root else { return nil }
    for step in path {
      guard let child = child(of: node, step) else { return nil }
      node = tree.extras[child]?.target ?? child
    }
    return node
  }

  /// The value of a key or index in a map or list.
  func child(of node: Int, _ step: PathStep) -> Int? {
    let children = tree.children(of: node)
    switch (step, tree.nodes[node].kind) {
    case (.index(let index), .list): return children.indices.contains(index) ? children[index] : nil
    case (.key(let name), .map):
      let wanted = Array(name.utf8)
      let index = stride(from: 0, to: children.count - 1, by: 2).first { index in
        let key = tree.extras[children[index]]?.target ?? children[index]
        return values.scalar.value(of: tree.nodes[key], extras: tree.extras[key]) == wanted
      }
      return index.map { children[$0 + 1] }
    default: return nil
    }
  }
}
