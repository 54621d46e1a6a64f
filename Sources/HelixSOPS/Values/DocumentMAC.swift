private import Crypto

/// The digest over all values of a file in the order in which SOPS walks them.
struct DocumentMAC {
  /// SHA-256 of "sops", so that the two ways of counting never give the same digest.
  private static let seed = Array(SHA256.hash(data: Array("sops".utf8)))

  private var hash = SHA512()
  let countsOnlyEncrypted: Bool

  init(countsOnlyEncrypted: Bool) {
    self.countsOnlyEncrypted = countsOnlyEncrypted
    if countsOnlyEncrypted { hash.update(data: Self.seed) }
  }

  /// Counts a value; comments and nulls do not count.
  mutating func add(_ value: SOPSValue, isEncrypted: Bool) {
    guard isEncrypted || !countsOnlyEncrypted, !value.isComment else { return }
    if let bytes = value.canonicalBytes { hash.update(data: bytes) }
  }

  /// The digest as upper-case hexadecimal digits.
  var text: String {
    let digits = Array("0123456789ABCDEF".utf8)
    let text = hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }
}
