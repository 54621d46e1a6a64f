/// How far a text indents its maps.
enum YAMLIndentation {
  /// The distance of the first map in a map; SOPS's own when there is none.
  static func find(in tree: TextTree) -> Int {
    for node in tree.nodes where node.kind == .map && node.style == .block {
      if node.parentIndent >= 0, node.column > node.parentIndent {
        return min(node.column - node.parentIndent, 8)
      }
    }
    return 4
  }
}
