import Testing

@testable import HelixSOPS

@Suite("Shamir's shares")
struct ShamirTests {
  /// Of "Shamir", made in Python with the polynomial s + 7x + 9x².
  private static let shares: [[UInt8]] = [
    [0x5d, 0x66, 0x6f, 0x63, 0x67, 0x7c, 1], [0x79, 0x42, 0x4b, 0x47, 0x43, 0x58, 2],
    [0x77, 0x4c, 0x45, 0x49, 0x4d, 0x56, 3], [0xc9, 0xf2, 0xfb, 0xf7, 0xf3, 0xe8, 200],
    [0x13, 0x28, 0x21, 0x2d, 0x29, 0x32, 255],
  ]

  @Test(
    "of another program give the secret", arguments: [[0, 1, 2], [4, 0, 3], [0, 1, 2, 3, 4]])
  func vector(places: [Int]) {
    #expect(Shamir.combine(places.map { Self.shares[$0] }) == Array("Shamir".utf8))
  }

  @Test("give the secret back when there are enough, and else do not")
  func roundTrip() throws {
    var random = CountingGenerator()
    let secret = random.bytes(32)
    for (count, threshold) in [(2, 2), (3, 2), (5, 3), (255, 4)] {
      let shares = try #require(
        Shamir.split(secret, into: count, threshold: threshold, random: &random))
      #expect(shares.map(\.count) == Array(repeating: 33, count: count))
      #expect(Shamir.combine(Array(shares.suffix(threshold))) == secret)
      #expect(Shamir.combine(shares) == secret)
      if threshold > 2 { #expect(Shamir.combine(Array(shares.prefix(threshold - 1))) != secret) }
      for share in shares { #expect(Array(share.dropLast()) != secret) }
    }
  }

  @Test("make no sense with other numbers")
  func numbers() {
    var random = CountingGenerator()
    for (count, threshold) in [(1, 1), (2, 1), (2, 3), (256, 2), (0, 0)] {
      #expect(Shamir.split([1], into: count, threshold: threshold, random: &random) == nil)
    }
    #expect(Shamir.combine([]) == nil)
    #expect(Shamir.combine([[1, 1]]) == nil)
    #expect(Shamir.combine([[1, 1], [2, 1]]) == nil, "the same share twice")
    #expect(Shamir.combine([[1, 0], [2, 1]]) == nil, "nobody's share")
    #expect(Shamir.combine([[1, 2], [2, 1, 3]]) == nil)
    #expect(Shamir.combine([[1], [2]]) == nil)
  }

  @Test("are of a field: every element but nought has an inverse")
  func inverses() {
    for element in 1...255 as ClosedRange<UInt8> {
      #expect(Shamir.product(element, Shamir.inverse(element)) == 1)
    }
    #expect(Shamir.product(0x57, 0x83) == 0xc1, "the example of FIPS 197")
  }
}
