/// Writes values as JSON text with sorted keys and four blanks per level, byte for byte as
/// `ansible-inventory` prints them.
package enum JSONText {
  package static func write(_ node: Node) -> String { write(node.value) }

  package static func write(_ value: Value) -> String {
    var text = ""
    write(value, indent: 0, to: &text)
    return text
  }

  private static func write(_ value: Value, indent: Int, to text: inout String) {
    switch value {
    case .null: text += "null"
    case .bool(let truth): text += truth ? "true" : "false"
    case .integer(let number): text += String(number)
    case .number(let number): text += self.number(number)
    case .text(let string): quote(string, to: &text)
    case .hidden(let hidden): quote(hidden.shown, to: &text)
    case .list(let elements):
      writeAll(elements, brackets: ("[", "]"), indent: indent, to: &text) { element, text in
        write(element.value, indent: indent + 1, to: &text)
      }
    case .mapping(let mapping):
      // Python sorts keys by code point, Swift's strings by what they look like.
      let sorted = mapping.entries.sorted {
        $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars)
      }
      writeAll(sorted, brackets: ("{", "}"), indent: indent, to: &text) { entry, text in
        quote(entry.key, to: &text)
        text += ": "
        write(entry.value.value, indent: indent + 1, to: &text)
      }
    }
  }

  private static func writeAll<Element>(
    _ elements: [Element], brackets: (String, String), indent: Int, to text: inout String,
    each: (Element, inout String) -> Void
  ) {
    text += brackets.0
    for (position, element) in elements.enumerated() {
      text += position == 0 ? "\n" : ",\n"
      text += String(repeating: " ", count: 4 * (indent + 1))
      each(element, &text)
    }
    if !elements.isEmpty { text += "\n" + String(repeating: " ", count: 4 * indent) }
    text += brackets.1
  }

  private static func number(_ number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
    return "\(number)"
  }

  private static func quote(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{8}": text += "\\b"
      case "\u{C}": text += "\\f"
      case "\0"..<" ": text += "\\u" + hexadecimal(scalar.value)
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }

  private static func hexadecimal(_ number: UInt32) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}
