internal import HelixModel
internal import HelixTemplates

/// Takes apart arguments in one line: `name=web state=present`.
struct FreeForm {
  private let node: Node
  private let text: String
  private let scalars: [Unicode.Scalar]
  private let sources: any SourceReader

  init(_ text: String, in node: Node, sources: any SourceReader) {
    self.node = node
    self.text = text
    self.sources = sources
    scalars = Array(text.unicodeScalars)
  }

  /// The arguments in order; every value is text.
  func entries() throws(Diagnostics) -> [Mapping.Entry] {
    var entries: [Mapping.Entry] = []
    var problems: [Diagnostic] = []
    for word in words() {
      guard let sign = word.first(where: { scalars[$0] == "=" }), sign > word.lowerBound else {
        problems.append(
          Diagnostic(
            "\"\(slice(word))\" is no argument", reason: "arguments in one line are name=value",
            remedy: "write name=value, or a mapping", at: place(word)))
        continue
      }
      if let backslash = word.first(where: { scalars[$0] == "\\" }) {
        problems.append(
          Diagnostic(
            "a backslash cannot stand in arguments of one line",
            reason: "Ansible would take it for an escape", remedy: "write them as a mapping",
            at: place(backslash..<backslash + 1)))
        continue
      }
      let key = word.lowerBound..<sign
      let value = unquoted(sign + 1..<word.upperBound)
      entries.append(
        .init(
          key: slice(key), keyLocation: place(key),
          value: Node(.text(slice(value)), at: place(value))))
    }
    guard problems.isEmpty else { throw Diagnostics(problems) }
    return entries
  }

  /// Pieces between blanks, where quotation marks and `{{ }}` keep blanks together.
  private func words() -> [Range<Int>] {
    var words: [Range<Int>] = []
    var start: Int?
    var quote: Unicode.Scalar?
    var depth = 0
    for index in scalars.indices {
      let scalar = scalars[index]
      if scalar.properties.isWhitespace, quote == nil, depth == 0 {
        if let begin = start { words.append(begin..<index) }
        start = nil
        continue
      }
      start = start ?? index
      if scalar == quote {
        quote = nil
      } else if quote == nil, scalar == "'" || scalar == "\"" {
        quote = scalar
      } else if quote == nil {
        depth += scalar == "{" ? 1 : scalar == "}" ? -1 : 0
      }
    }
    if let begin = start { words.append(begin..<scalars.count) }
    return words
  }

  private func unquoted(_ range: Range<Int>) -> Range<Int> {
    guard range.count >= 2, let first = scalars[range].first, first == scalars[range].last,
      first == "'" || first == "\""
    else { return range }
    return range.lowerBound + 1..<range.upperBound - 1
  }

  private func slice(_ range: Range<Int>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars[range])
    return String(view)
  }

  private func place(_ range: Range<Int>) -> SourceLocation {
    TextOrigin.scalar(node.location, sources).location(of: range, in: text)
  }
}
