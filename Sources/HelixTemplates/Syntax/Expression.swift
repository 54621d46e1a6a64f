internal import HelixModel

/// An expression and where it stands in its template.
struct Expression: Sendable {
  indirect enum Form: Sendable {
    case literal(Value)
    case variable(String)
    case list([Expression])
    case mapping([Pair])
    case member(Expression, String)
    case item(Expression, Expression)
    case filter(Expression, FilterCall)
    case test(Expression, ValueTest, negated: Bool)
    case not(Expression)
    case sign(Expression, negative: Bool)
    case and(Expression, Expression)
    case or(Expression, Expression)
    case arithmetic(Arithmetic, Expression, Expression)
    case joined([Expression])
    case comparison(Expression, [(Comparison, Expression)])
    case choice(Expression, condition: Expression, otherwise: Expression?)
  }

  struct Pair: Sendable {
    var key: Expression
    var value: Expression
  }

  /// A filter with its arguments in the order of its parameters; nil where one is left out.
  struct FilterCall: Sendable {
    var filter: Filter
    var arguments: [Expression?]
    var span: Span
  }

  var form: Form
  var span: Span
}

/// The tests that `is` knows.
enum ValueTest: String, CaseIterable, Sendable {
  case defined, undefined, none
}

/// The operators between numbers.
enum Arithmetic: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case divideWhole = "//"
  case remainder = "%"
  case power = "**"
}

/// The operators that compare.
enum Comparison: String, Sendable {
  case equal = "=="
  case unequal = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case isIn = "in"
  case isNotIn = "not in"
}
