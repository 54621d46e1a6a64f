package import HelixModel

/// A value with values in it, which is to be written into a document.
package indirect enum SOPSTree: Hashable, Sendable {
  case leaf(SOPSValue)
  case list([SOPSTree])
  case map([Field])

  package struct Field: Hashable, Sendable {
    package var name: String
    package var value: SOPSTree

    package init(_ name: String, _ value: SOPSTree) {
      self.name = name
      self.value = value
    }
  }

  /// Reads a value of any kind from JSON; a whole number stays one.
  package init(json bytes: [UInt8], file: String) throws(Diagnostic) {
    do {
      let (tree, text) = try JSONParser.parse(bytes)
      let values = TreeValue(tree: tree, scalar: YAMLScalar(text: text, isJSON: true))
      self = Self.build(0, tree, values)
    } catch {
      throw error.diagnostic(format: .json, file: file, bytes: bytes)
    }
  }

  private static func build(_ node: Int, _ tree: TextTree, _ values: TreeValue) -> SOPSTree {
    let children = tree.children(of: node)
    switch tree.nodes[node].kind {
    case .scalar, .alias: return .leaf(values.value(of: node))
    case .list: return .list(children.map { build($0, tree, values) })
    case .map:
      return .map(
        stride(from: 0, to: children.count - 1, by: 2).map { index in
          let name = values.scalar.value(of: tree.nodes[children[index]], extras: nil)
          return Field(
            String(decoding: name, as: UTF8.self), build(children[index + 1], tree, values))
        })
    }
  }

  /// The value within the maps and lists that a path still asks for.
  func nested(under path: ArraySlice<PathStep>) -> SOPSTree {
    path.reversed().reduce(self) { inner, step in
      switch step {
      case .key(let name): .map([Field(name, inner)])
      case .index: .list([inner])
      }
    }
  }

  /// Whether it is a map or list with something in it.
  var isContainer: Bool {
    switch self {
    case .leaf: false
    case .list(let items): !items.isEmpty
    case .map(let fields): !fields.isEmpty
    }
  }
}

extension TextTree {
  /// What a map or list holds; of a map keys and values in turn.
  func children(of container: Int) -> [Int] {
    guard nodes[container].kind == .map || nodes[container].kind == .list else { return [] }
    var result: [Int] = []
    var index = container + 1
    while index < nodes[container].next {
      result.append(index)
      index = nodes[index].next
    }
    return result
  }
}
