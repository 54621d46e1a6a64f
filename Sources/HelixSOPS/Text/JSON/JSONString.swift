/// Strings of JSON.
enum JSONString {
  /// How many bytes the escape takes whose backslash stands at an index; nil when it is none.
  static func escapeLength(_ text: [UInt8], at index: Int) -> Int? {
    switch text[index + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      2
    case UInt8(ascii: "u"): unit(text, at: index) == nil ? nil : 6
    default: nil
    }
  }

  /// The UTF-16 unit of a `\u` at an index.
  private static func unit(_ text: [UInt8], at index: Int) -> UInt16? {
    guard index + 6 <= text.count, text[index] == UInt8(ascii: "\\"),
      text[index + 1] == UInt8(ascii: "u")
    else { return nil }
    var value: UInt16 = 0
    for digit in text[(index + 2)..<(index + 6)] {
      guard let number = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
      value = value << 4 | UInt16(number)
    }
    return value
  }

  /// The text of the bytes between quotes, and whether every character in it was whole: of half a
  /// pair nothing but the replacement character can be kept.
  static func decode(_ text: [UInt8], _ range: Range<Int>) -> (value: [UInt8], isWhole: Bool) {
    guard text[range].contains(UInt8(ascii: "\\")) else { return (Array(text[range]), true) }
    var result: [UInt8] = []
    result.reserveCapacity(range.count)
    var isWhole = true
    var index = range.lowerBound
    while index < range.upperBound {
      guard text[index] == UInt8(ascii: "\\") else {
        result.append(text[index])
        index += 1
        continue
      }
      if let short = short(text[index + 1]) {
        result.append(short)
        index += 2
        continue
      }
      let first = unit(text, at: index) ?? 0xFFFD
      let second = unit(text, at: index + 6)
      index += 6
      if UTF16.isLeadSurrogate(first), let second, UTF16.isTrailSurrogate(second) {
        append(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00), &result)
        index += 6
      } else {
        isWhole = isWhole && !(0xD800...0xDFFF).contains(first)
        append(UInt32(first), &result)
      }
    }
    return (result, isWhole)
  }

  private static func append(_ value: UInt32, _ result: inout [UInt8]) {
    let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
    result += UTF8.encode(scalar) ?? UTF8.EncodedScalar()
  }

  private static func short(_ letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
  }

  /// Text in double quotes that JSON and YAML both read alike.
  static func quoted(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = [UInt8(ascii: "\"")]
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\"": result += Array(#"\""#.utf8)
      case "\\": result += Array(#"\\"#.utf8)
      case "\n": result += Array(#"\n"#.utf8)
      case "\r": result += Array(#"\r"#.utf8)
      case "\t": result += Array(#"\t"#.utf8)
      case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{FEFF}":
        let digits = String(scalar.value, radix: 16)
        result += Array((#"\u"# + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
      // YAML allows these escaped only, and JSON as they are; none of both has a use for them.
      case "\u{FFFE}", "\u{FFFF}":
        result += Array((#"\u"# + String(scalar.value, radix: 16)).utf8)
      default: result += UTF8.encode(scalar) ?? UTF8.EncodedScalar()
      }
    }
    result.append(UInt8(ascii: "\""))
    return result
  }
}
