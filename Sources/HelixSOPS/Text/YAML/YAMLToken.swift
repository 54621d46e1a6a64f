/// A token of YAML and the bytes that it takes.
struct YAMLToken {
  enum Kind: UInt8 {
    case streamEnd, documentStart, documentEnd, versionDirective, tagDirective
    case blockListStart, blockMapStart, blockEnd
    case flowListStart, flowListEnd, flowMapStart, flowMapEnd
    case blockEntry, flowEntry, key, value
    case alias, anchor, tag, scalar
  }

  var kind: Kind
  /// How a scalar is written.
  var style = TextNode.Style.plain
  var start: Int
  var end: Int
  /// The column of its first byte, from zero.
  var column: Int
  /// Where a block scalar's first line of content begins, and how far its content is indented.
  var contentStart = 0
  var contentIndent = 0
  /// The indentation of the block that a block scalar stands in.
  var parentIndent = 0

  init(_ kind: Kind, start: Int, end: Int, column: Int) {
    self.kind = kind
    self.start = start
    self.end = end
    self.column = column
  }
}

/// A comment as it stands in the text, from its mark to the end of the line.
struct YAMLComment {
  var start: Int
  var end: Int
  /// From zero.
  var column: Int
  /// Whether something other than a comment stands before it on its line.
  var isInline: Bool
}
