internal import HelixModel

/// Takes a host pattern apart.
struct HostPatternParser {
  private let text: Located<String>

  init(_ text: Located<String>) { self.text = text }

  func terms() throws(Diagnostic) -> [HostPattern.Term] {
    var terms: [HostPattern.Term] = []
    for piece in pieces() { terms.append(try term(piece)) }
    guard !terms.isEmpty else {
      throw Diagnostic(
        "the host pattern is empty", remedy: "name hosts or groups, or write \"all\"",
        at: text.location)
    }
    return terms
  }

  // MARK: - Splitting

  /// A comma anywhere makes commas the separator; else colons outside brackets are.
  private func pieces() -> [Substring] {
    let whole = text.value[...]
    let parts: [Substring]
    if whole.contains(",") {
      parts = whole.split(separator: ",")
    } else if isAddress(whole) {
      parts = [whole]
    } else {
      parts = splitAtColons(whole)
    }
    return parts.map(trimmed).filter { !$0.isEmpty }
  }

  /// `fe80::1` is one name, not three.
  private func isAddress(_ text: Substring) -> Bool {
    let body = text.first == "!" || text.first == "&" ? text.dropFirst() : text
    return body.count(where: { $0 == ":" }) >= 2
      && body.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
  }

  private func splitAtColons(_ text: Substring) -> [Substring] {
    // A regular expression may hold colons of its own; it ends where the pattern does.
    if text.first == "~" { return [text] }
    var parts: [Substring] = []
    var start = text.startIndex
    var depth = 0
    for index in text.indices {
      switch text[index] {
      case "[": depth += 1
      case "]": depth = max(0, depth - 1)
      case ":" where depth == 0:
        parts.append(text[start..<index])
        start = text.index(after: index)
      default: break
      }
    }
    return parts + [text[start...]]
  }

  private func trimmed(_ text: Substring) -> Substring {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }

  // MARK: - One part

  private func term(_ piece: Substring) throws(Diagnostic) -> HostPattern.Term {
    let sign: HostPattern.Sign =
      switch piece.first {
      case "!": .exclusion
      case "&": .intersection
      default: .plain
      }
    let body = sign == .plain ? piece : trimmed(piece.dropFirst())
    let place = location(of: piece)
    guard !body.isEmpty else {
      throw Diagnostic(
        "\"\(piece)\" names no host", remedy: "write a host or group right after it", at: place)
    }
    guard body.first != "~" else {
      _ = try Self.regex(body.dropFirst(), at: place)
      return .init(sign: sign, expression: String(body), part: nil, location: place)
    }
    guard let (name, inner) = bracketed(body), let part = try subscripted(inner, at: place) else {
      return .init(sign: sign, expression: String(body), part: nil, location: place)
    }
    return .init(sign: sign, expression: String(name), part: part, location: place)
  }

  /// Where a part stands; exact while the pattern is on one line.
  private func location(of piece: Substring) -> SourceLocation {
    let offset = text.value.distance(from: text.value.startIndex, to: piece.startIndex)
    let place = text.location
    // Quotation marks take a place of their own in the file.
    let quote = place.length == text.value.count + 2 ? 1 : 0
    guard place.length >= text.value.count else { return place }
    return SourceLocation(
      file: place.file, line: place.line, column: place.column + offset + quote,
      length: max(1, piece.count))
  }

  /// `name` and what stands in the brackets at its end.
  private func bracketed(_ body: Substring) -> (name: Substring, inner: Substring)? {
    guard body.last == "]", let open = body.lastIndex(of: "["), open > body.startIndex else {
      return nil
    }
    return (body[..<open], body[body.index(after: open)...].dropLast())
  }

  /// The subscript in brackets; nil when they hold a glob's set of characters.
  private func subscripted(
    _ inner: Substring, at place: SourceLocation
  ) throws(Diagnostic) -> HostPattern.Subscript? {
    if let index = number(inner.first == "-" ? inner.dropFirst() : inner) {
      return .index(inner.first == "-" ? -index : index)
    }
    guard let colon = inner.firstIndex(of: ":"), let first = number(inner[..<colon]) else {
      return nil
    }
    let tail = inner[inner.index(after: colon)...]
    guard !tail.isEmpty else { return .range(first, nil) }
    guard let last = number(tail) else { return nil }
    guard first <= last else {
      throw Diagnostic(
        "the range [\(inner)] runs backwards", remedy: "write [\(last):\(first)]", at: place)
    }
    return .range(first, last)
  }

  private func number(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
    return Int(text)
  }

  static func regex(
    _ pattern: Substring, at place: SourceLocation
  ) throws(Diagnostic) -> Regex<AnyRegexOutput> {
    do {
      return try Regex(String(pattern))
    } catch {
      throw Diagnostic(
        "\"~\(pattern)\" is not a regular expression", reason: "\(error)",
        remedy: "correct the expression, or use a glob such as web*", at: place)
    }
  }
}
