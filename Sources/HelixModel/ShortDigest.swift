/// Sixteen hex digits of a text (FNV-1a of 64 bits), the same everywhere: for names, and nothing to
/// rely on where somebody might want two texts to collide.
package func shortDigest(_ text: String) -> String {
  let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
    ($0 ^ UInt64($1)) &* 0x100_0000_01b3
  }
  let digits = String(hash, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
