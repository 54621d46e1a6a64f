/// Colours and marks for people; every renderer takes one, so that text is a function of state.
package struct Style: Sendable, Equatable {
  enum Colour: String, Sendable {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
    case faint = "2"
    case bold = "1"
  }

  let isColoured: Bool

  package static let plain = Style(isColoured: false)
  package static let coloured = Style(isColoured: true)

  /// The text in a colour, if there are colours.
  func paint(_ text: String, _ colour: Colour) -> String {
    isColoured ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }
}

/// Text from machines made safe for a terminal: control characters are shown, never obeyed.
func printable(_ text: some StringProtocol) -> String {
  guard mayHoldControl(text) else { return String(text) }
  var safe = ""
  for scalar in text.unicodeScalars {
    if scalar.properties.generalCategory == .control && scalar != "\t" {
      safe += "\\u{\(String(scalar.value, radix: 16))}"
    } else {
      safe.unicodeScalars.append(scalar)
    }
  }
  return safe
}

/// Whether any byte could belong to a control character; a plan has a million lines of plain text,
/// and this is much faster than asking for every character's category.
private func mayHoldControl(_ text: some StringProtocol) -> Bool {
  // U+0080 to U+009F begin with 0xC2.
  text.utf8.contains { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F || $0 == 0xC2 }
}
