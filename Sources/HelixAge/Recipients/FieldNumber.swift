/// A number modulo 2^255 - 19, for turning public ed25519 keys into those of X25519.
///
/// Takes different times for different numbers, so it is for public ones only.
struct FieldNumber: Equatable {
  /// Four parts of 64 bits, the smallest first; always below the modulus.
  private var parts: [UInt64]

  private static let modulus: [UInt64] = [
    0xffff_ffff_ffff_ffed, .max, .max, 0x7fff_ffff_ffff_ffff,
  ]

  init(_ small: UInt64) { parts = [small, 0, 0, 0] }

  /// From 32 bytes, the lowest first; the highest bit is left out.
  init(_ bytes: [UInt8]) {
    var parts: [UInt64] = [0, 0, 0, 0]
    for (place, byte) in bytes.prefix(32).enumerated() {
      parts[place / 8] |= UInt64(byte) << UInt64(8 * (place % 8))
    }
    parts[3] &= .max >> 1
    self.parts = Self.reduced(parts)
  }

  var bytes: [UInt8] {
    parts.flatMap { part in (0..<8).map { UInt8(truncatingIfNeeded: part >> UInt64(8 * $0)) } }
  }

  static func + (left: FieldNumber, right: FieldNumber) -> FieldNumber {
    // Both are below 2^255, so nothing is carried out.
    var (sum, carry): ([UInt64], UInt64) = ([], 0)
    for place in 0..<4 {
      let (half, over) = left.parts[place].addingReportingOverflow(right.parts[place])
      let (whole, again) = half.addingReportingOverflow(carry)
      sum.append(whole)
      carry = over || again ? 1 : 0
    }
    return FieldNumber(parts: reduced(sum))
  }

  static func - (left: FieldNumber, right: FieldNumber) -> FieldNumber {
    left + FieldNumber(parts: reduced(subtracted(modulus, right.parts).difference))
  }

  static func * (left: FieldNumber, right: FieldNumber) -> FieldNumber {
    var product = [UInt64](repeating: 0, count: 8)
    for (place, factor) in left.parts.enumerated() {
      var carry: UInt64 = 0
      for (offset, other) in right.parts.enumerated() {
        (carry, product[place + offset]) = multiplied(
          factor, other, plus: product[place + offset], carry)
      }
      product[place + 4] = carry
    }
    // 2^256 is 38 here.
    var (low, carry) = (Array(product[..<4]), UInt64(0))
    for place in 0..<4 {
      (carry, low[place]) = multiplied(product[place + 4], 38, plus: low[place], carry)
    }
    while carry > 0 {
      var rest = carry * 38
      carry = 0
      for place in 0..<4 {
        (rest, low[place]) = multiplied(1, rest, plus: low[place], 0)
      }
      carry = rest
    }
    return FieldNumber(parts: reduced(low))
  }

  /// The number that gives one when multiplied with this; zero for zero.
  var inverse: FieldNumber { power(Self.subtracted(Self.modulus, [2, 0, 0, 0]).difference) }

  /// Whether it is some number's square.
  var isSquare: Bool {
    let root = power([0xffff_ffff_ffff_fff6, .max, .max, 0x3fff_ffff_ffff_ffff])
    return root == FieldNumber(0) || root == FieldNumber(1)
  }

  private func power(_ exponent: [UInt64]) -> FieldNumber {
    var result = FieldNumber(1)
    for part in exponent.reversed() {
      for bit in (0..<64).reversed() {
        result = result * result
        if part >> UInt64(bit) & 1 == 1 { result = result * self }
      }
    }
    return result
  }

  private init(parts: [UInt64]) { self.parts = parts }

  /// Both halves of a product with two more numbers added, which always have room.
  private static func multiplied(
    _ left: UInt64, _ right: UInt64, plus first: UInt64, _ second: UInt64
  ) -> (high: UInt64, low: UInt64) {
    var (high, low) = left.multipliedFullWidth(by: right)
    for more in [first, second] {
      let (sum, over) = low.addingReportingOverflow(more)
      low = sum
      high += over ? 1 : 0
    }
    return (high, low)
  }

  private static func subtracted(
    _ left: [UInt64], _ right: [UInt64]
  ) -> (difference: [UInt64], isNegative: Bool) {
    var (difference, borrow): ([UInt64], UInt64) = ([], 0)
    for place in 0..<4 {
      let (half, under) = left[place].subtractingReportingOverflow(right[place])
      let (whole, again) = half.subtractingReportingOverflow(borrow)
      difference.append(whole)
      borrow = under || again ? 1 : 0
    }
    return (difference, borrow == 1)
  }

  private static func reduced(_ parts: [UInt64]) -> [UInt64] {
    var parts = parts
    while true {
      let (less, isNegative) = subtracted(parts, modulus)
      if isNegative { return parts }
      parts = less
    }
  }
}

extension FieldNumber {
  /// The X25519 public key that belongs to an ed25519 one; nil when that is no point of the curve.
  static func montgomery(fromEdwards key: [UInt8]) -> [UInt8]? {
    guard key.count == 32 else { return nil }
    let (one, y) = (FieldNumber(1), FieldNumber(key))
    // x^2 = (y^2 - 1) / (d y^2 + 1), with d = -121665/121666.
    let d = FieldNumber(0) - FieldNumber(121_665) * FieldNumber(121_666).inverse
    let square = (y * y - one) * (d * y * y + one).inverse
    guard square.isSquare else { return nil }
    return ((one + y) * (one - y).inverse).bytes
  }
}
