import HelixModel
package import HelixPlan

/// Text without the white space at its ends.
package func trimmed(_ text: some StringProtocol) -> String {
  var rest = Substring(text)
  while let first = rest.first, first.isWhitespace { rest.removeFirst() }
  while let last = rest.last, last.isWhitespace { rest.removeLast() }
  return String(rest)
}

/// The words between white space, with one blank between them.
func singleSpaced(_ text: String) -> String {
  text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
}

/// Whether text has only ASCII letters, digits and the given further characters.
func isPlain(_ text: String, and further: String = "") -> Bool {
  text.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: further.utf8.contains(byte)
    }
  }
}

extension FactAnswer {
  /// The answer's lines; split by bytes, for Swift takes a carriage return and what follows it for
  /// one character.
  var lines: [Substring] {
    output.utf8.split(separator: UInt8(ascii: "\n")).map(Substring.init)
  }

  /// The answer's `name=value` lines.
  package var properties: [String: String] {
    var properties: [String: String] = [:]
    for line in lines {
      guard let mark = line.firstIndex(of: "=") else { continue }
      properties[String(line[..<mark])] = String(line[line.index(after: mark)...])
    }
    return properties
  }

  /// The values of all lines with one name, in order.
  func values(of name: String) -> [String] {
    lines.filter { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
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
