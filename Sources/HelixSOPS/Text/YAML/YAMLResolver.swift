/// Which type go-yaml gives a plain scalar; neither YAML 1.1 nor 1.2 says it so.
enum YAMLResolver {
  /// The value, or nil for an integer that fits only without a sign, which SOPS has no type for.
  static func resolve(_ bytes: [UInt8]) -> SOPSValue? {
    guard let first = bytes.first else { return .null }
    switch first {
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return number(bytes, first)
    case UInt8(ascii: "."):
      let text = String(decoding: bytes, as: UTF8.self)
      return words[text] ?? GoNumber.float(text).map { .number($0) } ?? .text(bytes)
    case UInt8(ascii: "t"), UInt8(ascii: "T"), UInt8(ascii: "f"), UInt8(ascii: "F"),
      UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "~"):
      guard bytes.count <= 5 else { return .text(bytes) }
      return words[String(decoding: bytes, as: UTF8.self)] ?? .text(bytes)
    default: return .text(bytes)
    }
  }

  private static let words: [String: SOPSValue] = {
    var table: [String: SOPSValue] = ["~": .null]
    for word in ["true", "True", "TRUE"] { table[word] = .boolean(true) }
    for word in ["false", "False", "FALSE"] { table[word] = .boolean(false) }
    for word in ["null", "Null", "NULL"] { table[word] = .null }
    for word in [".nan", ".NaN", ".NAN"] { table[word] = .number(.nan) }
    for word in [".inf", ".Inf", ".INF"] {
      table[word] = .number(.infinity)
      table["+" + word] = .number(.infinity)
      table["-" + word] = .number(-.infinity)
    }
    return table
  }()

  private static func number(_ bytes: [UInt8], _ first: UInt8) -> SOPSValue? {
    let text = String(decoding: bytes, as: UTF8.self)
    if let word = words[text] { return word }
    if let time = GoTime.parse(bytes) { return .time(time) }
    let plain = text.replacing("_", with: "")
    if let integer = GoNumber.integer(plain) { return .integer(integer) }
    if GoNumber.unsigned(plain) != nil { return nil }
    if GoNumber.looksLikeFloat(plain), let float = GoNumber.float(plain) {
      return .number(float)
    }
    for (prefix, radix) in [("0b", 2), ("0o", 8)] {
      // go-yaml reads what follows once more with its sign: "0b-1" is minus one.
      if plain.hasPrefix(prefix), let value = Int64(plain.dropFirst(2), radix: radix) {
        return .integer(value)
      }
    }
    return .text(bytes)
  }
}

/// Numbers as Go's strconv reads them.
enum GoNumber {
  /// `ParseInt` with base 0: the prefixes 0x, 0o, 0b, and 0 for octal.
  static func integer(_ text: String) -> Int64? {
    var body = text[...]
    let isNegative = body.first == "-"
    if isNegative || body.first == "+" { body = body.dropFirst() }
    guard let (digits, radix) = digits(body) else { return nil }
    return Int64((isNegative ? "-" : "") + digits, radix: radix)
  }

  /// `ParseUint` with base 0.
  static func unsigned(_ text: String) -> UInt64? {
    guard let (digits, radix) = digits(text[...]) else { return nil }
    return UInt64(digits, radix: radix)
  }

  private static func digits(_ text: Substring) -> (Substring, Int)? {
    guard text.first?.isHexDigit == true, text.first?.isASCII == true else { return nil }
    guard text.first == "0", text.utf8.count > 1 else { return (text, 10) }
    let (rest, radix): (Substring, Int) =
      switch text.dropFirst().first {
      case "x", "X": (text.dropFirst(2), 16)
      case "o", "O": (text.dropFirst(2), 8)
      case "b", "B": (text.dropFirst(2), 2)
      default: (text.dropFirst(), 8)
      }
    // A second sign is no digit, though Swift would take it.
    guard let first = rest.first, first.isHexDigit else { return nil }
    return (rest, radix)
  }

  /// go-yaml's `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`.
  static func looksLikeFloat(_ text: String) -> Bool {
    var rest = text.utf8[...]
    func isSign(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") }
    func takeDigits() -> Int {
      let count = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.count
      rest = rest.dropFirst(count)
      return count
    }
    if isSign(rest.first) { rest = rest.dropFirst() }
    let whole = takeDigits()
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      if takeDigits() == 0, whole == 0 { return false }
    } else if whole == 0 {
      return false
    }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      rest = rest.dropFirst()
      if isSign(rest.first) { rest = rest.dropFirst() }
      if takeDigits() == 0 { return false }
    }
    return rest.isEmpty
  }

  /// `ParseFloat` of decimal text; nil also where the number is too large for a double.
  static func float(_ text: String) -> Double? {
    guard let plain = withoutUnderscores(text), looksLikeFloat(plain) else { return nil }
    guard let value = Double(plain), value.isFinite else { return nil }
    return value
  }

  /// Underscores stand between digits only.
  private static func withoutUnderscores(_ text: String) -> String? {
    guard text.utf8.contains(UInt8(ascii: "_")) else { return text }
    let bytes = Array(text.utf8)
    func isDigit(_ index: Int) -> Bool {
      bytes.indices.contains(index)
        && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index])
    }
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
      guard isDigit(index - 1), isDigit(index + 1) else { return nil }
    }
    return text.replacing("_", with: "")
  }
}
