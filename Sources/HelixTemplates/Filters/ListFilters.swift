internal import HelixModel

extension Filter {
  /// Filters that look into lists.
  static let listFilters: [Filter] = [
    Filter("length", takesSecrets: true) { use throws(Complaint) in .integer(try count(use)) },
    Filter("first", takesSecrets: true) { use throws(Complaint) in try end(use, \.first) },
    Filter("last", takesSecrets: true) { use throws(Complaint) in try end(use, \.last) },
    Filter("join", ["d"], takesSecrets: true) { use throws(Complaint) in try joined(use) },
    Filter("unique", ["case_sensitive"]) { use throws(Complaint) in try unique(use) },
    Filter("sort", ["reverse", "case_sensitive"]) { use throws(Complaint) in try sorted(use) },
  ]

  private static func joined(_ use: Use) throws(Complaint) -> Value {
    let separator = try HiddenText.text(of: use.arguments[0] ?? .text(""))
    var texts: [TemplateText] = []
    for element in try use.elements() {
      if !texts.isEmpty { texts.append(separator) }
      texts.append(try HiddenText.text(of: element))
    }
    return HiddenText.joined(texts)
  }

  private static func count(_ use: Use) throws(Complaint) -> Int {
    switch use.value {
    case .list(let list): return list.count
    case .mapping(let mapping): return mapping.entries.count
    case .text(let text): return text.unicodeScalars.count
    default:
      try HiddenText.refuse([use.value])
      throw Complaint(
        "\(use.value.typeName) has no length", remedy: "use this filter on a list or on text")
    }
  }

  private static func end(
    _ use: Use, _ choose: ([Value]) -> Value?
  ) throws(Complaint) -> Value {
    guard let element = choose(try use.elements()) else {
      throw Complaint(
        "there is no element in this", remedy: "test its length before, or give it one")
    }
    return element
  }

  private static func unique(_ use: Use) throws(Complaint) -> Value {
    var seen: [Value] = []
    var kept: [Value] = []
    let caseSensitive = try use.isTrue(0)
    for element in try use.elements() {
      let key = folded(element, caseSensitive: caseSensitive)
      guard !seen.contains(where: { Operators.areEqual($0, key) }) else { continue }
      seen.append(key)
      kept.append(element)
    }
    return use.list(kept)
  }

  /// A stable merge sort, as Python's is stable and the standard library's may not throw.
  private static func sorted(_ use: Use) throws(Complaint) -> Value {
    let caseSensitive = try use.isTrue(1)
    var pairs: [(key: Value, value: Value)] = try use.elements().map {
      (folded($0, caseSensitive: caseSensitive), $0)
    }
    let reverse = try use.isTrue(0)
    pairs = try merged(pairs[...]) { left, right throws(Complaint) in
      reverse ? try Operators.isLess(left, right) : try Operators.isLess(right, left)
    }
    return use.list(pairs.map(\.value))
  }

  private static func merged(
    _ pairs: ArraySlice<(key: Value, value: Value)>,
    isAfter: (Value, Value) throws(Complaint) -> Bool
  ) throws(Complaint) -> [(key: Value, value: Value)] {
    guard pairs.count > 1 else { return Array(pairs) }
    let middle = pairs.startIndex + pairs.count / 2
    let left = try merged(pairs[..<middle], isAfter: isAfter)
    let right = try merged(pairs[middle...], isAfter: isAfter)
    var result: [(key: Value, value: Value)] = []
    var (first, second) = (0, 0)
    while first < left.count, second < right.count {
      if try isAfter(left[first].key, right[second].key) {
        result.append(right[second])
        second += 1
      } else {
        result.append(left[first])
        first += 1
      }
    }
    return result + left[first...] + right[second...]
  }

  /// What Jinja2 compares: text in lower case, unless asked otherwise.
  private static func folded(_ value: Value, caseSensitive: Bool) -> Value {
    guard !caseSensitive, case .text(let text) = value else { return value }
    return .text(text.lowercased())
  }
}

extension Filter.Use {
  fileprivate func list(_ values: [Value]) -> Value {
    .list(values.map { Node($0, at: location) })
  }
}
