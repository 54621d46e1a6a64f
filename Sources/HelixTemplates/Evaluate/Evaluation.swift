internal import HelixModel

/// Works out the expressions of one template with the names of one namespace.
struct Evaluation {
  let source: TemplateSource
  let namespace: any Namespace
  let renderer: Renderer

  /// The finished value of an expression.
  func value(of expression: Expression) throws(Diagnostic) -> Value {
    try settled(operand(of: expression), at: expression.span)
  }

  func operand(of expression: Expression) throws(Diagnostic) -> Operand {
    switch expression.form {
    case .literal(let value): return .value(value)
    case .variable(let name): return try variable(name, at: expression.span)
    case .list(let elements): return .value(try list(elements))
    case .mapping(let pairs): return .value(try mapping(pairs))
    case .member(let base, let name):
      return try member(name, of: operand(of: base), at: expression.span)
    case .item(let base, let key):
      return try item(value(of: key), of: operand(of: base), at: expression.span)
    case .filter(let base, let call): return try filter(call, on: base)
    case .test(let base, let test, let negated):
      return .value(.bool(try self.test(test, on: base) != negated))
    case .choice(let first, let condition, let otherwise):
      if try isTrue(condition) { return try operand(of: first) }
      return try otherwise.map { other throws(Diagnostic) in try operand(of: other) }
        ?? .value(.null)
    default: return .value(try operation(expression))
    }
  }

  // MARK: - Operators

  private func operation(_ expression: Expression) throws(Diagnostic) -> Value {
    let span = expression.span
    switch expression.form {
    case .not(let inner): return .bool(try !isTrue(inner))
    case .and(let left, let right):
      let first = try value(of: left)
      return try isTrue(first, at: left.span) ? try value(of: right) : first
    case .or(let left, let right):
      let first = try value(of: left)
      return try isTrue(first, at: left.span) ? first : try value(of: right)
    case .sign(let inner, let negative):
      let number = try value(of: inner)
      return try placed(span) { () throws(Complaint) in
        try Operators.signed(number, negative: negative)
      }
    case .arithmetic(let operation, let left, let right):
      let (first, second) = (try value(of: left), try value(of: right))
      return try placed(span) { () throws(Complaint) in
        try Operators.apply(operation, first, second)
      }
    case .joined(let parts):
      var texts: [TemplateText] = []
      for part in parts { texts.append(try written(value(of: part), at: part.span)) }
      return HiddenText.joined(texts)
    case .comparison(let first, let rest):
      return .bool(try comparison(first, rest, at: span))
    default: return try value(of: expression)
    }
  }

  private func comparison(
    _ first: Expression, _ rest: [(Comparison, Expression)], at span: Span
  ) throws(Diagnostic) -> Bool {
    var left = try value(of: first)
    for (comparison, expression) in rest {
      let right = try value(of: expression)
      let holds = try placed(span) { () throws(Complaint) in
        try Operators.compare(left, comparison, right)
      }
      guard holds else { return false }
      left = right
    }
    return true
  }

  private func isTrue(_ expression: Expression) throws(Diagnostic) -> Bool {
    try isTrue(value(of: expression), at: expression.span)
  }

  private func isTrue(_ value: Value, at span: Span) throws(Diagnostic) -> Bool {
    try placed(span) { () throws(Complaint) in try Operators.isTrue(value) }
  }

  /// A value as a template writes it.
  func written(_ value: Value, at span: Span) throws(Diagnostic) -> TemplateText {
    try placed(span) { () throws(Complaint) in try HiddenText.text(of: value) }
  }

  // MARK: - Collections

  private func list(_ elements: [Expression]) throws(Diagnostic) -> Value {
    var nodes: [Node] = []
    for element in elements { nodes.append(node(try value(of: element))) }
    return .list(nodes)
  }

  private func mapping(_ pairs: [Expression.Pair]) throws(Diagnostic) -> Value {
    var mapping = Mapping()
    for pair in pairs {
      let written = try value(of: pair.key)
      try placed(pair.key.span) { () throws(Complaint) in try HiddenText.refuse([written]) }
      guard case .text(let key) = written else {
        let complaint = Complaint(
          "a key must be text", remedy: "put it into quotation marks", at: pair.key.span)
        throw source.diagnostic(complaint, at: pair.key.span)
      }
      let value = node(try value(of: pair.value))
      mapping.set(.init(key: key, keyLocation: value.location, value: value))
    }
    return .mapping(mapping)
  }

  /// Values that an expression makes stand where its template begins.
  private func node(_ value: Value) -> Node { Node(value, at: source.origin.start) }

  // MARK: - Filters and tests

  private func filter(
    _ call: Expression.FilterCall, on base: Expression
  ) throws(Diagnostic) -> Operand {
    // `default` is the one filter that may stand behind something that is not there.
    if call.filter.name == Filter.defaultName { return try fallback(call, on: base) }
    var arguments: [Value?] = []
    let input = try value(of: base)
    for argument in call.arguments {
      arguments.append(try argument.map { one throws(Diagnostic) in try value(of: one) })
    }
    let use = Filter.Use(value: input, arguments: arguments, location: source.origin.start)
    return .value(
      try placed(call.span) { () throws(Complaint) in try call.filter.applied(use) })
  }

  private func fallback(
    _ call: Expression.FilterCall, on base: Expression
  ) throws(Diagnostic) -> Operand {
    let operand = try operand(of: base)
    let alsoForFalse = try call.arguments[1].map { one throws(Diagnostic) in try isTrue(one) }
    if case .undefined = operand {
      // Nothing there: the other value it is.
    } else if alsoForFalse != true {
      return operand
    } else {
      let present = try settled(operand, at: base.span)
      if try isTrue(present, at: base.span) { return .value(present) }
    }
    guard let other = call.arguments[0] else { return .value(.text("")) }
    return try self.operand(of: other)
  }

  private func test(_ test: ValueTest, on base: Expression) throws(Diagnostic) -> Bool {
    let operand = try operand(of: base)
    if case .undefined = operand {
      guard test == .none else { return test == .undefined }
    }
    switch test {
    case .defined: return true
    case .undefined: return false
    case .none: return try settled(operand, at: base.span) == .null
    }
  }

  /// Runs what can complain without knowing places, and adds the place.
  func placed<Result>(
    _ span: Span, _ work: () throws(Complaint) -> Result
  ) throws(Diagnostic) -> Result {
    do { return try work() } catch { throw source.diagnostic(error, at: span) }
  }
}

extension Optional {
  /// `map` for closures that throw what their caller throws.
  fileprivate func map<Result>(
    _ transform: (Wrapped) throws(Diagnostic) -> Result
  ) throws(Diagnostic) -> Result? {
    guard let self else { return nil }
    return try transform(self)
  }
}
