/// Chance that is the same for the same seed everywhere (SplitMix64).
package struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
    return word ^ word >> 31
  }
}

/// Makes inputs from a corpus, each from its number alone.
package struct Mutator: Sendable {
  private static let mostBytes = 1 << 16

  private let corpus: [[UInt8]]
  private let words: [[UInt8]]
  private let seed: UInt64

  package init(corpus: [[UInt8]], words: [String], seed: UInt64) {
    self.corpus = corpus.isEmpty ? [[]] : corpus
    self.words = words.map { Array($0.utf8) }
    self.seed = seed
  }

  package func input(_ number: Int) -> [UInt8] {
    var chance = SeededGenerator(
      seed: seed ^ UInt64(truncatingIfNeeded: number) &* 0x2545_f491_4f6c_dd1d)
    var input = corpus[Int.random(in: corpus.indices, using: &chance)]
    for _ in 0..<(1 << Int.random(in: 0...4, using: &chance)) { mutate(&input, &chance) }
    return Array(input.prefix(Self.mostBytes))
  }

  private func mutate(_ input: inout [UInt8], _ chance: inout SeededGenerator) {
    let place = Int.random(in: 0...input.count, using: &chance)
    let some = part(of: input, &chance)
    switch Int.random(in: 0..<11, using: &chance) {
    case 0 where place < input.count:
      input[place] ^= 1 << UInt8.random(in: 0..<8, using: &chance)
    case 1 where place < input.count:
      input[place] = [0, 9, 10, 13, 32, 34, 39, 127, 128, 255].randomElement(using: &chance) ?? 0
    case 2: input.insert(UInt8.random(in: 0...255, using: &chance), at: place)
    case 3: input.removeSubrange(some)
    case 4: input.insert(contentsOf: input[some], at: place)
    case 5: input.removeSubrange(place...)
    case 6: insert(words.randomElement(using: &chance) ?? [], into: &input, at: place)
    case 7:
      // Long runs show what takes time or depth that grows faster than the input.
      let word = words.randomElement(using: &chance) ?? [0x20]
      let count = 1 << Int.random(in: 1...10, using: &chance)
      insert([[UInt8]](repeating: word, count: count).flatMap { $0 }, into: &input, at: place)
    case 8:
      let other = corpus.randomElement(using: &chance) ?? []
      insert(Array(other[part(of: other, &chance)]), into: &input, at: place)
    case 9: swapLines(&input, &chance)
    default: input.replaceSubrange(some, with: input[some].reversed())
    }
  }

  private func insert(_ bytes: [UInt8], into input: inout [UInt8], at place: Int) {
    guard input.count + bytes.count <= Self.mostBytes else { return }
    input.insert(contentsOf: bytes, at: place)
  }

  private func part(of input: [UInt8], _ chance: inout SeededGenerator) -> Range<Int> {
    let start = Int.random(in: 0...input.count, using: &chance)
    let most = min(input.count - start, 1 << Int.random(in: 0...8, using: &chance))
    return start..<start + Int.random(in: 0...most, using: &chance)
  }

  private func swapLines(_ input: inout [UInt8], _ chance: inout SeededGenerator) {
    var lines = input.split(separator: 0x0a, omittingEmptySubsequences: false)
    lines.swapAt(
      Int.random(in: lines.indices, using: &chance), Int.random(in: lines.indices, using: &chance))
    input = Array(lines.joined(separator: [0x0a]))
  }
}
