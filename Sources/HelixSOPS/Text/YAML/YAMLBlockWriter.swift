/// Writes maps and lists as YAML by indentation, in the form that SOPS 3.13 gives its metadata.
struct YAMLBlockWriter {
  let lineBreak: [UInt8]
  /// The column of the outermost keys.
  let base: Int

  /// Lines for the fields of a map at the base.
  func text(_ fields: [MetadataValue.Field]) -> [UInt8] {
    var result: [UInt8] = []
    write(fields, column: 0, to: &result, isIndented: false)
    return result
  }

  /// SOPS indents by four, counted from the margin and not from the dash of an item.
  private func deeper(_ column: Int) -> Int { (column / 4 + 1) * 4 }

  private func indent(_ column: Int) -> [UInt8] {
    Array(repeating: UInt8(ascii: " "), count: base + column)
  }

  private func write(
    _ fields: [MetadataValue.Field], column: Int, to result: inout [UInt8], isIndented: Bool
  ) {
    for (index, field) in fields.enumerated() {
      if index > 0 || !isIndented { result += indent(column) }
      let name = YAMLSpelling.spell(
        .text(Array(field.name.utf8)),
        at: YAMLSpelling.Position(style: .plain, isInFlow: false, contentIndent: nil))
      if case .inline(let text) = name { result += text }
      result.append(UInt8(ascii: ":"))
      write(field.value, column: column, to: &result)
    }
  }

  /// What stands behind a key's colon.
  private func write(_ value: MetadataValue, column: Int, to result: inout [UInt8]) {
    switch value {
    case .fields(let fields) where !fields.isEmpty:
      result += lineBreak
      write(fields, column: deeper(column), to: &result, isIndented: false)
    case .list(let items) where !items.isEmpty:
      result += lineBreak
      write(items, column: deeper(column), to: &result, isIndented: false)
    default:
      result.append(UInt8(ascii: " "))
      writeLeaf(value, column: column, to: &result)
    }
  }

  private func write(
    _ items: [MetadataValue], column: Int, to result: inout [UInt8], isIndented: Bool
  ) {
    for (index, item) in items.enumerated() {
      if index > 0 || !isIndented { result += indent(column) }
      result += Array("- ".utf8)
      switch item {
      case .fields(let fields) where !fields.isEmpty:
        write(fields, column: column + 2, to: &result, isIndented: true)
      case .list(let items) where !items.isEmpty:
        write(items, column: column + 2, to: &result, isIndented: true)
      default: writeLeaf(item, column: column, to: &result)
      }
    }
  }

  private func writeLeaf(_ value: MetadataValue, column: Int, to result: inout [UInt8]) {
    switch value {
    case .list: result += Array("[]".utf8)
    case .fields: result += Array("{}".utf8)
    default:
      let position = YAMLSpelling.Position(
        style: .plain, isInFlow: false, contentIndent: base + deeper(column),
        parentIndent: base + column)
      switch YAMLSpelling.spell(value.leaf, at: position) {
      case .inline(let text): result += text
      case .block(let header, let lines):
        result += header
        for line in lines {
          result += lineBreak
          if !line.isEmpty { result += indent(deeper(column)) + line }
        }
      }
    }
    result += lineBreak
  }
}
