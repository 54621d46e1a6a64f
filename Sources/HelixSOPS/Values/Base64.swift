/// Base64 with padding, read as Go's standard library reads it: line ends are passed over, idle
/// bits of the last character may be anything.
enum Base64 {
  private static let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// What each byte stands for; 255 for those that stand for nothing.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, letter) in letters.enumerated() { values[Int(letter)] = UInt8(value) }
    return values
  }()

  static func text(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let some = bytes[start..<min(start + 3, bytes.count)]
      let bits = some.reduce(0) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - some.count))
      for index in 0...3 {
        let value = Int(bits >> (18 - 6 * UInt32(index)) & 63)
        text.append(index <= some.count ? letters[value] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  static func bytes(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    var padding = 0
    for letter in text where letter != 10 && letter != 13 {
      if letter == UInt8(ascii: "=") {
        padding += 1
        continue
      }
      let value = values[Int(letter)]
      guard value != 255, padding == 0 else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 1
      guard count % 4 == 0 else { continue }
      for shift in [16, 8, 0] as [UInt32] { bytes.append(UInt8(bits >> shift & 255)) }
      bits = 0
    }
    let rest = count % 4
    guard rest != 1, padding == (4 - rest) % 4 else { return nil }
    if rest >= 2 { bytes.append(UInt8(bits >> (rest == 2 ? 4 : 10) & 255)) }
    if rest == 3 { bytes.append(UInt8(bits >> 2 & 255)) }
    return bytes
  }
}
