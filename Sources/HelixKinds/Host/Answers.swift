import HelixModel
package import HelixPlan

/// Text without the white space at its ends.
package func trimmed(_ text: some StringProtocol) -> String {
  var rest = Substring(text)
  while let first = rest.first, first.isWhitespace { rest.removeFirst() }
  while let last = rest.last, last.isWhitespace { rest.removeLast() }
  return String(rest)
}

extension FactAnswer {
  /// The answer's `name=value` lines.
  package var properties: [String: String] {
    var properties: [String: String] = [:]
    for line in output.split(separator: "\n") {
      guard let mark = line.firstIndex(of: "=") else { continue }
      properties[String(line[..<mark])] = String(line[line.index(after: mark)...])
    }
    return properties
  }
}

extension FieldChange {
  /// A field that differs; nil when it does not.
  package static func ifDifferent(
    _ name: String, before: String?, after: String?
  ) -> FieldChange? {
    before == after ? nil : FieldChange(name, before: before, after: after)
  }
}
