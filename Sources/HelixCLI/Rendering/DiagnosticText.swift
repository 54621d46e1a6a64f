import HelixInventory
import HelixModel

/// Diagnostics as people and editors read them.
struct DiagnosticText {
  let style: Style
  /// The text of a source file, for the line that is shown; nil when it cannot be had.
  let source: (String) -> String?

  init(style: Style = .plain, source: @escaping (String) -> String? = { _ in nil }) {
    self.style = style
    self.source = source
  }

  /// Several, each ended by a newline.
  func render(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map { render($0) + "\n" }.joined()
  }

  /// One, without a newline at its end.
  func render(_ diagnostic: Diagnostic) -> String {
    var lines = [headline(diagnostic)]
    if let location = diagnostic.location { lines += snippet(at: location) }
    if let evidence = diagnostic.evidence { lines += self.evidence(evidence) }
    if let reason = diagnostic.reason { lines.append(labelled("why", reason)) }
    if let remedy = diagnostic.remedy { lines.append(labelled("fix", remedy)) }
    return lines.joined(separator: "\n")
  }

  private func headline(_ diagnostic: Diagnostic) -> String {
    let colour: Style.Colour =
      switch diagnostic.severity {
      case .error: .red
      case .warning: .yellow
      case .note: .cyan
      }
    let severity = style.paint("\(diagnostic.severity.rawValue):", colour)
    let place = diagnostic.place.map { "\(placeText($0)): " } ?? ""
    return "\(place)\(severity) \(printable(diagnostic.summary))"
  }

  private func placeText(_ place: Diagnostic.Place) -> String {
    switch place {
    case .source(let location): location.description
    case .host(let host, let address?): "\(host) (\(address))"
    case .host(let host, nil): host.rawValue
    case .resource(let address): address.description
    }
  }

  private func snippet(at location: SourceLocation) -> [String] {
    // What should be encrypted may stand in plain text by mistake.
    guard !SealedVariables.isSealed(location.file), let text = source(location.file) else {
      return []
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.indices.contains(location.line - 1) else { return [] }
    let line = lines[location.line - 1]
    let number = String(location.line)
    let gutter = String(repeating: " ", count: max(0, 4 - number.count)) + number
    let blank = String(repeating: " ", count: gutter.count)
    // Tabs stay tabs, so that the marker stands under what it marks.
    let indent = line.prefix(location.column - 1).map { $0 == "\t" ? "\t" : " " }
    let room = max(1, line.count - (location.column - 1))
    let marker = String(repeating: "^", count: max(1, min(location.length, room)))
    return [
      style.paint("\(gutter) | ", .faint) + printable(line),
      style.paint("\(blank) | ", .faint) + indent.joined() + style.paint(marker, .red),
    ]
  }

  private func evidence(_ evidence: Diagnostic.Evidence) -> [String] {
    let status = evidence.status.map { "     exit \($0)" } ?? ""
    var lines = ["  ran: \(printable(evidence.command))\(status)"]
    if let first = evidence.lastLines.first {
      lines.append("  last lines: \(printable(first))")
      lines += evidence.lastLines.dropFirst().map { "              \(printable($0))" }
    }
    return lines
  }

  private func labelled(_ label: String, _ text: String) -> String {
    "\(style.paint("\(label):", .bold)) \(printable(text))"
  }
}
