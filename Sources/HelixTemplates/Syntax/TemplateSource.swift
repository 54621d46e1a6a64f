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
    origin.location(of: span.start..<max(span.start, span.end), in: text)
  }
}
