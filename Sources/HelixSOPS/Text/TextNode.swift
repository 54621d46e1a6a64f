/// A value, key, map or list of a text with values in one another.
///
/// All nodes of a text stand in one array, each before what it holds; a map holds keys and values
/// in turn. Walking is counting up, and `next` leaps over what a node holds.
struct TextNode: Sendable {
  enum Kind: UInt8 {
    case scalar, map, list, alias
  }

  enum Style: UInt8 {
    case plain, single, double, literal, folded
    /// Maps and lists by indentation, and in brackets.
    case block, flow
  }

  var kind: Kind
  var style: Style
  /// Whether it stands between brackets, where the rules for plain text are tighter.
  var isInFlow: Bool
  /// The first byte of the value itself; what a tag or anchor takes stands before it.
  var start: Int
  /// Behind the last byte; for maps and lists by indentation the end of the last value.
  var end: Int
  /// The index behind everything that it holds.
  var next: Int
  /// The column of the keys or dashes of a map or list by indentation.
  var column: Int
  /// The indentation of the block that it stands in; minus one at a document's root.
  var parentIndent: Int
}

/// What few nodes have.
struct TextNodeExtras: Sendable {
  /// The tag's bytes, and what it means in full; nil when there is none.
  var tag: Range<Int>?
  var meaning: String?
  var anchor: String?
  /// The bytes of the anchor with its mark.
  var anchorRange: Range<Int>?
  /// Of a block scalar: where the first line of content begins, and its indentation.
  var contentStart = 0
  var contentIndent = 0
  /// Of an alias: the node that it stands for.
  var target: Int?
}
