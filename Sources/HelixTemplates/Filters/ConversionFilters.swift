internal import HelixModel

extension Filter {
  /// Filters that turn one type into another, or into a text of some format.
  static let conversionFilters: [Filter] = [
    Filter("string") { use throws(Complaint) in .text(use.text) },
    Filter("int", ["default", "base"]) { use throws(Complaint) in
      wholeNumber(use.value, base: try use.integer(1) ?? 10) ?? use.arguments[0] ?? .integer(0)
    },
    Filter("float", ["default"]) { use throws(Complaint) in
      number(use.value).map(Value.number) ?? use.arguments[0] ?? .number(0)
    },
    Filter("bool") { use throws(Complaint) in try truth(use.value) },
    Filter("to_json") { use throws(Complaint) in .text(JSONText.string(of: use.value)) },
    Filter("b64encode") { use throws(Complaint) in .text(Base64.encode(Array(use.text.utf8))) },
  ]

  private static func wholeNumber(_ value: Value, base: Int) -> Value? {
    switch value {
    case .bool(let flag): return .integer(flag ? 1 : 0)
    case .integer: return value
    case .number(let number): return Int(exactly: number.rounded(.towardZero)).map(Value.integer)
    case .text(let text):
      if let whole = digits(text, base: base) { return .integer(whole) }
      guard let number = number(value) else { return nil }
      return Int(exactly: number.rounded(.towardZero)).map(Value.integer)
    default: return nil
    }
  }

  /// The whole number a text writes, as Python's `int(text, base)` reads it.
  private static func digits(_ text: String, base: Int) -> Int? {
    var body = stripped(text)
    let sign = body.first == "-" ? "-" : ""
    if body.first == "-" || body.first == "+" { body.removeFirst() }
    let prefixes = [16: "0x", 8: "0o", 2: "0b"]
    if let prefix = prefixes[base], body.lowercased().hasPrefix(prefix) { body.removeFirst(2) }
    guard (2...36).contains(base), body.first?.isHexDigit == true || body.first?.isLetter == true,
      body.last != "_", !body.contains("__")
    else { return nil }
    return Int(sign + body.filter { $0 != "_" }, radix: base)
  }

  private static func number(_ value: Value) -> Double? {
    switch value {
    case .bool(let flag): return flag ? 1 : 0
    case .integer(let number): return Double(number)
    case .number(let number): return number
    case .text(let text):
      let body = stripped(text)
      // Swift reads hexadecimal fractions, Python does not.
      return body.lowercased().contains("x") ? nil : Double(body)
    default: return nil
    }
  }

  private static func stripped(_ text: String) -> Substring {
    var body = text[...]
    while body.first?.isWhitespace == true { body.removeFirst() }
    while body.last?.isWhitespace == true { body.removeLast() }
    return body
  }

  private static func truth(_ value: Value) throws(Complaint) -> Value {
    let word = PythonText.string(of: value).lowercased()
    if ["yes", "on", "1", "true", "t", "y", "1.0"].contains(word) { return .bool(true) }
    if ["no", "off", "0", "false", "f", "n", "0.0"].contains(word) { return .bool(false) }
    throw Complaint(
      "\"\(word)\" is neither true nor false", reason: "Ansible takes it for false, with a warning",
      remedy: "write true or false")
  }
}
