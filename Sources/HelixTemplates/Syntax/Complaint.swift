/// A stretch of a template, counted in Unicode scalars.
struct Span: Hashable, Sendable {
  var start: Int
  var end: Int

  /// From the start of one to the end of another.
  static func ... (first: Span, last: Span) -> Span { Span(start: first.start, end: last.end) }
}

/// What is wrong with a piece of a template, before its place in a file is known.
struct Complaint: Error {
  var summary: String
  var reason: String?
  var remedy: String?
  /// Nil when the one who noticed does not know the text, as in a filter.
  var span: Span?

  init(_ summary: String, reason: String? = nil, remedy: String? = nil, at span: Span? = nil) {
    self.summary = summary
    self.reason = reason
    self.remedy = remedy
    self.span = span
  }
}
