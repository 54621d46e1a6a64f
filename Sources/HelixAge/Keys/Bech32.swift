/// Bech32 (BIP 173) without its limit on length, as age writes keys.
enum Bech32 {
  /// A text taken apart; the prefix is in the case of the text.
  struct Decoded {
    var prefix: String
    var bytes: [UInt8]
  }

  private static let letters = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
  private static let separator = UInt8(ascii: "1")
  private static let checksumCount = 6

  static func encode(prefix: String, _ bytes: [UInt8]) -> String {
    let low = Array(prefix.lowercased().utf8)
    var values = regroup(bytes, from: 8, to: 5) ?? []
    let sum = polynomial(expand(low) + values + [UInt8](repeating: 0, count: checksumCount)) ^ 1
    values += (0..<checksumCount).map { UInt8(sum >> UInt32(5 * (5 - $0)) & 31) }
    let text = String(
      decoding: low + [separator] + values.map { letters[Int($0)] }, as: UTF8.self)
    return prefix == prefix.uppercased() ? text.uppercased() : text
  }

  /// - Throws: an `AgeProblem` that quotes nothing.
  static func decode(_ text: String) throws(AgeProblem) -> Decoded {
    let bytes = Array(text.utf8)
    guard bytes.allSatisfy({ (33...126).contains($0) }) else {
      throw .key("it has a character that no key has")
    }
    let isUpper = bytes.contains { (0x41...0x5a).contains($0) }
    guard !isUpper || !bytes.contains(where: { (0x61...0x7a).contains($0) }) else {
      throw .key("it mixes small and capital letters")
    }
    guard let mark = bytes.lastIndex(of: separator), mark > 0 else {
      throw .key("it is not a key of age")
    }
    let low = isUpper ? bytes.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 } : bytes
    let places = low[(mark + 1)...].map { letters.firstIndex(of: $0) }
    guard places.count >= checksumCount, !places.contains(nil) else {
      throw .key("it is cut off or has a character that no key has")
    }
    let values = places.map { UInt8($0 ?? 0) }
    guard polynomial(expand(low[..<mark]) + values) == 1 else {
      throw .key("its checksum is wrong: a character is missing or mistyped")
    }
    guard let content = regroup(values.dropLast(checksumCount), from: 5, to: 8) else {
      throw .key("it ends in bits that no key has")
    }
    return Decoded(prefix: String(decoding: bytes[..<mark], as: UTF8.self), bytes: content)
  }

  private static func expand(_ prefix: some Collection<UInt8>) -> [UInt8] {
    prefix.map { $0 >> 5 } + [0] + prefix.map { $0 & 31 }
  }

  private static func polynomial(_ values: [UInt8]) -> UInt32 {
    let generator: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
    var sum: UInt32 = 1
    for value in values {
      let top = sum >> 25
      sum = (sum & 0x1ff_ffff) << 5 ^ UInt32(value)
      for (bit, number) in generator.enumerated() where top >> UInt32(bit) & 1 == 1 {
        sum ^= number
      }
    }
    return sum
  }

  /// The same bits in groups of another size; nil when bits are left over that are not zero.
  ///
  /// Going to smaller groups, the last one is filled up with zeros.
  private static func regroup(
    _ values: some Collection<UInt8>, from: Int, to: Int
  ) -> [UInt8]? {
    var groups: [UInt8] = []
    groups.reserveCapacity(values.count * from / to + 1)
    var (word, bits): (UInt32, Int) = (0, 0)
    for value in values {
      word = word << UInt32(from) | UInt32(value)
      bits += from
      while bits >= to {
        bits -= to
        groups.append(UInt8(truncatingIfNeeded: word >> UInt32(bits) & (1 << UInt32(to) - 1)))
      }
      word &= 1 << UInt32(bits) - 1
    }
    if to < from {
      if bits > 0 { groups.append(UInt8(truncatingIfNeeded: word << UInt32(to - bits))) }
      return groups
    }
    return bits < from && word == 0 ? groups : nil
  }
}
