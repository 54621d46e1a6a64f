internal import HelixModel

/// Host names with ranges in them: `node[01:20]`, `db-[a:d]`, `rack[1:9:2]-node[1:4]`.
enum HostRange {
  /// More names than any estate has; a slip of the finger should not fill the memory.
  private static let mostNames = 100_000

  /// The names that a key stands for, and the port when it ends in one (`web:2222`).
  static func expand(
    _ text: Located<String>
  ) throws(Diagnostic) -> (names: [HostName], port: Int?) {
    let (pattern, port) = splitPort(text.value)
    let names = try expanded(pattern, in: text)
    for name in names { try check(name, in: text) }
    return (names.map { HostName($0) }, port)
  }

  /// The names of the first range's values, each expanded in turn.
  private static func expanded(
    _ name: String, in text: Located<String>
  ) throws(Diagnostic) -> [String] {
    guard let range = try firstRange(in: name, at: text.location) else { return [name] }
    var names: [String] = []
    for value in range.values {
      names += try expanded(range.head + value + range.tail, in: text)
      guard names.count <= mostNames else {
        throw Diagnostic(
          "\"\(text.value)\" stands for more than \(mostNames) hosts",
          remedy: "check the ends of its ranges", at: text.location)
      }
    }
    return names
  }

  private struct Range {
    var head: Substring
    var values: [String]
    var tail: Substring
  }

  /// `name:22`, but not an IPv6 address, whose colons are its own.
  private static func splitPort(_ text: String) -> (String, Int?) {
    var depth = 0
    var colons: [String.Index] = []
    for index in text.indices {
      switch text[index] {
      case "[": depth += 1
      case "]": depth -= 1
      case ":" where depth == 0: colons.append(index)
      default: break
      }
    }
    guard colons.count == 1, let colon = colons.first,
      let port = Int(text[text.index(after: colon)...])
    else { return (text, nil) }
    let name = text[..<colon]
    let isBracketed = name.first == "[" && name.last == "]"
    return (String(isBracketed ? name.dropFirst().dropLast() : name), port)
  }

  private static func firstRange(
    in name: String, at place: SourceLocation
  ) throws(Diagnostic) -> Range? {
    guard let open = name.firstIndex(of: "["), let close = name[open...].firstIndex(of: "]") else {
      return nil
    }
    let inner = name[name.index(after: open)..<close]
    return Range(
      head: name[..<open], values: try values(inner, at: place),
      tail: name[name.index(after: close)...])
  }

  private static func values(
    _ inner: Substring, at place: SourceLocation
  ) throws(Diagnostic) -> [String] {
    let bounds = inner.split(separator: ":", omittingEmptySubsequences: false)
    guard bounds.count == 2 || bounds.count == 3 else {
      throw malformed(inner, "a range has two ends and perhaps a step", at: place)
    }
    let step = bounds.count == 3 ? Int(bounds[2]) ?? 0 : 1
    guard step > 0 else { throw malformed(inner, "the step must be a number above 0", at: place) }
    let first = bounds[0].isEmpty ? "0" : bounds[0]
    let last = bounds[1]
    guard !last.isEmpty else { throw malformed(inner, "the range has no end", at: place) }
    if let letters = letters(first, last) {
      guard !letters.isEmpty else { throw backwards(inner, first, last, at: place) }
      return stride(from: 0, to: letters.count, by: step).map { letters[$0] }
    }
    return try numbers(inner, from: first, to: last, by: step, at: place)
  }

  private static func numbers(
    _ inner: Substring, from first: Substring, to last: Substring, by step: Int,
    at place: SourceLocation
  ) throws(Diagnostic) -> [String] {
    guard let start = Int(first), let end = Int(last) else {
      throw malformed(inner, "its ends are neither two numbers nor two letters", at: place)
    }
    guard start <= end else { throw backwards(inner, first, last, at: place) }
    let isPadded = first.hasPrefix("0") && first.count > 1
    guard !isPadded || first.count == last.count else {
      throw malformed(inner, "ends with leading zeros must be equally long", at: place)
    }
    guard (end - start) / step < mostNames else {
      throw malformed(inner, "it stands for more than \(mostNames) names", at: place)
    }
    return stride(from: start, through: end, by: step).map { number in
      let digits = String(number)
      return isPadded
        ? String(repeating: "0", count: max(0, first.count - digits.count)) + digits : digits
    }
  }

  /// The letters from one to another, as ASCII orders them within a case; empty when backwards.
  private static func letters(_ first: Substring, _ last: Substring) -> [String]? {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ").map(String.init)
    guard let start = alphabet.firstIndex(of: String(first)),
      let end = alphabet.firstIndex(of: String(last))
    else { return nil }
    return start <= end ? Array(alphabet[start...end]) : []
  }

  private static func malformed(
    _ inner: Substring, _ reason: String, at place: SourceLocation
  ) -> Diagnostic {
    Diagnostic(
      "\"[\(inner)]\" is not a range of hosts", reason: reason,
      remedy: "write a range such as [1:20], [01:20] or [a:d]", at: place)
  }

  private static func backwards(
    _ inner: Substring, _ first: Substring, _ last: Substring, at place: SourceLocation
  ) -> Diagnostic {
    Diagnostic(
      "the range [\(inner)] runs backwards", reason: "it stands for no host at all",
      remedy: "write [\(last):\(first)]", at: place)
  }

  private static func check(_ name: String, in text: Located<String>) throws(Diagnostic) {
    let isPlain = name.allSatisfy { character in
      character.isLetter || character.isNumber || "-_.:".contains(character)
    }
    guard !isPlain || name.isEmpty else { return }
    throw Diagnostic(
      name.isEmpty ? "a host has an empty name" : "\"\(name)\" is not a host name",
      reason: "a name has letters, digits, dots, dashes and underscores",
      remedy: "correct the name; an address goes into ansible_host", at: text.location)
  }
}
