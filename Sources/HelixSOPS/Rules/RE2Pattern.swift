/// A regular expression as Go's `regexp` reads it, which is what SOPS matches with.
///
/// Matching takes time in proportion to the text, whatever the pattern: all ways through the
/// pattern are followed at once, never one after the other.
package struct RE2Pattern: Hashable, Sendable {
  /// The pattern as it was written.
  package let text: String
  private let program: [RE2Instruction]
  private let classes: [RE2Class]
  /// Whether it can match only at a text's beginning.
  private let isAnchored: Bool

  /// Reads a pattern.
  ///
  /// - Throws: what RE2 would refuse, with the place.
  package init(_ text: String) throws(RE2Problem) {
    var parser = RE2Parser(text)
    do {
      program = try parser.parse() + [.match]
    } catch {
      var problem = error
      problem.pattern = text
      throw problem
    }
    self.text = text
    classes = parser.classes
    isAnchored = Self.isAnchored(program)
  }

  /// Whether the pattern matches anywhere in a text.
  package func matches(_ text: String) -> Bool { matches(Array(text.utf8)) }

  /// Whether the pattern matches anywhere in bytes, of which each that is not UTF-8 counts as
  /// U+FFFD.
  package func matches(_ bytes: some Sequence<UInt8>) -> Bool {
    var text = GoText(Array(bytes))
    var threads = Threads(count: program.count)
    var arrivals: [Int] = []
    var previous: UInt32?
    while true {
      let next = text.next()
      if previous == nil || !isAnchored { arrivals.append(0) }
      threads.clear()
      for arrival in arrivals
      where threads.follow(program, from: arrival, between: previous, and: next) {
        return true
      }
      guard let next else { return false }
      arrivals.removeAll(keepingCapacity: true)
      for place in threads.waiting where accepts(next, at: place) { arrivals.append(place + 1) }
      if isAnchored, arrivals.isEmpty { return false }
      previous = next
    }
  }

  private func accepts(_ scalar: UInt32, at place: Int) -> Bool {
    switch program[place] {
    case .scalar(let wanted): scalar == wanted
    case .any: true
    case .anyInLine: scalar != 10
    case .member(let number): classes[Int(number)].contains(scalar)
    default: false
    }
  }

  private static func isAnchored(_ program: [RE2Instruction]) -> Bool {
    var seen: Set<Int> = []
    var open = [0]
    while let place = open.popLast() {
      guard seen.insert(place).inserted else { continue }
      switch program[place] {
      case .split(let first, let second): open += [place + Int(first), place + Int(second)]
      case .jump(let distance): open.append(place + Int(distance))
      case .check(.startOfText): continue
      default: return false
      }
    }
    return true
  }
}

/// The places of a program that wait for the next scalar, each once.
private struct Threads {
  private(set) var waiting: [Int] = []
  private var open: [Int] = []
  /// In which round a place was last reached.
  private var reached: [Int]
  private var round = 0

  init(count: Int) { reached = [Int](repeating: 0, count: count) }

  mutating func clear() {
    round += 1
    waiting.removeAll(keepingCapacity: true)
  }

  /// Follows everything that consumes nothing, and says whether the end is reached.
  mutating func follow(
    _ program: [RE2Instruction], from start: Int, between previous: UInt32?, and next: UInt32?
  ) -> Bool {
    open.append(start)
    while let place = open.popLast() {
      guard reached[place] != round else { continue }
      reached[place] = round
      switch program[place] {
      case .match: return true
      case .split(let first, let second):
        open.append(place + Int(first))
        open.append(place + Int(second))
      case .jump(let distance): open.append(place + Int(distance))
      case .check(let assertion):
        if assertion.holds(between: previous, and: next) { open.append(place + 1) }
      default: waiting.append(place)
      }
    }
    return false
  }
}

/// Text as Go reads it from bytes: every byte that belongs to no scalar is a U+FFFD of its own.
private struct GoText: IteratorProtocol {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() -> UInt32? {
    guard position < bytes.count else { return nil }
    let first = bytes[position]
    position += 1
    let count: Int
    switch first {
    case 0..<0x80: return UInt32(first)
    case 0xC2...0xDF: count = 1
    case 0xE0...0xEF: count = 2
    case 0xF0...0xF4: count = 3
    default: return 0xFFFD
    }
    var value = UInt32(first) & (0x3F >> UInt32(count))
    guard position + count <= bytes.count else { return 0xFFFD }
    for byte in bytes[position..<position + count] {
      guard byte & 0xC0 == 0x80 else { return 0xFFFD }
      value = value << 6 | UInt32(byte & 0x3F)
    }
    let least: [UInt32] = [0, 0x80, 0x800, 0x10000]
    guard value >= least[count], Unicode.Scalar(value) != nil else { return 0xFFFD }
    position += count
    return value
  }
}
