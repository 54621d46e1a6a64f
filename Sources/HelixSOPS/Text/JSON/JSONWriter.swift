/// Writes values as JSON, which YAML's brackets take as well.
struct JSONWriter {
  /// One level's indentation; nil writes all on one line.
  var unit: [UInt8]?
  var lineBreak: [UInt8]

  /// The text of a value that stands so many levels deep.
  func text(_ value: SOPSTree, level: Int) -> [UInt8] {
    switch value {
    case .leaf(let leaf): JSONSpelling.spell(leaf) ?? Array("null".utf8)
    case .list(let items): brackets("[", "]", items.map { text($0, level: level + 1) }, level)
    case .map(let fields): brackets("{", "}", fields.map { member($0, level: level + 1) }, level)
    }
  }

  /// A key and its value; YAML needs the blank between them.
  func member(_ field: SOPSTree.Field, level: Int) -> [UInt8] {
    JSONString.quoted(Array(field.name.utf8)) + Array(": ".utf8) + text(field.value, level: level)
  }

  /// The line break and indentation before something so many levels deep.
  func gap(_ level: Int) -> [UInt8] {
    guard let unit else { return [] }
    return lineBreak + Array(repeating: unit, count: level).flatMap { $0 }
  }

  private func brackets(
    _ first: String, _ last: String, _ parts: [[UInt8]], _ level: Int
  ) -> [UInt8] {
    guard !parts.isEmpty else { return Array((first + last).utf8) }
    var result = Array(first.utf8)
    for (index, part) in parts.enumerated() {
      if index > 0 { result += Array((unit == nil ? ", " : ",").utf8) }
      result += gap(level + 1) + part
    }
    return result + gap(level) + Array(last.utf8)
  }
}
