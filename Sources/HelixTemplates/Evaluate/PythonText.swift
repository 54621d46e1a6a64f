package import HelixModel

/// Values as Python writes them, because that is what templates put into files.
enum PythonText {
  /// Python's `str()`.
  static func string(of value: Value) -> String {
    if case .text(let text) = value { return text }
    if case .hidden(let text) = value { return text.shown }
    return representation(of: value)
  }

  /// Python's `repr()`.
  static func representation(of value: Value) -> String {
    switch value {
    case .null: "None"
    case .bool(let flag): flag ? "True" : "False"
    case .integer(let number): String(number)
    case .number(let number): number.description
    case .text(let text): quoted(text)
    // For people only: `HiddenText` refuses it where it would be written.
    case .hidden(let text): text.shown
    case .list(let nodes):
      "[" + nodes.map { representation(of: $0.value) }.joined(separator: ", ") + "]"
    case .mapping(let mapping):
      "{"
        + mapping.entries.map { "\(quoted($0.key)): \(representation(of: $0.value.value))" }
        .joined(separator: ", ") + "}"
    }
  }

  /// In single quotation marks, unless the text holds those and no double ones.
  private static func quoted(_ text: String) -> String {
    let mark: Unicode.Scalar =
      text.unicodeScalars.contains("'") && !text.unicodeScalars.contains("\"") ? "\"" : "'"
    var quoted = String(Character(mark))
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\", mark: quoted += "\\\(scalar)"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case _
      where scalar.value < 0x20 || (0x7F...0xA0).contains(scalar.value) || scalar == "\u{AD}":
        quoted += "\\x" + hexadecimal(scalar.value, digits: 2)
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    quoted.unicodeScalars.append(mark)
    return quoted
  }

  /// A number in lower-case hexadecimal digits, filled up with zeros.
  static func hexadecimal(_ number: UInt32, digits: Int) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}

extension Value {
  /// The text a template would write for it, with secrets by name: for people to read.
  package var templateText: String { PythonText.string(of: self) }

  /// The text a template would write for it; nil when that would need to know a secret.
  package var written: TemplateText? { try? HiddenText.text(of: self) }
}
