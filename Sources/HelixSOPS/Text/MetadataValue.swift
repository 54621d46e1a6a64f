/// What stands in a file's `sops` block, unknown parts included.
package indirect enum MetadataValue: Hashable, Sendable {
  case null
  case text(String)
  case integer(Int)
  case boolean(Bool)
  case list([MetadataValue])
  case fields([Field])

  package struct Field: Hashable, Sendable {
    package var name: String
    package var value: MetadataValue

    package init(_ name: String, _ value: MetadataValue) {
      self.name = name
      self.value = value
    }
  }
}

extension MetadataValue {
  /// The value with all fields in alphabetical order, as SOPS writes them since 3.13.
  var sorted: MetadataValue {
    switch self {
    case .list(let items): .list(items.map(\.sorted))
    case .fields(let fields):
      .fields(
        fields.map { Field($0.name, $0.value.sorted) }
          .sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) })
    default: self
    }
  }

  /// The value as part of a document.
  var tree: SOPSTree {
    switch self {
    case .list(let items): .list(items.map(\.tree))
    case .fields(let fields): .map(fields.map { SOPSTree.Field($0.name, $0.value.tree) })
    default: .leaf(leaf)
    }
  }

  /// A scalar as a document's value.
  var leaf: SOPSValue {
    switch self {
    case .text(let text): .text(Array(text.utf8))
    case .integer(let number): .integer(Int64(number))
    case .boolean(let flag): .boolean(flag)
    case .null, .list, .fields: .null
    }
  }
}
