/// An IPv4 or IPv6 address, as bits.
struct IPAddress: Hashable {
  /// Four bytes or sixteen.
  let bytes: [UInt8]

  init?(_ text: some StringProtocol) {
    if text.contains(":") {
      guard let bytes = Self.sixteen(text) else { return nil }
      self.bytes = bytes
    } else {
      guard let bytes = Self.four(text) else { return nil }
      self.bytes = bytes
    }
  }

  private static func four(_ text: some StringProtocol) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    let bytes = parts.compactMap { part -> UInt8? in
      // A leading zero would be octal to some readers and decimal to others.
      guard part.count == 1 || part.first != "0", part.allSatisfy(\.isASCIIDigit) else {
        return nil
      }
      return UInt8(part)
    }
    return bytes.count == 4 ? bytes : nil
  }

  private static func sixteen(_ text: some StringProtocol) -> [UInt8]? {
    let text = String(text)
    let gap = text.firstDoubleColon
    let head = gap.map { text[..<$0] } ?? text[...]
    let tail = gap.map { text[text.index($0, offsetBy: 2)...] } ?? ""
    guard gap == nil || tail.firstDoubleColon == nil, let left = groups(head),
      let right = groups(tail)
    else { return nil }
    let missing = 16 - left.count - right.count
    guard gap == nil ? missing == 0 : missing >= 2 else { return nil }
    return left + [UInt8](repeating: 0, count: missing) + right
  }

  private static func groups(_ text: Substring) -> [UInt8]? {
    guard !text.isEmpty else { return [] }
    var bytes: [UInt8] = []
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    for (position, part) in parts.enumerated() {
      if part.contains("."), position == parts.count - 1 {
        guard let four = four(part) else { return nil }
        bytes += four
      } else {
        guard (1...4).contains(part.count), part.allSatisfy(\.isHexDigit),
          let group = UInt16(part, radix: 16)
        else { return nil }
        bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
      }
    }
    return bytes
  }
}

/// A network: an address and how many of its first bits count.
struct CIDR: Hashable, CustomStringConvertible {
  let base: IPAddress
  let length: Int
  let description: String

  init?(_ text: some StringProtocol) {
    let halves = text.split(separator: "/", omittingEmptySubsequences: false)
    guard halves.count == 2, let base = IPAddress(halves[0]), halves[1].allSatisfy(\.isASCIIDigit),
      let length = Int(halves[1]), length <= base.bytes.count * 8
    else { return nil }
    self.base = base
    self.length = length
    description = String(text)
  }

  func contains(_ address: IPAddress) -> Bool {
    guard address.bytes.count == base.bytes.count else { return false }
    return (0..<length).allSatisfy { bit in
      let mask = UInt8(0x80) >> UInt8(bit % 8)
      return address.bytes[bit / 8] & mask == base.bytes[bit / 8] & mask
    }
  }

  /// Two networks share addresses when the wider one holds the other's base.
  func overlaps(_ other: CIDR) -> Bool {
    length <= other.length ? contains(other.base) : other.contains(base)
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}

extension StringProtocol {
  fileprivate var firstDoubleColon: Index? {
    indices.first {
      self[$0] == ":" && index(after: $0) < endIndex && self[index(after: $0)] == ":"
    }
  }
}
