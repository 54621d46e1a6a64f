internal import HelixModel

/// Builds an expression from tokens, with Jinja2's grammar and order of operators.
struct Parser {
  /// Deeper nesting is refused before it could exhaust the stack.
  private static let deepest = 60

  private let tokens: [Token]
  private var position = 0
  private var depth = 0

  init(_ tokens: [Token]) { self.tokens = tokens }

  /// The whole expression between `{{` and `}}`.
  mutating func parse() throws(Complaint) -> Expression {
    if current.form == .end {
      throw Complaint(
        "there is nothing between \"{{\" and \"}}\"", remedy: "name a variable",
        at: current.span)
    }
    let expression = try choice()
    guard current.form == .end else { throw unexpected(wanted: "an operator or the end") }
    return expression
  }

  // MARK: - Tokens

  var current: Token { tokens[min(position, tokens.count - 1)] }

  private var following: Token { tokens[min(position + 1, tokens.count - 1)] }

  mutating func advance() { position += 1 }

  func isSymbol(_ symbol: String) -> Bool { current.form == .symbol(symbol) }

  func isWord(_ word: String) -> Bool { current.form == .name(word) }

  /// Steps over a symbol if it is there.
  mutating func skip(_ symbol: String) -> Bool {
    guard isSymbol(symbol) else { return false }
    advance()
    return true
  }

  mutating func expect(_ symbol: String) throws(Complaint) {
    guard skip(symbol) else { throw unexpected(wanted: "\"\(symbol)\"") }
  }

  func unexpected(wanted: String) -> Complaint {
    Complaint(
      "\(current.shown) is not expected here", reason: "\(wanted) should follow",
      remedy: "correct the expression", at: current.span)
  }

  // MARK: - Operators, the loosest first

  mutating func choice() throws(Complaint) -> Expression {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.deepest else {
      throw Complaint(
        "this expression is nested too deeply", remedy: "compute parts of it in vars",
        at: current.span)
    }
    var expression = try disjunction()
    while isWord("if") {
      advance()
      let condition = try disjunction()
      var otherwise: Expression?
      if isWord("else") {
        advance()
        otherwise = try choice()
      }
      let span = expression.span...(otherwise ?? condition).span
      expression = Expression(
        form: .choice(expression, condition: condition, otherwise: otherwise), span: span)
    }
    return expression
  }

  private mutating func disjunction() throws(Complaint) -> Expression {
    var left = try conjunction()
    while isWord("or") {
      advance()
      let right = try conjunction()
      left = Expression(form: .or(left, right), span: left.span...right.span)
    }
    return left
  }

  private mutating func conjunction() throws(Complaint) -> Expression {
    var left = try negation()
    while isWord("and") {
      advance()
      let right = try negation()
      left = Expression(form: .and(left, right), span: left.span...right.span)
    }
    return left
  }

  private mutating func negation() throws(Complaint) -> Expression {
    var starts: [Span] = []
    while isWord("not") {
      starts.append(current.span)
      advance()
    }
    var expression = try comparison()
    for start in starts.reversed() {
      expression = Expression(form: .not(expression), span: start...expression.span)
    }
    return expression
  }

  private mutating func comparison() throws(Complaint) -> Expression {
    let first = try sum()
    var rest: [(Comparison, Expression)] = []
    while let operation = comparisonOperator() {
      rest.append((operation, try sum()))
    }
    guard let last = rest.last else { return first }
    return Expression(form: .comparison(first, rest), span: first.span...last.1.span)
  }

  private mutating func comparisonOperator() -> Comparison? {
    var operation: Comparison?
    switch current.form {
    case .symbol(let symbol): operation = Comparison(rawValue: symbol)
    case .name("in"): operation = .isIn
    case .name("not") where following.form == .name("in"):
      operation = .isNotIn
      advance()
    default: break
    }
    if operation != nil { advance() }
    return operation
  }

  private mutating func sum() throws(Complaint) -> Expression {
    var left = try joined()
    while let operation = arithmeticOperator(["+", "-"]) {
      let right = try joined()
      left = Expression(
        form: .arithmetic(operation, left, right), span: left.span...right.span)
    }
    return left
  }

  private mutating func joined() throws(Complaint) -> Expression {
    let first = try product()
    var parts = [first]
    while skip("~") { parts.append(try product()) }
    guard let last = parts.last, parts.count > 1 else { return first }
    return Expression(form: .joined(parts), span: first.span...last.span)
  }

  private mutating func product() throws(Complaint) -> Expression {
    var left = try power()
    while let operation = arithmeticOperator(["*", "/", "//", "%"]) {
      let right = try power()
      left = Expression(
        form: .arithmetic(operation, left, right), span: left.span...right.span)
    }
    return left
  }

  private mutating func power() throws(Complaint) -> Expression {
    var left = try signed(withFilters: true)
    while let operation = arithmeticOperator(["**"]) {
      let right = try signed(withFilters: true)
      left = Expression(
        form: .arithmetic(operation, left, right), span: left.span...right.span)
    }
    return left
  }

  private mutating func arithmeticOperator(_ symbols: [String]) -> Arithmetic? {
    guard case .symbol(let symbol) = current.form, symbols.contains(symbol) else { return nil }
    advance()
    return Arithmetic(rawValue: symbol)
  }

  private mutating func signed(withFilters: Bool) throws(Complaint) -> Expression {
    var signs: [Token] = []
    while isSymbol("-") || isSymbol("+") {
      signs.append(current)
      advance()
    }
    var expression = try postfix(primary())
    for sign in signs.reversed() {
      expression = Expression(
        form: .sign(expression, negative: sign.form == .symbol("-")),
        span: sign.span...expression.span)
    }
    return withFilters ? try filtered(expression) : expression
  }
}
