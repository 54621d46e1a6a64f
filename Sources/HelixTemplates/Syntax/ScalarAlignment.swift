/// Finds the place of a decoded YAML scalar's characters in the file it was decoded from.
///
/// Quotation marks, escapes, indentation and folded line breaks are in the file but not in the
/// value. Both are walked side by side; blanks are never compared, because folding changes them.
struct ScalarAlignment {
  private enum Style { case plain, single, double }

  private let decoded: [Unicode.Scalar]
  private let raw: [Unicode.Scalar]
  private let style: Style
  private let start: Int

  init(decoded: [Unicode.Scalar], raw: [Unicode.Scalar], start: Int) {
    self.decoded = decoded
    self.raw = raw
    switch start < raw.count ? raw[start] : " " {
    case "'": (style, self.start) = (.single, start + 1)
    case "\"": (style, self.start) = (.double, start + 1)
    case "|", ">":
      // The header of a block scalar: the text begins on the next line.
      style = .plain
      self.start = raw[start...].firstIndex(of: "\n") ?? raw.count
    default: (style, self.start) = (.plain, start)
    }
  }

  /// The stretch of the file that a stretch of the value came from; nil when they do not match.
  func span(of wanted: Span) -> Span? {
    var position = start
    var first: Int?
    for index in decoded.indices where index < max(wanted.end, wanted.start + 1) {
      guard !decoded[index].properties.isWhitespace else { continue }
      position = afterBlanks(position)
      guard let end = unit(at: position, for: decoded[index]) else { return nil }
      if index >= wanted.start, first == nil { first = position }
      position = end
    }
    guard let first else { return Span(start: position, end: position + 1) }
    return Span(start: first, end: position)
  }

  private func afterBlanks(_ start: Int) -> Int {
    var position = start
    while position < raw.count {
      if raw[position].properties.isWhitespace {
        position += 1
      } else if style == .double, raw[position] == "\\", position + 1 < raw.count,
        ["n", "t", "r", " ", "\n"].contains(raw[position + 1])
      {
        position += 2
      } else {
        break
      }
    }
    return position
  }

  /// The end of the piece of the file that stands for one character.
  private func unit(at position: Int, for scalar: Unicode.Scalar) -> Int? {
    guard position < raw.count else { return nil }
    let next = position + 1 < raw.count ? raw[position + 1] : " "
    switch (style, raw[position]) {
    case (.single, "'") where next == "'": return position + 2
    case (.double, "\\"):
      switch next {
      case "x": return position + 4
      case "u": return position + 6
      case "U": return position + 10
      default: return position + 2
      }
    case (_, scalar): return position + 1
    default: return nil
    }
  }
}
