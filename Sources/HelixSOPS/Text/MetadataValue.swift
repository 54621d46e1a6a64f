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
