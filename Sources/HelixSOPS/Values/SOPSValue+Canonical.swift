extension SOPSValue {
  /// The bytes that are encrypted and counted; nil for null, which is neither.
  package var canonicalBytes: [UInt8]? {
    switch self {
    case .text(let bytes), .comment(let bytes): bytes
    case .integer(let number): Array(String(number).utf8)
    case .number(let number): Array(number.plainDecimal.utf8)
    case .boolean(let truth): Array((truth ? "True" : "False").utf8)
    case .time(let text): Array(text.utf8)
    case .null: nil
    }
  }

  /// The word for the type in a ciphertext; nil for null.
  package var typeName: String? {
    switch self {
    case .text: "str"
    case .integer: "int"
    case .number: "float"
    case .boolean: "bool"
    case .time: "time"
    case .comment: "comment"
    case .null: nil
    }
  }

  /// Whether both have the same type and bytes, which tells nought from minus nought.
  func isSame(as other: SOPSValue) -> Bool {
    typeName == other.typeName && canonicalBytes == other.canonicalBytes
  }

  var isComment: Bool {
    if case .comment = self { true } else { false }
  }

  /// The bytes of a text or comment.
  var textBytes: [UInt8]? {
    switch self {
    case .text(let bytes), .comment(let bytes): bytes
    default: nil
    }
  }
}

extension Double {
  /// The shortest decimal that reads back as this number, never with an exponent.
  var plainDecimal: String {
    guard isFinite else { return isNaN ? "NaN" : self < 0 ? "-Inf" : "+Inf" }
    // Swift's own text has the fewest digits already; only its exponent has to be spelled out.
    let text = magnitude.description
    let parts = text.split(separator: "e", maxSplits: 1)
    let exponent = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
    let halves = parts[0].split(separator: ".", maxSplits: 1)
    let fraction = halves.count == 2 && halves[1] != "0" ? String(halves[1]) : ""
    let digits = String(halves[0]) + fraction
    let point = halves[0].count + exponent
    return (sign == .minus ? "-" : "") + digits.withPoint(at: point)
  }
}

extension String {
  /// Digits with a decimal point behind so many of them, filled up with zeros, without idle ones.
  fileprivate func withPoint(at point: Int) -> String {
    var whole: String
    var fraction = ""
    if point <= 0 {
      whole = "0"
      fraction = String(repeating: "0", count: -point) + self
    } else if point >= count {
      whole = self + String(repeating: "0", count: point - count)
    } else {
      whole = String(prefix(point))
      fraction = String(dropFirst(point))
    }
    while fraction.hasSuffix("0") { fraction.removeLast() }
    while whole.count > 1, whole.hasPrefix("0") { whole.removeFirst() }
    return fraction.isEmpty ? whole : "\(whole).\(fraction)"
  }
}
