/// One step of a pattern's program; jumps are relative, so that a piece can be copied.
enum RE2Instruction: Hashable, Sendable {
  /// Consumes this scalar.
  case scalar(UInt32)
  /// Consumes any scalar.
  case any
  /// Consumes any scalar but a line feed.
  case anyInLine
  /// Consumes a scalar of a class, by its number.
  case member(Int32)
  /// Goes on at both places.
  case split(Int32, Int32)
  case jump(Int32)
  /// Goes on where an assertion about the place holds.
  case check(RE2Assertion)
  case match
}

/// What a pattern can demand of a place without consuming anything.
enum RE2Assertion: Hashable, Sendable {
  case startOfText, endOfText, startOfLine, endOfLine, wordBoundary, noWordBoundary

  /// Whether it holds between two scalars; nil stands for the text's ends.
  func holds(between previous: UInt32?, and next: UInt32?) -> Bool {
    switch self {
    case .startOfText: previous == nil
    case .endOfText: next == nil
    case .startOfLine: previous == nil || previous == 10
    case .endOfLine: next == nil || next == 10
    case .wordBoundary: Self.isWord(previous) != Self.isWord(next)
    case .noWordBoundary: Self.isWord(previous) == Self.isWord(next)
    }
  }

  private static func isWord(_ scalar: UInt32?) -> Bool {
    switch scalar {
    case .some(0x30...0x39), .some(0x41...0x5A), .some(0x5F), .some(0x61...0x7A): true
    default: false
    }
  }
}

/// A piece of a program under construction.
struct RE2Fragment {
  /// A whole program may have as many; patterns that people write have a few dozen.
  static let longest = 20_000

  var code: [RE2Instruction] = []
  /// How deep its operators nest, counted as Go counts.
  var height = 1
  /// The product of the counts of nested `{n,m}`, the largest there is in it.
  var copies = 1

  mutating func append(_ other: RE2Fragment) {
    code += other.code
    height = max(height, other.height)
    copies = max(copies, other.copies)
  }

  /// The fragment any number of times.
  var starred: RE2Fragment {
    var piece = raised
    let count = Int32(code.count)
    piece.code = [.split(1, count + 2)] + code + [.jump(-count - 1)]
    return piece
  }

  /// The fragment once or more.
  var repeated: RE2Fragment {
    var piece = raised
    piece.code.append(.split(-Int32(code.count), 1))
    return piece
  }

  /// The fragment once or not at all.
  var optional: RE2Fragment {
    var piece = raised
    piece.code = [.split(1, Int32(code.count) + 1)] + code
    return piece
  }

  /// One operator around it.
  var raised: RE2Fragment {
    var piece = self
    piece.height += 1
    return piece
  }

  /// One of several, in any order: only whether something matches is of interest.
  static func alternation(_ choices: [RE2Fragment]) -> RE2Fragment {
    guard let last = choices.last, choices.count > 1 else { return choices.first ?? RE2Fragment() }
    var whole = RE2Fragment()
    var rest = choices.reduce(0) { $0 + $1.code.count + 2 } - 2
    for choice in choices.dropLast() {
      let count = choice.code.count
      whole.append(choice.wrapped(before: .split(1, Int32(count + 2)), after: .jump(0)))
      rest -= count + 2
      whole.code[whole.code.count - 1] = .jump(Int32(rest + 1))
    }
    whole.append(last)
    return whole.raised
  }

  private func wrapped(before: RE2Instruction, after: RE2Instruction) -> RE2Fragment {
    var piece = self
    piece.code = [before] + code + [after]
    return piece
  }

  /// The fragment from so many to so many times, nil for no limit.
  func counted(_ least: Int, _ most: Int?) -> RE2Fragment {
    var piece = raised
    piece.code = []
    piece.copies = (most ?? least) == 0 && most != nil ? 0 : max(1, most ?? least) * copies
    guard let most else {
      guard least > 0 else { return with(starred.code, like: piece) }
      for _ in 1..<least { piece.code += code }
      piece.code += repeated.code
      return piece
    }
    for _ in 0..<least { piece.code += code }
    for left in stride(from: most - least, to: 0, by: -1) {
      piece.code.append(.split(1, Int32(left * (code.count + 1))))
      piece.code += code
    }
    return piece
  }

  private func with(_ code: [RE2Instruction], like other: RE2Fragment) -> RE2Fragment {
    var piece = other
    piece.code = code
    return piece
  }
}
