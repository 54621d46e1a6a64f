internal import HelixModel

/// Reads unquoted scalars as YAML 1.1 does in PyYAML, and so in Ansible.
///
/// `yes` and `off` are truth values, `0644` is octal, `1:30` counts in sixties, and `1e3`, having
/// no point, is text. Timestamps stay text, which is how Ansible prints them; so do whole numbers
/// that do not fit in 64 bits, because no digit may be lost.
enum PlainScalar {
  /// The value that an unquoted scalar stands for.
  static func value(of text: String) -> Value {
    if let constant = constants[text] { return constant }
    guard let first = text.utf8.first, startsNumber(first) else { return .text(text) }
    if let number = integer(text) { return .integer(number) }
    if let number = float(text) { return .number(number) }
    return .text(text)
  }

  private static let constants: [String: Value] = {
    var table: [String: Value] = [
      "": .null, "~": .null, "null": .null, "Null": .null, "NULL": .null,
    ]
    for (word, value) in [
      ("yes", true), ("no", false), ("true", true), ("false", false), ("on", true), ("off", false),
    ] {
      for form in [word, word.capitalizedASCII, word.uppercased()] { table[form] = .bool(value) }
    }
    return table
  }()

  private static func startsNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
      UInt8(ascii: "."):
      true
    default: false
    }
  }

  private static func integer(_ text: String) -> Int? {
    let (sign, body) = signed(text)
    if body.hasPrefix("0b") { return based(body.dropFirst(2), radix: 2, sign) }
    if body.hasPrefix("0x") { return based(body.dropFirst(2), radix: 16, sign) }
    if body == "0" { return 0 }
    if body.hasPrefix("0") { return based(body, radix: 8, sign) }
    guard body.contains(":") else { return based(body, radix: 10, sign) }
    guard !body.contains(".") else { return nil }
    return sexagesimal(body).flatMap { Int(exactly: $0) }.map { sign * $0 }
  }

  private static func float(_ text: String) -> Double? {
    let (sign, body) = signed(text)
    switch body {
    case ".inf", ".Inf", ".INF": return sign < 0 ? -.infinity : .infinity
    case ".nan", ".NaN", ".NAN": return text == body ? .nan : nil
    default: break
    }
    guard let point = body.firstIndex(of: ".") else { return nil }
    if body[..<point].contains(":") {
      return sexagesimal(body).map { Double(sign) * $0 }
    }
    // A sign needs a digit before the point: "-.5" is text.
    guard text == body || point != body.startIndex else { return nil }
    return decimalFraction(body, point: point).map { Double(sign) * $0 }
  }

  /// `12.5`, `12.`, `.5`, each with an exponent that carries its own sign, as YAML 1.1 wants it.
  private static func decimalFraction(_ body: Substring, point: Substring.Index) -> Double? {
    let tail = body[body.index(after: point)...]
    let exponentAt = tail.firstIndex { $0 == "e" || $0 == "E" }
    let fraction = tail[..<(exponentAt ?? tail.endIndex)]
    let whole = body[..<point]
    guard whole.allSatisfy(isDigitOrBar), fraction.allSatisfy(isDigitOrBar),
      whole.first?.isNumber ?? fraction.first?.isNumber ?? false
    else { return nil }
    var exponent = ""
    if let exponentAt {
      let power = tail[tail.index(after: exponentAt)...]
      guard let sign = power.first, sign == "+" || sign == "-", power.count > 1,
        power.dropFirst().allSatisfy({ isDigitOrBar($0) && $0 != "_" })
      else { return nil }
      exponent = "e\(power)"
    }
    let digits = { (part: Substring) in part.filter { $0 != "_" } }
    return Double("0\(digits(whole)).\(digits(fraction))0\(exponent)")
  }

  private static func signed(_ text: String) -> (sign: Int, body: Substring) {
    switch text.first {
    case "-": (-1, text.dropFirst())
    case "+": (1, text.dropFirst())
    default: (1, text[...])
    }
  }

  private static func based(_ digits: Substring, radix: Int, _ sign: Int) -> Int? {
    guard let first = digits.first, first != "+", first != "-",
      radix != 10 || first != "_"
    else { return nil }
    let bare = digits.filter { $0 != "_" }
    guard !bare.isEmpty else { return nil }
    return Int((sign < 0 ? "-" : "") + bare, radix: radix)
  }

  /// `1:30:05` or `1:30.5`, in sixties; no part after the first may reach sixty.
  private static func sexagesimal(_ body: Substring) -> Double? {
    let parts = body.split(separator: ":", omittingEmptySubsequences: false)
    guard let first = parts.first?.first, first.isASCII, first.isNumber else { return nil }
    var total = 0.0
    for (position, part) in parts.enumerated() {
      let digits = part.filter { $0 != "_" }
      guard digits.allSatisfy({ isDigitOrBar($0) || $0 == "." }),
        position == parts.count - 1 || !digits.contains("."), let number = Double("0\(digits)"),
        position == 0 || number < 60
      else { return nil }
      total = total * 60 + number
    }
    return total
  }

  private static func isDigitOrBar(_ character: Character) -> Bool {
    character == "_" || ("0"..."9").contains(character)
  }
}

extension String {
  /// The text with its first letter in upper case.
  fileprivate var capitalizedASCII: String {
    prefix(1).uppercased() + dropFirst()
  }
}
