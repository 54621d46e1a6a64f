internal import HelixModel

extension Operators {
  static func compare(
    _ left: Value, _ comparison: Comparison, _ right: Value
  ) throws(Complaint) -> Bool {
    // The keys of a mapping are never secret.
    if case .mapping = right, comparison == .isIn || comparison == .isNotIn {
      try HiddenText.refuse([left])
    } else {
      try HiddenText.refuse([left, right])
    }
    switch comparison {
    case .equal: return areEqual(left, right)
    case .unequal: return !areEqual(left, right)
    case .less: return try isLess(left, right)
    case .lessOrEqual: return try isLess(left, right) || areEqual(left, right)
    case .greater: return try isLess(right, left)
    case .greaterOrEqual: return try isLess(right, left) || areEqual(left, right)
    case .isIn: return try contains(right, left)
    case .isNotIn: return try !contains(right, left)
    }
  }

  /// Python's `==`: places do not count, 1 equals 1.0 and true, mappings have no order.
  static func areEqual(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.null, .null): return true
    case (.text(let first), .text(let second)):
      // Swift takes é and e with an accent for the same, Python does not.
      return first.unicodeScalars.elementsEqual(second.unicodeScalars)
    case (.list(let first), .list(let second)):
      return first.count == second.count
        && zip(first, second).allSatisfy { areEqual($0.value, $1.value) }
    case (.mapping(let first), .mapping(let second)):
      return first.entries.count == second.entries.count
        && first.entries.allSatisfy { entry in
          second[entry.key].map { areEqual(entry.value.value, $0.value) } ?? false
        }
    default:
      if let first = wholeNumber(left), let second = wholeNumber(right) { return first == second }
      guard let first = anyNumber(left), let second = anyNumber(right) else { return false }
      return first == second
    }
  }

  static func isLess(_ left: Value, _ right: Value) throws(Complaint) -> Bool {
    if let first = wholeNumber(left), let second = wholeNumber(right) { return first < second }
    if let first = anyNumber(left), let second = anyNumber(right) { return first < second }
    switch (left, right) {
    case (.text(let first), .text(let second)):
      return first.unicodeScalars.lexicographicallyPrecedes(second.unicodeScalars)
    case (.list(let first), .list(let second)):
      for (one, other) in zip(first, second) where !areEqual(one.value, other.value) {
        return try isLess(one.value, other.value)
      }
      return first.count < second.count
    default:
      throw Complaint(
        "\(left.typeName) and \(right.typeName) have no order",
        remedy: "use int, float or string to make them alike")
    }
  }

  private static func contains(_ container: Value, _ value: Value) throws(Complaint) -> Bool {
    switch (container, value) {
    case (.list(let list), _): return list.contains { areEqual($0.value, value) }
    case (.mapping(let mapping), .text(let key)): return mapping[key] != nil
    case (.mapping, _): return false
    case (.text(let text), .text(let part)):
      return TextSearch.firstRange(of: part, in: text) != nil
    default:
      throw Complaint(
        "\"in\" cannot look for \(value.typeName) in \(container.typeName)",
        remedy: "look in a list, a mapping, or for text in text")
    }
  }

  private static func wholeNumber(_ value: Value) -> Int? {
    switch value {
    case .bool(let flag): flag ? 1 : 0
    case .integer(let number): number
    default: nil
    }
  }

  private static func anyNumber(_ value: Value) -> Double? {
    if case .number(let number) = value { number } else { wholeNumber(value).map(Double.init) }
  }
}

/// Finds text in text by Unicode scalars, as Python does, never by what letters look like.
enum TextSearch {
  /// Where a part first stands, counted in scalars.
  static func firstRange(
    of part: String, in text: String
  ) -> Range<String.UnicodeScalarView.Index>? {
    firstRange(of: part.unicodeScalars, in: text.unicodeScalars[...])
  }

  static func firstRange(
    of part: String.UnicodeScalarView, in text: Substring.UnicodeScalarView
  ) -> Range<String.UnicodeScalarView.Index>? {
    var start = text.startIndex
    while true {
      if text[start...].starts(with: part) {
        return start..<text.index(start, offsetBy: part.count)
      }
      guard start < text.endIndex else { return nil }
      start = text.index(after: start)
    }
  }
}
