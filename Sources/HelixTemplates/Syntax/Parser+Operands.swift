internal import HelixModel

extension Parser {
  // MARK: - Values

  mutating func primary() throws(Complaint) -> Expression {
    let token = current
    switch token.form {
    case .name(let name): return try named(name, token)
    case .text: return text()
    case .integer(let number):
      advance()
      return Expression(form: .literal(.integer(number)), span: token.span)
    case .number(let number):
      advance()
      return Expression(form: .literal(.number(number)), span: token.span)
    case .symbol("("): return try parenthesised()
    case .symbol("["): return try list()
    case .symbol("{"): return try mapping()
    case .symbol, .end: throw unexpected(wanted: "a value")
    }
  }

  private mutating func named(_ name: String, _ token: Token) throws(Complaint) -> Expression {
    let value: Value
    switch name {
    case "true", "True": value = .bool(true)
    case "false", "False": value = .bool(false)
    case "none", "None": value = .null
    case "not", "and", "or", "if", "else", "in", "is": throw unexpected(wanted: "a value")
    default:
      advance()
      return Expression(form: .variable(name), span: token.span)
    }
    advance()
    return Expression(form: .literal(value), span: token.span)
  }

  /// Texts side by side are one text.
  private mutating func text() -> Expression {
    let start = current.span
    var end = start
    var whole = ""
    while case .text(let text) = current.form {
      whole += text
      end = current.span
      advance()
    }
    return Expression(form: .literal(.text(whole)), span: start...end)
  }

  private mutating func parenthesised() throws(Complaint) -> Expression {
    let start = current
    advance()
    guard !isSymbol(")") else { throw tuple(start.span...current.span) }
    var inner = try choice()
    guard !isSymbol(",") else { throw tuple(current.span) }
    inner.span = start.span...current.span
    try expect(")")
    return inner
  }

  private func tuple(_ span: Span) -> Complaint {
    Complaint(
      "tuples are not supported by this version yet", remedy: "write a list: [a, b]", at: span)
  }

  private mutating func list() throws(Complaint) -> Expression {
    let start = current.span
    advance()
    var elements: [Expression] = []
    while !isSymbol("]") {
      if !elements.isEmpty {
        try expect(",")
        if isSymbol("]") { break }
      }
      elements.append(try choice())
    }
    let end = current.span
    advance()
    return Expression(form: .list(elements), span: start...end)
  }

  private mutating func mapping() throws(Complaint) -> Expression {
    let start = current.span
    advance()
    var pairs: [Expression.Pair] = []
    while !isSymbol("}") {
      if !pairs.isEmpty {
        try expect(",")
        if isSymbol("}") { break }
      }
      let key = try choice()
      try expect(":")
      pairs.append(.init(key: key, value: try choice()))
    }
    let end = current.span
    advance()
    return Expression(form: .mapping(pairs), span: start...end)
  }

  // MARK: - What may stand behind a value

  mutating func postfix(_ expression: Expression) throws(Complaint) -> Expression {
    var expression = expression
    while true {
      if skip(".") {
        expression = try member(of: expression)
      } else if skip("[") {
        expression = try item(of: expression)
      } else if isSymbol("(") {
        throw call(of: expression)
      } else {
        return expression
      }
    }
  }

  private mutating func member(of base: Expression) throws(Complaint) -> Expression {
    let token = current
    advance()
    switch token.form {
    case .name(let name):
      return Expression(form: .member(base, name), span: base.span...token.span)
    case .integer(let index):
      let key = Expression(form: .literal(.integer(index)), span: token.span)
      return Expression(form: .item(base, key), span: base.span...token.span)
    default:
      throw Complaint(
        "\(token.shown) is not expected here", reason: "a name should follow the dot",
        remedy: "correct the expression", at: token.span)
    }
  }

  private mutating func item(of base: Expression) throws(Complaint) -> Expression {
    guard !isSymbol(":") else { throw slice() }
    let key = try choice()
    guard !isSymbol(":") else { throw slice() }
    guard !isSymbol(",") else { throw tuple(current.span) }
    let end = current.span
    try expect("]")
    return Expression(form: .item(base, key), span: base.span...end)
  }

  private func slice() -> Complaint {
    Complaint(
      "slices are not supported by this version yet",
      remedy: "use first or last, or write the list as a variable", at: current.span)
  }

  private func call(of expression: Expression) -> Complaint {
    let name =
      switch expression.form {
      case .variable(let name): name
      case .member(_, let name): name
      default: ""
      }
    let subject = name.isEmpty ? "a call" : "\"\(name)(…)\""
    return Complaint(
      "\(subject) is not supported by this version yet",
      reason: "this version of helix-infra knows filters, but no functions, lookups or methods",
      remedy: "use a filter, or write the value as a variable", at: expression.span)
  }

  // MARK: - Filters and tests

  mutating func filtered(_ expression: Expression) throws(Complaint) -> Expression {
    var expression = expression
    while true {
      if skip("|") {
        expression = try filter(on: expression)
      } else if isWord("is") {
        advance()
        expression = try test(on: expression)
      } else if isSymbol("(") {
        throw call(of: expression)
      } else {
        return expression
      }
    }
  }

  /// A name that may have dots: `ansible.builtin.bool`.
  private mutating func dottedName() throws(Complaint) -> (name: String, span: Span) {
    let start = current.span
    var end = start
    var parts: [String] = []
    repeat {
      guard case .name(let part) = current.form else { throw unexpected(wanted: "a name") }
      parts.append(part)
      end = current.span
      advance()
    } while skip(".")
    return (parts.joined(separator: "."), start...end)
  }

  private mutating func filter(on base: Expression) throws(Complaint) -> Expression {
    let (name, span) = try dottedName()
    guard let filter = Filter.named(name) else { throw Filter.unknown(name, at: span) }
    var end = span
    var arguments = Arguments()
    if skip("(") { (arguments, end) = try self.arguments() }
    let bound = try filter.bind(arguments, at: span)
    let call = Expression.FilterCall(filter: filter, arguments: bound, span: span)
    return Expression(form: .filter(base, call), span: base.span...end)
  }

  private mutating func arguments() throws(Complaint) -> (Arguments, Span) {
    var arguments = Arguments()
    while !isSymbol(")") {
      if !arguments.isEmpty {
        try expect(",")
        if isSymbol(")") { break }
      }
      if case .name(let name) = current.form, let value = try keywordValue() {
        arguments.named.append((name, value))
      } else {
        arguments.positional.append(try choice())
      }
    }
    let end = current.span
    advance()
    return (arguments, end)
  }

  /// The value of `name=value`; nil, with nothing consumed, when it is no such thing.
  private mutating func keywordValue() throws(Complaint) -> Expression? {
    let before = self
    advance()
    if skip("=") { return try choice() }
    self = before
    return nil
  }

  private mutating func test(on base: Expression) throws(Complaint) -> Expression {
    let negated = isWord("not")
    if negated { advance() }
    let (name, span) = try dottedName()
    let known = ValueTest.allCases.map(\.rawValue)
    guard let test = ValueTest(rawValue: name) else {
      throw Complaint(
        "no test is named \"\(name)\"",
        reason: "this version of helix-infra knows: \(known.sorted().joined(separator: ", "))",
        remedy: nearestName(to: name, among: known).map { "did you mean \"\($0)\"?" }
          ?? "compare with ==, or compute the value in vars", at: span)
    }
    if isSymbol("(") { throw unexpected(wanted: "an operator or the end") }
    return Expression(form: .test(base, test, negated: negated), span: base.span...span)
  }
}

/// The arguments of a filter as written.
struct Arguments {
  var positional: [Expression] = []
  var named: [(String, Expression)] = []

  var isEmpty: Bool { positional.isEmpty && named.isEmpty }
}
