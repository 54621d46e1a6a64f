internal import HelixModel

/// A template's text together with where it was written.
struct TemplateSource: Sendable {
  let text: String
  let origin: TextOrigin

  /// Turns a complaint into a message with a place.
  func diagnostic(_ complaint: Complaint, at span: Span) -> Diagnostic {
    Diagnostic(
      complaint.summary, reason: complaint.reason, remedy: complaint.remedy,
      at: location(of: complaint.span ?? span))
  }

  /// Where a stretch stands in the user's file; only worked out for messages.
  func location(of span: Span) -> SourceLocation {
    let scalars = Array(text.unicodeScalars)
    switch origin {
    case .file(let name):
      return Self.location(of: span, in: scalars, file: name)
    case .scalar(let start, let reader):
      guard let reader, let raw = (try? reader.text(of: start.file)) ?? nil else { return start }
      let file = Array(raw.unicodeScalars)
      guard let begin = Self.index(line: start.line, column: start.column, in: file) else {
        return start
      }
      let aligned = ScalarAlignment(decoded: scalars, raw: file, start: begin)
      guard let place = aligned.span(of: span) else { return start }
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
