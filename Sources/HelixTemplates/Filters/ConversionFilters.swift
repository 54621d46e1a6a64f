internal import HelixModel

extension Filter {
  /// Filters that turn one type into another, or into a text of some format.
  static let conversionFilters: [Filter] = [
    Filter("string", takesSecrets: true) { use throws(Complaint) in
      HiddenText.value(of: try HiddenText.text(of: use.value))
    },
    Filter("int", ["default", "base"]) { use throws(Complaint) in
      wholeNumber(use.value, base: try use.integer(1) ?? 10) ?? use.arguments[0] ?? .integer(0)
    },
    Filter("float", ["default"]) { use throws(Complaint) in
      number(use.value).map(Value.number) ?? use.arguments[0] ?? .number(0)
    },
    Filter("bool") { use throws(Complaint) in try truth(use.value) },
    Filter("to_json", takesSecrets: true) { use throws(Complaint) in
      HiddenText.joined(try JSONText.texts(of: use.value))
    },
    coding(.encodedInBase64), coding(.decodedFromBase64), coding(.encodedForURLs),
    coding(.quotedForShell),
  ]

  /// A filter that writes text anew, secret or not.
  private static func coding(_ coding: SecretName.Coding) -> Filter {
    Filter(coding.rawValue, takesSecrets: true) { use throws(Complaint) in
      if coding == .encodedForURLs { try refuseQuery(use.value) }
      let isEmpty = coding == .quotedForShell && use.value == .null
      return try HiddenText.coded(isEmpty ? .text("") : use.value, coding)
    }
  }

  /// Of lists and mappings Jinja2 makes the query of a URL.
  private static func refuseQuery(_ value: Value) throws(Complaint) {
    switch value {
    case .list, .mapping:
      throw Complaint(
        "urlencode is supported for text only by this version",
        remedy: "write the query's parts, each through urlencode, joined with ~")
    default: break
    }
  }

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
