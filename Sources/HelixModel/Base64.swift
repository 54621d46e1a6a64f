/// RFC 4648 base64, with padding.
package enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
    return values
  }()

  /// The text with its padding.
  package static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      word <<= UInt32(8 * (3 - group.count))
      for position in 0..<4 {
        let letter = alphabet[Int(word >> UInt32(18 - 6 * position)) & 63]
        text.append(position <= group.count ? letter : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of a text without whitespace; nil when it is not well-formed.
  package static func decode(_ text: some StringProtocol) -> [UInt8]? {
    var decoded: Int?
    let letters = text.utf8
    let bytes = [UInt8](unsafeUninitializedCapacity: letters.count) { memory, count in
      decoded = decode(letters, into: UnsafeMutableRawBufferPointer(memory))
      count = decoded ?? 0
    }
    return decoded.map { _ in bytes }
  }

  /// The same into memory with room for as many bytes as there are letters; returns how many came.
  package static func decode(
    _ letters: some Sequence<UInt8>, into memory: UnsafeMutableRawBufferPointer
  ) -> Int? {
    var (word, bits, count, letterCount, padding) = (UInt32(0), 0, 0, 0, 0)
    for letter in letters {
      letterCount += 1
      if letter == UInt8(ascii: "=") {
        padding += 1
        continue
      }
      let value = values[Int(letter)]
      guard value != 255, padding == 0 else { return nil }
      word = word << 6 | UInt32(value)
      bits += 6
      if bits >= 8 {
        bits -= 8
        memory[count] = UInt8(truncatingIfNeeded: word >> UInt32(bits))
        count += 1
      }
    }
    return letterCount % 4 == 0 && padding <= 2 ? count : nil
  }
}
