internal import HelixModel

/// Reads a value of an INI inventory: Ansible takes Python literals for what they are, and
/// everything else for text.
enum INIValue {
  static func node(_ text: String, at place: SourceLocation) -> Node {
    var literal = PythonLiteral(text, at: place)
    let value = literal.whole()
    guard case .text = value ?? .text("") else {
      return Node(value ?? .text(text), at: place, written: text)
    }
    return Node(value ?? .text(text), at: place)
  }
}

/// A small reader of Python's literals: None, True, False, numbers, strings, lists and dictionaries.
private struct PythonLiteral {
  private var rest: Substring
  private let place: SourceLocation

  init(_ text: String, at place: SourceLocation) {
    rest = text[...]
    self.place = place
  }

  /// The literal that the whole text is; nil when it is none.
  mutating func whole() -> Value? {
    skipBlanks()
    guard let value = value(depth: 0) else { return nil }
    skipBlanks()
    return rest.isEmpty ? value : nil
  }

  private mutating func value(depth: Int) -> Value? {
    guard depth < 50, let first = rest.first else { return nil }
    switch first {
    case "'", "\"": return string(first).map(Value.text)
    case "[": return list(closing: "]", depth: depth)
    case "(": return list(closing: ")", depth: depth)
    case "{": return dictionary(depth: depth)
    default: return word()
    }
  }

  private mutating func word() -> Value? {
    let word = rest.prefix { !$0.isWhitespace && !",]})(:".contains($0) }
    rest = rest[word.endIndex...]
    switch word {
    case "None": return .null
    case "True": return .bool(true)
    case "False": return .bool(false)
    default: return number(word)
    }
  }

  private func number(_ word: Substring) -> Value? {
    let digits = word.drop { $0 == "-" || $0 == "+" }
    guard word.count - digits.count <= 1, let first = digits.first, first.isASCII,
      first.isNumber || first == ".", !digits.contains("_"), !digits.lowercased().contains("n")
    else { return nil }
    let sign = word.first == "-" ? -1 : 1
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)]
    where digits.lowercased().hasPrefix(prefix) {
      return Int(digits.dropFirst(2), radix: radix).map { .integer(sign * $0) }
    }
    // Python has no decimal numbers with leading zeros: 0644 is text.
    if digits.allSatisfy(\.isNumber) {
      guard digits.count == 1 || first != "0" || digits.allSatisfy({ $0 == "0" }) else {
        return nil
      }
      return Int(digits).map { .integer(sign * $0) }
    }
    let decimal = digits.hasPrefix(".") ? "0\(digits)" : String(digits)
    return Double(decimal.hasSuffix(".") ? decimal + "0" : decimal).map {
      .number(Double(sign) * $0)
    }
  }

  private mutating func string(_ quote: Character) -> String? {
    rest.removeFirst()
    var text = ""
    while let character = rest.popFirst() {
      switch character {
      case quote: return text
      case "\\":
        guard let next = rest.popFirst() else { return nil }
        switch next {
        case "n": text += "\n"
        case "t": text += "\t"
        case "r": text += "\r"
        case "\\", "'", "\"": text.append(next)
        default: text += "\\" + String(next)
        }
      default: text.append(character)
      }
    }
    return nil
  }

  private mutating func list(closing: Character, depth: Int) -> Value? {
    rest.removeFirst()
    var elements: [Node] = []
    while true {
      skipBlanks()
      if rest.first == closing {
        rest.removeFirst()
        return .list(elements)
      }
      guard let element = value(depth: depth + 1) else { return nil }
      elements.append(Node(element, at: place))
      guard separated(before: closing) else { return nil }
    }
  }

  private mutating func dictionary(depth: Int) -> Value? {
    rest.removeFirst()
    var entries = Mapping()
    while true {
      skipBlanks()
      if rest.first == "}" {
        rest.removeFirst()
        return .mapping(entries)
      }
      guard let quote = rest.first, quote == "'" || quote == "\"", let key = string(quote) else {
        return nil
      }
      skipBlanks()
      guard rest.popFirst() == ":" else { return nil }
      skipBlanks()
      guard let element = value(depth: depth + 1) else { return nil }
      entries.set(.init(key: key, keyLocation: place, value: Node(element, at: place)))
      guard separated(before: "}") else { return nil }
    }
  }

  /// Takes a comma, or stays before the closing bracket.
  private mutating func separated(before closing: Character) -> Bool {
    skipBlanks()
    if rest.first == "," {
      rest.removeFirst()
      return true
    }
    return rest.first == closing
  }

  private mutating func skipBlanks() {
    while rest.first?.isWhitespace == true { rest.removeFirst() }
  }
}
