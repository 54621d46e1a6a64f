private import CLibSSH2

/// Whether a file gets to a host sooner packed, and how it is packed.
enum Packing {
  /// zlib's levels worth a thought: the fastest, and the one that gzip uses unless told otherwise.
  static let levels = [1, 6]
  /// What packing must win to be worth another command.
  private static let leastGain = 1.25
  private static let leastSaving = 0.3

  /// What came of packing a part of a file on this machine.
  struct Sample: Hashable, Sendable {
    var level: Int
    /// How many bytes become one.
    var ratio: Double
    /// Bytes of the file per second.
    var rate: Double
  }

  /// The level at which the rest of a file gets over a line soonest; nil when plain is best.
  ///
  /// Packing goes on beside sending, so the slower of the two decides.
  static func level(line: Double, rest: Int, _ samples: [Sample]) -> Int? {
    guard line > 0 else { return nil }
    let offers = samples.map { ($0.level, rate: min($0.rate, line * $0.ratio)) }
    guard let best = offers.max(by: { $0.rate < $1.rate }), best.rate >= line * leastGain,
      Double(rest) / line - Double(rest) / best.rate >= leastSaving
    else { return nil }
    return best.0
  }

  /// Bytes as one gzip member; members in a row unpack to what they hold in a row.
  static func gzip(_ bytes: [UInt8], level: Int) -> [UInt8] {
    let room = helix_gzip_bound(bytes.count)
    return [UInt8](unsafeUninitializedCapacity: room) { member, count in
      count = helix_gzip(bytes, bytes.count, member.baseAddress, room, Int32(level))
    }
  }

  /// Packs some bytes to see what comes of it.
  static func sample(_ bytes: [UInt8], level: Int) -> Sample {
    let clock = ContinuousClock()
    let start = clock.now
    let packed = gzip(bytes, level: level).count
    let time = max((clock.now - start) / .seconds(1), 1e-6)
    return Sample(
      level: level, ratio: Double(bytes.count) / Double(max(1, packed)),
      rate: Double(bytes.count) / time)
  }
}
