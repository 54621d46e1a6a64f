internal import HelixModel

/// Python's operators, as far as expressions use them.
enum Operators {
  /// A text or list repeated further than this would fill the memory, not a file.
  private static let longestRepetition = 1_000_000

  /// Whether Python takes a value for true.
  static func isTrue(_ value: Value) throws(Complaint) -> Bool {
    switch value {
    case .null: return false
    case .bool(let flag): return flag
    case .integer(let number): return number != 0
    case .number(let number): return number != 0
    case .text(let text): return !text.isEmpty
    case .hidden:
      try HiddenText.refuse([value])
      return true
    case .list(let list): return !list.isEmpty
    case .mapping(let mapping): return !mapping.isEmpty
    }
  }

  static func signed(_ value: Value, negative: Bool) throws(Complaint) -> Value {
    try HiddenText.refuse([value])
    switch number(value) {
    case .integer(let number):
      let (result, overflow) = 0.subtractingReportingOverflow(number)
      guard negative else { return .integer(number) }
      guard !overflow else { throw tooLarge() }
      return .integer(result)
    case .number(let number): return .number(negative ? -number : number)
    default:
      throw Complaint(
        "\(value.typeName) has no sign", remedy: "use int or float to turn it into a number")
    }
  }

  static func apply(
    _ operation: Arithmetic, _ left: Value, _ right: Value
  ) throws(Complaint) -> Value {
    switch (number(left), number(right)) {
    case (.integer(let first), .integer(let second)):
      return try whole(operation, first, second)
    case (.integer(let first), .number(let second)):
      return try fraction(operation, Double(first), second)
    case (.number(let first), .integer(let second)):
      return try fraction(operation, first, Double(second))
    case (.number(let first), .number(let second)):
      return try fraction(operation, first, second)
    default:
      guard !left.holdsSecret, !right.holdsSecret else {
        return try joined(operation, left, right)
      }
      return try collection(operation, left, right)
    }
  }

  /// True and false count as one and nought.
  private static func number(_ value: Value) -> Value {
    if case .bool(let flag) = value { .integer(flag ? 1 : 0) } else { value }
  }

  private static func whole(
    _ operation: Arithmetic, _ left: Int, _ right: Int
  ) throws(Complaint) -> Value {
    let result: (partialValue: Int, overflow: Bool)
    switch operation {
    case .add: result = left.addingReportingOverflow(right)
    case .subtract: result = left.subtractingReportingOverflow(right)
    case .multiply: result = left.multipliedReportingOverflow(by: right)
    case .divide:
      guard right != 0 else { throw divisionByZero() }
      return .number(Double(left) / Double(right))
    case .divideWhole, .remainder:
      guard right != 0 else { throw divisionByZero() }
      let (quotient, overflow) = left.dividedReportingOverflow(by: right)
      guard !overflow else { throw tooLarge() }
      let rest = left - quotient * right
      // Python rounds towards the smaller number.
      let isShort = rest != 0 && (rest < 0) != (right < 0)
      if operation == .remainder { return .integer(isShort ? rest + right : rest) }
      return .integer(isShort ? quotient - 1 : quotient)
    case .power: return .integer(try power(left, right))
    }
    guard !result.overflow else { throw tooLarge() }
    return .integer(result.partialValue)
  }

  private static func power(_ base: Int, _ exponent: Int) throws(Complaint) -> Int {
    guard exponent >= 0 else { throw noPower() }
    if base == 0 || base == 1 { return exponent == 0 ? 1 : base }
    if base == -1 { return exponent.isMultiple(of: 2) ? 1 : -1 }
    guard exponent < Int.bitWidth else { throw tooLarge() }
    var result = 1
    for _ in 0..<exponent {
      let (product, overflow) = result.multipliedReportingOverflow(by: base)
      guard !overflow else { throw tooLarge() }
      result = product
    }
    return result
  }

  private static func fraction(
    _ operation: Arithmetic, _ left: Double, _ right: Double
  ) throws(Complaint) -> Value {
    switch operation {
    case .add: return .number(left + right)
    case .subtract: return .number(left - right)
    case .multiply: return .number(left * right)
    case .power: throw noPower()
    case .divide, .divideWhole, .remainder:
      guard right != 0 else { throw divisionByZero() }
      if operation == .divide { return .number(left / right) }
      let rest = left.truncatingRemainder(dividingBy: right)
      let modulo = rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest
      if operation == .remainder { return .number(modulo) }
      return .number(((left - modulo) / right).rounded())
    }
  }

  private static func collection(
    _ operation: Arithmetic, _ left: Value, _ right: Value
  ) throws(Complaint) -> Value {
    switch (operation, left, right) {
    case (.add, .text(let first), .text(let second)): return .text(first + second)
    case (.add, .list(let first), .list(let second)): return .list(first + second)
    case (.multiply, .text(let text), .integer(let count)),
      (.multiply, .integer(let count), .text(let text)):
      guard text.utf8.count * max(0, min(count, longestRepetition)) <= longestRepetition,
        count <= longestRepetition
      else { throw Complaint("this text would be too long", remedy: "repeat it less often") }
      return .text(String(repeating: text, count: max(0, count)))
    case (.remainder, .text, _):
      throw Complaint(
        "filling text in with % is not supported by this version yet",
        remedy: "join the parts with ~")
    default:
      throw Complaint(
        "\"\(operation.rawValue)\" cannot join \(left.typeName) and \(right.typeName)",
        remedy: "join texts with ~, or use int or float to turn text into a number")
    }
  }

  private static func divisionByZero() -> Complaint {
    Complaint("this divides by nought", remedy: "test the divisor before")
  }

  private static func tooLarge() -> Complaint {
    Complaint(
      "the result is larger than this version can hold", remedy: "write the value as text")
  }

  private static func noPower() -> Complaint {
    Complaint(
      "\"**\" with fractions or negative exponents is not supported by this version yet",
      remedy: "write the result as a variable")
  }
}
