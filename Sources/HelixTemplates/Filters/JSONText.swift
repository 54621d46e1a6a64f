internal import HelixModel

/// Values as Python's `json.dumps` writes them with Ansible's settings: ASCII only, on one line.
enum JSONText {
  static func string(of value: Value) -> String {
    switch value {
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    case .integer(let number): String(number)
    case .number(let number): self.number(number)
    case .text(let text): quoted(text)
    case .list(let nodes):
      "[" + nodes.map { string(of: $0.value) }.joined(separator: ", ") + "]"
    case .mapping(let mapping):
      "{"
        + mapping.entries.map { "\(quoted($0.key)): \(string(of: $0.value.value))" }
        .joined(separator: ", ") + "}"
    }
  }

  private static func number(_ number: Double) -> String {
    if number.isNaN { return "NaN" }
    guard number.isInfinite else { return number.description }
    return number < 0 ? "-Infinity" : "Infinity"
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for unit in text.utf16 {
      switch unit {
      case 0x22: quoted += "\\\""
      case 0x5C: quoted += "\\\\"
      case 0x0A: quoted += "\\n"
      case 0x0D: quoted += "\\r"
      case 0x09: quoted += "\\t"
      case 0x08: quoted += "\\b"
      case 0x0C: quoted += "\\f"
      case 0x20...0x7E: quoted.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
      default: quoted += "\\u" + PythonText.hexadecimal(UInt32(unit), digits: 4)
      }
    }
    return quoted + "\""
  }
}
