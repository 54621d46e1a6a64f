/// Cuts a template into the texts and expressions it consists of.
///
/// It follows Jinja2 as Ansible's template module sets it up: `trim_blocks` on, `lstrip_blocks`
/// off, line ends made `\n`. The final line end is the renderer's business.
struct Scanner {
  /// A run of literal text, or the tokens of one `{{ … }}`.
  enum Piece {
    case text(String)
    case expression([Token])
  }

  private let scalars: [Unicode.Scalar]
  private let readsEscapes: Bool
  private var position = 0
  private var pieces: [Piece] = []
  private(set) var complaints: [Complaint] = []

  init(_ scalars: [Unicode.Scalar], readsEscapes: Bool) {
    self.scalars = scalars
    self.readsEscapes = readsEscapes
  }

  /// All pieces in order; what could not be read is in `complaints`.
  mutating func scan() -> [Piece] {
    while position < scalars.count {
      let start = position
      position = nextOpening()
      var end = position
      if position < scalars.count, trimsBefore { end = withoutBlanks(before: end, from: start) }
      append(start, end)
      guard position < scalars.count else { break }
      switch scalars[position + 1] {
      case "#": skipComment()
      case "%": refuseStatement()
      default: readExpression()
      }
    }
    return pieces
  }

  private func nextOpening() -> Int {
    var index = position
    while index + 1 < scalars.count {
      if scalars[index] == "{", ["{", "%", "#"].contains(scalars[index + 1]) { return index }
      index += 1
    }
    return scalars.count
  }

  /// `{{-`, `{#-`: the blanks before go.
  private var trimsBefore: Bool {
    position + 2 < scalars.count && scalars[position + 2] == "-"
  }

  private func withoutBlanks(before end: Int, from start: Int) -> Int {
    var end = end
    while end > start, scalars[end - 1].properties.isWhitespace { end -= 1 }
    return end
  }

  private mutating func append(_ start: Int, _ end: Int) {
    guard start < end else { return }
    var text = String.UnicodeScalarView()
    for index in start..<end {
      let scalar = scalars[index]
      if scalar == "\n", index > 0, scalars[index - 1] == "\r" { continue }
      text.append(scalar == "\r" ? "\n" : scalar)
    }
    pieces.append(.text(String(text)))
  }

  /// Moves behind the opening and the sign that may follow it.
  private mutating func enter() {
    position += 2
    if position < scalars.count, ["-", "+"].contains(scalars[position]) { position += 1 }
  }

  private mutating func readExpression() {
    let start = position
    enter()
    var lexer = Lexer(scalars, at: position, readsEscapes: readsEscapes)
    do {
      pieces.append(.expression(try lexer.tokens()))
      position = lexer.position
      if lexer.trimsAfter { skipBlanks() }
    } catch {
      complaints.append(error)
      leave(from: start, behind: "}}")
    }
  }

  private mutating func skipComment() {
    let start = position
    guard let end = index(of: "#}", from: position + 2) else {
      complaints.append(
        Complaint(
          "this comment is never closed", remedy: "write \"#}\" where it ends",
          at: Span(start: start, end: start + 2)))
      position = scalars.count
      return
    }
    position = end + 2
    switch scalars[end - 1] {
    case "-" where end - 1 >= start + 2: skipBlanks()
    case "+" where end - 1 >= start + 2: break
    default: skipLineEnd()
    }
  }

  private mutating func skipBlanks() {
    while position < scalars.count, scalars[position].properties.isWhitespace { position += 1 }
  }

  /// `trim_blocks`: the line end right behind a comment goes.
  private mutating func skipLineEnd() {
    if position < scalars.count, scalars[position] == "\r" { position += 1 }
    if position < scalars.count, scalars[position] == "\n" { position += 1 }
  }

  private mutating func refuseStatement() {
    let start = position
    enter()
    skipBlanks()
    let nameStart = position
    while position < scalars.count, scalars[position].properties.isXIDContinue { position += 1 }
    let word = String(String.UnicodeScalarView(scalars[nameStart..<position]))
    leave(from: start, behind: "%}")
    // The end of a statement that was already refused is no mistake of its own.
    guard !word.hasPrefix("end"), word != "else", word != "elif" else { return }
    complaints.append(
      Complaint(
        "the statement \"{% \(word) %}\" is not supported by this version yet",
        reason: "this version of helix-infra knows \"{{ … }}\" and \"{# … #}\" in templates",
        remedy: "compute the value in vars, for example with \"x if y else z\"",
        at: Span(start: start, end: start + 2)))
  }

  private mutating func leave(from start: Int, behind closing: String) {
    position = index(of: closing, from: start + 2).map { $0 + 2 } ?? scalars.count
  }

  private func index(of closing: String, from start: Int) -> Int? {
    let wanted = Array(closing.unicodeScalars)
    var index = start
    while index + 1 < scalars.count {
      if scalars[index] == wanted[0], scalars[index + 1] == wanted[1] { return index }
      index += 1
    }
    return nil
  }
}

extension String.UnicodeScalarView {
  fileprivate init(_ scalars: ArraySlice<Unicode.Scalar>) {
    self.init()
    append(contentsOf: scalars)
  }
}
