/// Reads a pattern in the syntax of Go's `regexp`, and refuses what that refuses.
///
/// It keeps its own stack of groups instead of calling itself, so that no nesting can exhaust the
/// program's.
struct RE2Parser {
  /// What `(?…)` can switch; greed is read and has no bearing on whether something matches.
  struct Flags {
    var foldsCase = false
    var dotTakesLineFeed = false
    var byLine = false
  }

  /// A group whose closing bracket is still to come.
  struct Group {
    var start: Int
    var isCapture: Bool
    /// What holds again behind it.
    var outerFlags: Flags
    var choices: [RE2Fragment] = []
    var current = Sequence()
  }

  /// Pieces one after the other, of which the last may still be repeated.
  struct Sequence {
    var fragment = RE2Fragment()
    var last: RE2Fragment?
    var pieces = 0

    var whole: RE2Fragment {
      var whole = fragment
      if let last { whole.append(last) }
      return pieces > 1 ? whole.raised : whole
    }
  }

  /// As Go has it.
  static let deepest = 1000
  /// A pattern has no more scalars than its program may have steps.
  static let longest = RE2Fragment.longest

  let scalars: [Unicode.Scalar]
  var position = 0
  var flags = Flags()
  private var outer: [Group] = []
  private var group = Group(start: 0, isCapture: false, outerFlags: Flags())
  private(set) var classes: [RE2Class] = []
  private var numbers: [RE2Class: Int32] = [:]
  private var size = 0
  /// Where ":]" stands last; looking for it from every "[:" would take quadratic time.
  private let lastClassEnd: Int?

  init(_ text: String) {
    scalars = Array(text.unicodeScalars)
    lastClassEnd = scalars.indices.dropLast().last { [scalars] in
      scalars[$0] == ":" && scalars[$0 + 1] == "]"
    }
  }

  /// The pattern's program, without the final step.
  mutating func parse() throws(RE2Problem) -> [RE2Instruction] {
    guard scalars.count <= Self.longest else { throw tooLarge(at: 0) }
    var behindRepetition = false
    while let scalar = peek() {
      let start = position
      if try repetition(scalar, behindRepetition: behindRepetition) {
        behindRepetition = true
        continue
      }
      behindRepetition = false
      try element(scalar, at: start)
    }
    guard outer.isEmpty else { throw unclosedGroup(group.start) }
    return finished(group).code
  }

  // MARK: - Reading on

  func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
    scalars.indices.contains(position + ahead) ? scalars[position + ahead] : nil
  }

  func follows(_ text: String) -> Bool { scalars[position...].starts(with: text.unicodeScalars) }

  /// Where the ":]" that closes the "[:" here stands.
  func classEnd() -> Int? {
    guard peek() == "[", peek(1) == ":", let lastClassEnd, position + 2 <= lastClassEnd else {
      return nil
    }
    return next(":]", from: position + 2)
  }

  /// Where a text next stands.
  func next(_ text: String, from start: Int) -> Int? {
    let wanted = Array(text.unicodeScalars)
    guard start <= scalars.count - wanted.count else { return nil }
    return (start...scalars.count - wanted.count).first { scalars[$0...].starts(with: wanted) }
  }

  func text(_ range: Range<Int>) -> String {
    scalars[range.clamped(to: 0..<scalars.count)].reduce(into: "") { $0.unicodeScalars.append($1) }
  }

  // MARK: - Elements

  private mutating func element(_ scalar: Unicode.Scalar, at start: Int) throws(RE2Problem) {
    switch scalar {
    case "(": try openGroup(at: start)
    case ")": try closeGroup(at: start)
    case "|":
      position += 1
      group.choices.append(group.current.whole)
      group.current = Sequence()
    case "[": try push(.member(number(of: bracketClass())), at: start)
    case ".":
      position += 1
      try push(flags.dotTakesLineFeed ? .any : .anyInLine, at: start)
    case "^":
      position += 1
      try push(.check(flags.byLine ? .startOfLine : .startOfText), at: start)
    case "$":
      position += 1
      try push(.check(flags.byLine ? .endOfLine : .endOfText), at: start)
    case "\\": try escape(at: start)
    default:
      position += 1
      try literal(scalar.value, at: start)
    }
  }

  mutating func literal(_ scalar: UInt32, at start: Int) throws(RE2Problem) {
    guard flags.foldsCase, CaseFolding.orbit(of: scalar).count > 1 else {
      return try push(.scalar(scalar), at: start)
    }
    let folded = RE2Class(ranges: [scalar...scalar], foldsCase: true)
    try push(.member(number(of: folded)), at: start)
  }

  mutating func push(_ instruction: RE2Instruction, at start: Int) throws(RE2Problem) {
    try push(RE2Fragment(code: [instruction]), at: start)
  }

  private mutating func push(_ fragment: RE2Fragment, at start: Int) throws(RE2Problem) {
    if let last = group.current.last { group.current.fragment.append(last) }
    group.current.last = fragment
    group.current.pieces += 1
    size += fragment.code.count
    guard size <= RE2Fragment.longest else { throw tooLarge(at: start) }
    guard fragment.height <= Self.deepest else { throw tooDeep(at: start) }
  }

  /// The number of a class; the same class twice has one number.
  mutating func number(of members: RE2Class) -> Int32 {
    if let known = numbers[members] { return known }
    let number = Int32(classes.count)
    classes.append(members)
    numbers[members] = number
    return number
  }

  // MARK: - Repetitions

  /// Applies `*`, `+`, `?` or `{n,m}` if one stands here.
  private mutating func repetition(
    _ scalar: Unicode.Scalar, behindRepetition: Bool
  ) throws(RE2Problem) -> Bool {
    let start = position
    var count: RE2Count?
    switch scalar {
    case "*", "+", "?": position += 1
    case "{":
      guard let written = try self.count() else { return false }
      count = written
    default: return false
    }
    let isLazy = peek() == "?"
    guard !behindRepetition else { throw stacked(at: start, sign: scalar) }
    guard let last = group.current.last else { throw nothingToRepeat(at: start) }
    if isLazy { position += 1 }
    let copies = count.map { $0.most ?? max(1, $0.least) } ?? 1
    size -= last.code.count
    guard size + (last.code.count + 1) * copies <= RE2Fragment.longest else {
      throw tooLarge(at: start)
    }
    group.current.last = nil
    group.current.pieces -= 1
    let repeated =
      switch scalar {
      case "*": last.starred
      case "+": last.repeated
      case "?": last.optional
      default: last.counted(count?.least ?? 0, count?.most)
      }
    try push(repeated, at: start)
    if let count, max(count.least, count.most ?? 0) >= 2, repeated.copies > RE2Count.most {
      throw tooManyCopies(at: start, length: position - start)
    }
    return true
  }

  // MARK: - Groups

  private mutating func openGroup(at start: Int) throws(RE2Problem) {
    var isCapture = true
    let before = flags
    if peek(1) == "?" {
      switch try groupHead() {
      case .capture: break
      case .plain(let inner):
        isCapture = false
        flags = inner
      case .switchOnly(let new):
        flags = new
        return
      }
    } else {
      position += 1
    }
    guard outer.count < Self.deepest else { throw tooDeep(at: start) }
    outer.append(group)
    group = Group(start: start, isCapture: isCapture, outerFlags: before)
  }

  private mutating func closeGroup(at start: Int) throws(RE2Problem) {
    guard let enclosing = outer.popLast() else { throw unopenedGroup(start) }
    position += 1
    let closed = group
    var whole = finished(closed)
    // Its parts are counted already, each when it was read.
    size -= closed.choices.reduce(closed.current.whole.code.count) { $0 + $1.code.count }
    if closed.isCapture { whole = whole.raised }
    flags = closed.outerFlags
    group = enclosing
    try push(whole, at: closed.start)
  }

  private func finished(_ group: Group) -> RE2Fragment {
    .alternation(group.choices + [group.current.whole])
  }
}
