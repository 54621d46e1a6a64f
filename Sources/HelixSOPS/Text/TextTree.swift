/// The nodes of a text whose values stand in one another, YAML or JSON.
struct TextTree: Sendable {
  var nodes: [TextNode] = []
  /// What few nodes have, by their index.
  var extras: [Int: TextNodeExtras] = [:]
  var comments: [YAMLComment] = []
  var documents: [Document] = []

  /// One document of a text.
  struct Document: Sendable {
    /// The index of its root.
    var root: Int
    /// Where its content begins, behind its mark.
    var start: Int
    /// Where its text ends: before the next document's mark, or at the end of the text.
    var end: Int
  }
}
