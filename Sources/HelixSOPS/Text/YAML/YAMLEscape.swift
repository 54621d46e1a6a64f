/// An escape in double quotes.
struct YAMLEscape {
  /// The character that it stands for.
  var scalar: Unicode.Scalar
  /// How many bytes it takes, the backslash included.
  var length: Int

  /// Reads the escape whose backslash stands at an index; nil when it is none.
  init?(_ text: [UInt8], at index: Int) {
    guard index + 1 < text.count else { return nil }
    let letter = text[index + 1]
    if let value = Self.short(letter) {
      scalar = value
      length = 2
      return
    }
    let digits: Int
    switch letter {
    case UInt8(ascii: "x"): digits = 2
    case UInt8(ascii: "u"): digits = 4
    case UInt8(ascii: "U"): digits = 8
    default: return nil
    }
    guard index + 2 + digits <= text.count else { return nil }
    var value: UInt32 = 0
    for offset in 0..<digits {
      guard let digit = Character(Unicode.Scalar(text[index + 2 + offset])).hexDigitValue else {
        return nil
      }
      value = value << 4 | UInt32(digit)
    }
    guard let named = Unicode.Scalar(value) else { return nil }
    scalar = named
    length = 2 + digits
  }

  private static func short(_ letter: UInt8) -> Unicode.Scalar? {
    switch letter {
    case UInt8(ascii: "0"): "\0"
    case UInt8(ascii: "a"): "\u{7}"
    case UInt8(ascii: "b"): "\u{8}"
    case UInt8(ascii: "t"), UInt8(ascii: "\t"): "\t"
    case UInt8(ascii: "n"): "\n"
    case UInt8(ascii: "v"): "\u{B}"
    case UInt8(ascii: "f"): "\u{C}"
    case UInt8(ascii: "r"): "\r"
    case UInt8(ascii: "e"): "\u{1B}"
    case UInt8(ascii: " "): " "
    case UInt8(ascii: "\""): "\""
    case UInt8(ascii: "'"): "'"
    case UInt8(ascii: "/"): "/"
    case UInt8(ascii: "\\"): "\\"
    case UInt8(ascii: "N"): "\u{85}"
    case UInt8(ascii: "_"): "\u{A0}"
    case UInt8(ascii: "L"): "\u{2028}"
    case UInt8(ascii: "P"): "\u{2029}"
    default: nil
    }
  }
}
