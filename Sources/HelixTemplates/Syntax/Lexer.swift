/// Cuts the inside of `{{ … }}` into tokens.
struct Lexer {
  private static let symbols = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "|", ".",
    ",", ":", "(", ")", "[", "]", "{", "}",
  ].map { Array($0.unicodeScalars) }

  private let scalars: [Unicode.Scalar]
  private let readsEscapes: Bool
  private(set) var position: Int
  /// Open brackets: inside them `}}` closes brackets, not the expression.
  private var open: [Token] = []
  /// Whether the expression ended in `-}}`, which eats the blanks behind it.
  private(set) var trimsAfter = false

  init(_ scalars: [Unicode.Scalar], at position: Int, readsEscapes: Bool) {
    self.scalars = scalars
    self.position = position
    self.readsEscapes = readsEscapes
  }

  /// All tokens up to and with the end of the expression; the position is then behind `}}`.
  mutating func tokens() throws(Complaint) -> [Token] {
    let start = position
    var tokens: [Token] = []
    while true {
      skipBlanks()
      guard position < scalars.count else {
        throw Complaint(
          "this expression is never closed", reason: "\"{{\" needs a \"}}\" behind it",
          remedy: "write \"}}\" where the expression ends",
          at: Span(start: max(0, start - 2), end: start))
      }
      let token = try next()
      tokens.append(token)
      if token.form == .end { return tokens }
    }
  }

  private mutating func skipBlanks() {
    while position < scalars.count, scalars[position].properties.isWhitespace { position += 1 }
  }

  private mutating func next() throws(Complaint) -> Token {
    let start = position
    if open.isEmpty, let end = closing() {
      position = end
      return Token(form: .end, span: Span(start: start, end: end))
    }
    let scalar = scalars[position]
    if scalar == "'" || scalar == "\"" { return try string(quote: scalar) }
    if isDigit(scalar) { return try number() }
    if scalar == "_" || scalar.properties.isXIDStart {
      while position < scalars.count, scalars[position].properties.isXIDContinue { position += 1 }
      let span = Span(start: start, end: position)
      return Token(form: .name(slice(span)), span: span)
    }
    return try symbol()
  }

  /// Where the expression's end ends, if it is here.
  private mutating func closing() -> Int? {
    if matches("-}}") {
      trimsAfter = true
      return position + 3
    }
    return matches("}}") ? position + 2 : nil
  }

  private func matches(_ text: String) -> Bool {
    let wanted = Array(text.unicodeScalars)
    return position + wanted.count <= scalars.count
      && scalars[position..<position + wanted.count].elementsEqual(wanted)
  }

  private mutating func symbol() throws(Complaint) -> Token {
    let rest = scalars[position...]
    guard let found = Self.symbols.first(where: { rest.starts(with: $0) }) else {
      throw Complaint(
        "\"\(scalars[position])\" means nothing in an expression",
        remedy: "remove it, or put text into quotation marks",
        at: Span(start: position, end: position + 1))
    }
    let span = Span(start: position, end: position + found.count)
    let token = Token(form: .symbol(slice(span)), span: span)
    try balance(token)
    position = span.end
    return token
  }

  private mutating func balance(_ token: Token) throws(Complaint) {
    let pairs = [")": "(", "]": "[", "}": "{"]
    guard case .symbol(let symbol) = token.form else { return }
    if pairs.values.contains(symbol) { open.append(token) }
    guard let opening = pairs[symbol] else { return }
    guard let last = open.popLast() else {
      throw Complaint(
        "\"\(symbol)\" closes nothing", remedy: "remove it, or open it before", at: token.span)
    }
    guard last.form == .symbol(opening) else {
      throw Complaint(
        "\"\(symbol)\" cannot close \(last.shown)", remedy: "close brackets in order",
        at: token.span)
    }
  }

  private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  private func slice(_ span: Span) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars[span.start..<span.end])
    return String(text)
  }
}

extension Lexer {
  private mutating func number() throws(Complaint) -> Token {
    let start = position
    if let base = skipPrefixedDigits() {
      return try integer(slice(Span(start: start, end: position)).dropFirst(2), base, start)
    }
    position = endOfDigits(position)
    if let end = fraction(), let value = Double(plain(Span(start: start, end: end))) {
      position = end
      return Token(form: .number(value), span: Span(start: start, end: end))
    }
    return try integer(slice(Span(start: start, end: position))[...], 10, start)
  }

  /// Walks over a number such as `0x1f`; its base, or nil when it has no such prefix.
  private mutating func skipPrefixedDigits() -> Int? {
    let bases: [Unicode.Scalar: Int] = ["x": 16, "X": 16, "o": 8, "O": 8, "b": 2, "B": 2]
    let next = position + 1 < scalars.count ? scalars[position + 1] : " "
    guard scalars[position] == "0", let base = bases[next] else { return nil }
    position += 2
    while position < scalars.count,
      scalars[position].properties.isASCIIHexDigit || scalars[position] == "_"
    {
      position += 1
    }
    return base
  }

  private func endOfDigits(_ start: Int) -> Int {
    var end = start
    while end < scalars.count, isDigit(scalars[end]) || scalars[end] == "_" { end += 1 }
    return end
  }

  /// The end of a number with a fraction or an exponent; nil when it has neither.
  private func fraction() -> Int? {
    var end = position
    if end + 1 < scalars.count, scalars[end] == ".", isDigit(scalars[end + 1]) {
      end = endOfDigits(end + 1)
    }
    if end + 1 < scalars.count, scalars[end] == "e" || scalars[end] == "E" {
      let sign = scalars[end + 1] == "+" || scalars[end + 1] == "-" ? 1 : 0
      if end + 1 + sign < scalars.count, isDigit(scalars[end + 1 + sign]) {
        end = endOfDigits(end + 1 + sign)
      }
    }
    return end == position ? nil : end
  }

  private func integer(
    _ digits: Substring, _ base: Int, _ start: Int
  ) throws(Complaint) -> Token {
    let span = Span(start: start, end: position)
    let bare = digits.filter { $0 != "_" }
    guard let value = Int(bare, radix: base) else {
      throw Complaint(
        "\(slice(span)) is not a whole number this version can hold",
        remedy: "write it as text, in quotation marks", at: span)
    }
    return Token(form: .integer(value), span: span)
  }

  private func plain(_ span: Span) -> String { slice(span).filter { $0 != "_" } }

  private mutating func string(quote: Unicode.Scalar) throws(Complaint) -> Token {
    let start = position
    var text = String.UnicodeScalarView()
    position += 1
    while position < scalars.count, scalars[position] != quote {
      if scalars[position] == "\\", position + 1 < scalars.count {
        try appendEscape(to: &text)
      } else {
        text.append(scalars[position])
        position += 1
      }
    }
    guard position < scalars.count else {
      throw Complaint(
        "this text is never closed", remedy: "write \(quote) where it ends",
        at: Span(start: start, end: start + 1))
    }
    position += 1
    return Token(form: .text(String(text)), span: Span(start: start, end: position))
  }

  private mutating func appendEscape(to text: inout String.UnicodeScalarView) throws(Complaint) {
    let letter = scalars[position + 1]
    position += 2
    guard readsEscapes else {
      text.append("\\")
      text.append(letter)
      return
    }
    guard !("0"..."7").contains(letter) else {
      throw Complaint(
        "\"\\\(letter)\" is not supported in texts", reason: "it would be an octal escape",
        remedy: "write \\x and two hexadecimal digits",
        at: Span(start: position - 2, end: position))
    }
    if let scalar = numericEscape(letter) {
      text.append(scalar)
    } else if let plain = Self.escapes[letter] {
      text.append(contentsOf: plain.unicodeScalars)
    } else {
      text.append("\\")
      text.append(letter)
    }
  }

  private static let escapes: [Unicode.Scalar: String] = [
    "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}",
    "f": "\u{c}", "v": "\u{b}", "\n": "",
  ]

  /// `\x41`, `\u0041` and `\U00000041`; moves on only when the digits are there.
  private mutating func numericEscape(_ letter: Unicode.Scalar) -> Unicode.Scalar? {
    let lengths: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]
    guard let length = lengths[letter], position + length <= scalars.count,
      let code = UInt32(slice(Span(start: position, end: position + length)), radix: 16),
      let scalar = Unicode.Scalar(code)
    else { return nil }
    position += length
    return scalar
  }
}
