/// Writes maps and lists as YAML by indentation.
struct YAMLBlockWriter {
  let lineBreak: [UInt8]
  /// The column of the outermost keys or dashes.
  let base: Int
  /// How far what is in something is indented; nil for the form that SOPS 3.13 gives its metadata.
  var step: Int?

  /// Lines for the fields of a map at the base, each with its break.
  func lines(_ fields: [SOPSTree.Field]) -> [UInt8] {
    var result: [UInt8] = []
    write(fields, column: 0, to: &result, isIndented: false)
    return result
  }

  /// A map or list whose first line is indented already, and whose last line has no break.
  func inPlace(_ tree: SOPSTree) -> [UInt8] {
    var result: [UInt8] = []
    switch tree {
    case .map(let fields): write(fields, column: 0, to: &result, isIndented: true)
    case .list(let items): write(items, column: 0, to: &result, isIndented: true)
    case .leaf: writeLeaf(tree, column: 0, to: &result)
    }
    return result.dropLast(lineBreak.count)
  }

  /// A key or dash with what stands behind it, not indented, its last line without a break.
  func entry(_ name: String?, _ value: SOPSTree) -> [UInt8] {
    inPlace(name.map { .map([SOPSTree.Field($0, value)]) } ?? .list([value]))
  }

  /// SOPS indents by four, counted from the margin and not from the dash of an item.
  private func deeper(_ column: Int) -> Int { step.map { column + $0 } ?? (column / 4 + 1) * 4 }

  private func indent(_ column: Int) -> [UInt8] {
    Array(repeating: UInt8(ascii: " "), count: base + column)
  }

  private func write(
    _ fields: [SOPSTree.Field], column: Int, to result: inout [UInt8], isIndented: Bool
  ) {
    for (index, field) in fields.enumerated() {
      if index > 0 || !isIndented { result += indent(column) }
      let name = YAMLSpelling.spell(
        .text(Array(field.name.utf8)),
        at: YAMLSpelling.Position(style: .plain, isInFlow: false, contentIndent: nil))
      if case .inline(let text) = name { result += text }
      result.append(UInt8(ascii: ":"))
      guard field.value.isContainer else {
        result.append(UInt8(ascii: " "))
        writeLeaf(field.value, column: column, to: &result)
        continue
      }
      result += lineBreak
      switch field.value {
      case .map(let fields): write(fields, column: deeper(column), to: &result, isIndented: false)
      case .list(let items): write(items, column: deeper(column), to: &result, isIndented: false)
      case .leaf: break
      }
    }
  }

  private func write(
    _ items: [SOPSTree], column: Int, to result: inout [UInt8], isIndented: Bool
  ) {
    for (index, item) in items.enumerated() {
      if index > 0 || !isIndented { result += indent(column) }
      result += Array("- ".utf8)
      switch item {
      case .map(let fields) where !fields.isEmpty:
        write(fields, column: column + 2, to: &result, isIndented: true)
      case .list(let items) where !items.isEmpty:
        write(items, column: column + 2, to: &result, isIndented: true)
      default: writeLeaf(item, column: column, to: &result)
      }
    }
  }

  private func writeLeaf(_ value: SOPSTree, column: Int, to result: inout [UInt8]) {
    switch value {
    case .list: result += Array("[]".utf8)
    case .map: result += Array("{}".utf8)
    case .leaf(let value):
      let position = YAMLSpelling.Position(
        style: .plain, isInFlow: false, contentIndent: base + deeper(column),
        parentIndent: base + column)
      switch YAMLSpelling.spell(value, at: position) {
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
