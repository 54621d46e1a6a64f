/// Which bytes may stand in YAML.
enum YAMLCharacters {
  /// Refuses what go-yaml refuses: bytes that are not UTF-8, and control characters.
  static func check(_ bytes: [UInt8]) throws(TextFault) {
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw TextFault("it is UTF-16; write it as UTF-8", at: 0)
    }
    let fault = bytes.withUnsafeBufferPointer { text -> TextFault? in
      var index = 0
      while index < text.count {
        let byte = text[index]
        if byte >= 0x20 && byte < 0x7F || byte == 0x0A || byte == 0x0D || byte == 0x09 {
          index += 1
          continue
        }
        guard byte >= 0x80, let (scalar, length) = UTF8Step.decode(text, at: index) else {
          return byte < 0x80
            ? TextFault("there is a control character", at: index)
            : TextFault("the bytes are not UTF-8", at: index)
        }
        guard isAllowed(scalar) else {
          return TextFault("there is a control character", at: index)
        }
        index += length
      }
      return nil
    }
    if let fault { throw fault }
  }

  /// Whether a character may stand in YAML as it is.
  static func isAllowed(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFFFD,
      0x10000...0x10FFFF:
      true
    default: false
    }
  }
}

/// One character of UTF-8 after the other.
enum UTF8Step {
  /// The character at an index and its length; nil where the bytes are not UTF-8.
  @inline(__always)
  static func decode(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (UInt32, Int)? {
    let first = text[index]
    let length: Int
    var scalar: UInt32
    switch first {
    case 0..<0x80: return (UInt32(first), 1)
    case 0xC2...0xDF: (length, scalar) = (2, UInt32(first & 0x1F))
    case 0xE0...0xEF: (length, scalar) = (3, UInt32(first & 0x0F))
    case 0xF0...0xF4: (length, scalar) = (4, UInt32(first & 0x07))
    default: return nil
    }
    guard index + length <= text.count else { return nil }
    for offset in 1..<length {
      let byte = text[index + offset]
      guard byte & 0xC0 == 0x80 else { return nil }
      scalar = scalar << 6 | UInt32(byte & 0x3F)
    }
    let least: UInt32 = length == 3 ? 0x800 : length == 4 ? 0x10000 : 0x80
    guard scalar >= least, scalar <= 0x10FFFF, !(0xD800...0xDFFF).contains(scalar) else {
      return nil
    }
    return (scalar, length)
  }

  /// Whether bytes are UTF-8.
  static func isValid(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBufferPointer { text in
      var index = 0
      while index < text.count {
        guard let (_, length) = decode(text, at: index) else { return false }
        index += length
      }
      return true
    }
  }
}
