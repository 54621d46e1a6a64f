/// Shamir's sharing of a secret among groups, byte by byte over the field of 256 elements.
///
/// A share is a value of the polynomial for each byte, followed by where it was taken.
enum Shamir {
  /// The shares of a secret, of which so many bring it back; nil when the numbers make no sense.
  static func split(
    _ secret: [UInt8], into count: Int, threshold: Int, random: inout some RandomNumberGenerator
  ) -> [[UInt8]]? {
    guard (2...255).contains(count), (2...count).contains(threshold), !secret.isEmpty else {
      return nil
    }
    let places = (1...UInt8(count))
    var shares = places.map { _ in [UInt8]() }
    for byte in secret {
      var polynomial = [byte] + random.bytes(threshold - 1)
      defer { polynomial.wipe() }
      for place in places {
        let value = polynomial.reversed().reduce(UInt8(0)) { product($0, place) ^ $1 }
        shares[Int(place) - 1].append(value)
      }
    }
    return zip(shares, places).map { $0 + [$1] }
  }

  /// The secret of enough shares; too few, or wrong ones, give bytes that are nobody's secret.
  ///
  /// - Returns: Nil for shares that cannot be of one secret.
  static func combine(_ shares: [[UInt8]]) -> [UInt8]? {
    guard shares.count >= 2, let length = shares.first?.count, length >= 2,
      shares.allSatisfy({ $0.count == length })
    else { return nil }
    let places = shares.map { $0[length - 1] }
    guard Set(places).count == places.count, !places.contains(0) else { return nil }
    let weights = places.map { weight(of: $0, among: places) }
    return (0..<length - 1).map { index in
      zip(shares, weights).reduce(UInt8(0)) { $0 ^ product($1.0[index], $1.1) }
    }
  }

  /// What a share counts for in the polynomial's value at nought, by Lagrange.
  private static func weight(of place: UInt8, among places: [UInt8]) -> UInt8 {
    places.filter { $0 != place }.reduce(UInt8(1)) { weight, other in
      product(weight, product(other, inverse(other ^ place)))
    }
  }

  /// The product in the field, without branches or tables that depend on the factors.
  static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
    var product: UInt8 = 0
    var left = left
    for bit in 0..<8 as Range<UInt8> {
      product ^= left & (0 &- (right >> bit & 1))
      let carry = 0 &- (left >> 7)
      left = left << 1 ^ (0x1b & carry)
    }
    return product
  }

  /// What gives one when multiplied with the element: its 254th power.
  static func inverse(_ element: UInt8) -> UInt8 {
    var power: UInt8 = 1
    var square = element
    for _ in 0..<7 {
      square = product(square, square)
      power = product(power, square)
    }
    return power
  }
}
