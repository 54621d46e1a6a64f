package import HelixModel

/// Where a template's text was written; decides how places are counted and how `\` is read.
package enum TextOrigin: Sendable {
  /// The text is a whole template file; strings in its expressions know `\n` and its like.
  case file(String)
  /// The text is a YAML scalar that begins at a place. YAML has already read its backslashes, so
  /// that in expressions they stand for themselves, as with Ansible. The reader serves messages:
  /// with it, they point into the scalar, without it, at its start.
  case scalar(SourceLocation, (any SourceReader)?)

  /// Where the text begins.
  package var start: SourceLocation {
    switch self {
    case .file(let name): SourceLocation(file: name, line: 1, column: 1)
    case .scalar(let location, _): location
    }
  }
}

extension TextOrigin {
  /// Where a stretch of the text, counted in Unicode scalars, stands in the user's file.
  ///
  /// It may read the file again, so it is for messages only.
  package func location(of range: Range<Int>, in text: String) -> SourceLocation {
    let scalars = Array(text.unicodeScalars)
    let span = Span(start: range.lowerBound, end: range.upperBound)
    switch self {
    case .file(let name):
      return Self.location(of: span, in: scalars, file: name)
    case .scalar(let start, let reader):
      guard let reader, let raw = (try? reader.text(of: start.file)) ?? nil else { return start }
      let file = Array(raw.unicodeScalars)
      guard let begin = Self.index(line: start.line, column: start.column, in: file),
        let place = ScalarAlignment(decoded: scalars, raw: file, start: begin).span(of: span)
      else { return start }
      return Self.location(of: place, in: file, file: start.file)
    }
  }

  private static func location(
    of span: Span, in scalars: [Unicode.Scalar], file: String
  ) -> SourceLocation {
    let before = scalars[..<min(span.start, scalars.count)]
    let lineStart = before.lastIndex(of: "\n").map { $0 + 1 } ?? 0
    let marked = scalars[before.endIndex..<min(max(span.end, before.endIndex), scalars.count)]
      .prefix { $0 != "\n" }
    return SourceLocation(
      file: file, line: before.count { $0 == "\n" } + 1,
      column: characters(scalars[lineStart..<before.endIndex]) + 1,
      length: max(1, characters(marked)))
  }

  private static func characters(_ scalars: ArraySlice<Unicode.Scalar>) -> Int {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text).count
  }

  private static func index(line: Int, column: Int, in scalars: [Unicode.Scalar]) -> Int? {
    var index = 0
    for _ in 1..<max(1, line) {
      guard let end = scalars[index...].firstIndex(of: "\n") else { return nil }
      index = end + 1
    }
    return index + column - 1 <= scalars.count ? index + column - 1 : nil
  }
}
