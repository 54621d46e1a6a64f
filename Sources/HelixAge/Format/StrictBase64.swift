/// Base64 as age has it: one spelling for each content, and nothing else is read.
enum StrictBase64 {
  private static let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, letter) in letters.enumerated() { values[Int(letter)] = UInt8(value) }
    return values
  }()

  /// The text of some bytes, without padding.
  static func text(_ bytes: [UInt8]) -> String {
    var encoded: [UInt8] = []
    encoded.reserveCapacity(bytes.count * 4 / 3 + 4)
    bytes.withUnsafeBytes { append($0, to: &encoded, padded: false) }
    return String(decoding: encoded, as: UTF8.self)
  }

  static func append(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8], padded: Bool) {
    var place = 0
    letters.withUnsafeBufferPointer { letters in
      while place + 3 <= bytes.count {
        let word = Int(bytes[place]) << 16 | Int(bytes[place + 1]) << 8 | Int(bytes[place + 2])
        text.append(letters[word >> 18])
        text.append(letters[word >> 12 & 63])
        text.append(letters[word >> 6 & 63])
        text.append(letters[word & 63])
        place += 3
      }
      switch bytes.count - place {
      case 1:
        let word = Int(bytes[place]) << 4
        text += [letters[word >> 6], letters[word & 63]] + (padded ? [0x3d, 0x3d] : [])
      case 2:
        let word = Int(bytes[place]) << 10 | Int(bytes[place + 1]) << 2
        text += [letters[word >> 12], letters[word >> 6 & 63], letters[word & 63]]
        if padded { text.append(0x3d) }
      default: break
      }
    }
  }

  /// The bytes of a text without padding; nil when it is not the one spelling of anything.
  static func decode(_ text: some StringProtocol) -> [UInt8]? {
    var text = String(text)
    return text.withUTF8 { decode(UnsafeRawBufferPointer($0)) }
  }

  static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    var decoded = [UInt8](repeating: 0, count: text.count * 3 / 4)
    let count = decoded.withUnsafeMutableBytes { decode(text, into: $0) }
    return count == decoded.count ? decoded : nil
  }

  /// Reads padding, too, which must be there where it belongs, and says how many bytes came.
  ///
  /// The memory holds three bytes for each four letters.
  static func decodePadded(
    _ text: UnsafeRawBufferPointer, into memory: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard text.count % 4 == 0 else { return nil }
    let padding = text.suffix(2).reversed().prefix { $0 == 0x3d }.count
    return decode(UnsafeRawBufferPointer(rebasing: text.dropLast(padding)), into: memory)
  }

  private static func decode(
    _ text: UnsafeRawBufferPointer, into memory: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard text.count % 4 != 1 else { return nil }
    var (place, count) = (0, 0)
    // Bits that no value has are collected, so that the loop needs no branch for them.
    var strange: UInt8 = 0
    return values.withUnsafeBufferPointer { values in
      func value(_ offset: Int) -> Int {
        let value = values[Int(text[place + offset])]
        strange |= value
        return Int(value)
      }
      while place + 4 <= text.count {
        let word = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3)
        memory[count] = UInt8(truncatingIfNeeded: word >> 16)
        memory[count + 1] = UInt8(truncatingIfNeeded: word >> 8)
        memory[count + 2] = UInt8(truncatingIfNeeded: word)
        (place, count) = (place + 4, count + 3)
      }
      // The last letter must not have bits that are not used.
      var spare = 0
      switch text.count - place {
      case 2:
        let word = value(0) << 6 | value(1)
        memory[count] = UInt8(truncatingIfNeeded: word >> 4)
        (count, spare) = (count + 1, word & 15)
      case 3:
        let word = value(0) << 12 | value(1) << 6 | value(2)
        memory[count] = UInt8(truncatingIfNeeded: word >> 10)
        memory[count + 1] = UInt8(truncatingIfNeeded: word >> 2)
        (count, spare) = (count + 2, word & 3)
      default: break
      }
      return strange < 64 && spare == 0 ? count : nil
    }
  }
}
