package import HelixModel

/// A file of secrets as text whose values can be replaced where they stand.
///
/// Nothing but what changes is written anew: comments, order, quotes, blank lines, indentation and
/// line endings stay byte for byte.
package struct SOPSText: Sendable {
  package let format: SOPSFormat
  package let file: String
  package let bytes: [UInt8]
  /// Values and comments in SOPS's order over all documents, without the `sops` blocks.
  package let items: [SOPSItem]
  /// The first document's `sops` block; nil when there is none.
  package let metadata: MetadataValue?
  /// What upstream cannot represent: reasons not to encrypt the file, none not to decrypt it.
  package let obstacles: [Diagnostic]
  /// Whether a document behind the first has a key of SOPS's own at its top.
  var hasLaterMetadata: Bool {
    guard case .tree(let tree) = body else { return false }
    return tree.metadataKeys.dropFirst().contains { $0 != nil }
  }
  /// How many documents the file has.
  package let documents: Int

  /// Where the items stand.
  let body: Body

  enum Body: Sendable {
    case tree(TreeBody)
    case lines(LinesBody)
    /// A binary file in clear.
    case whole
  }

  /// Reads a file; what cannot be read at all is thrown.
  package static func parse(
    _ bytes: [UInt8], format: SOPSFormat, file: String
  ) throws(Diagnostic) -> SOPSText {
    do {
      switch format {
      case .json: return try SOPSText(json: bytes, file: file)
      case .yaml: return try SOPSText(yaml: bytes, file: file)
      case .dotenv: return try DotenvParser.parse(bytes, file: file)
      case .ini: return try INIParser.parse(bytes, file: file)
      case .binary: return SOPSText(binary: bytes, file: file)
      }
    } catch {
      throw error.diagnostic(format: format, file: file, bytes: bytes)
    }
  }

  /// The text with some items replaced and with new metadata, or without any.
  ///
  /// Metadata with the same fields changes only where its values do; else its block is written
  /// anew. An edit that leaves an item as it is changes nothing.
  package func replacing(
    _ edits: [Int: Replacement], metadata: MetadataValue?
  ) throws(Diagnostic) -> [UInt8] {
    if format == .binary { return try replacingBinary(edits, metadata: metadata) }
    return switch body {
    case .whole: bytes
    case .lines(let lines): try LinesEdit.replacing(self, lines, edits, metadata: metadata)
    case .tree(let tree): try TreeEdit.replacing(self, tree, edits, metadata: metadata)
    }
  }
}

/// Where the items of YAML or JSON stand.
struct TreeBody: Sendable {
  var tree: TextTree
  /// The text with zeros behind it.
  var text: [UInt8]
  var spots: [TreeWalk.Spot]
  /// The key of every document's `sops` block.
  var metadataKeys: [Int?]
  var isJSON: Bool

  var values: TreeValue { TreeValue(tree: tree, scalar: YAMLScalar(text: text, isJSON: isJSON)) }
}

extension SOPSText {
  init(yaml bytes: [UInt8], file: String) throws(TextFault) {
    let (tree, text) = try YAMLParser.parse(bytes)
    try self.init(tree, text: text, bytes: bytes, format: .yaml, file: file)
  }

  init(json bytes: [UInt8], file: String) throws(TextFault) {
    let (tree, text) = try JSONParser.parse(bytes)
    try self.init(tree, text: text, bytes: bytes, format: .json, file: file)
  }

  init(
    _ tree: TextTree, text: [UInt8], bytes: [UInt8], format: SOPSFormat, file: String
  ) throws(TextFault) {
    var walk = TreeWalk(tree, text: text, bytes: bytes, format: format, file: file)
    try walk.walk()
    self.format = format
    self.file = file
    self.bytes = bytes
    items = walk.items
    obstacles = walk.obstacles
    documents = tree.documents.count
    let body = TreeBody(
      tree: tree, text: text, spots: walk.spots, metadataKeys: walk.metadataKeys,
      isJSON: format != .yaml)
    self.body = .tree(body)
    let key = walk.metadataKeys.first ?? nil
    metadata = try key.map { key throws(TextFault) in
      try TreeMetadata(body: body).value(tree.nodes[key].next)
    }
  }
}
