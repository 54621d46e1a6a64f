internal import HelixModel

extension RE2Parser {
  /// Reads what a backslash outside of brackets begins.
  mutating func escape(at start: Int) throws(RE2Problem) {
    switch peek(1) {
    case "A": try assertion(.startOfText, at: start)
    case "z": try assertion(.endOfText, at: start)
    case "b": try assertion(.wordBoundary, at: start)
    case "B": try assertion(.noWordBoundary, at: start)
    case "Q": try quotation()
    default:
      if let part = try namedPart() {
        let members = RE2Class(ranges: [], parts: [part], foldsCase: flags.foldsCase)
        return try push(.member(number(of: members)), at: start)
      }
      try literal(escapedScalar(), at: start)
    }
  }

  private mutating func assertion(
    _ assertion: RE2Assertion, at start: Int
  ) throws(RE2Problem) {
    position += 2
    try push(.check(assertion), at: start)
  }

  /// `\Q…\E`, or to the pattern's end.
  private mutating func quotation() throws(RE2Problem) {
    let end = next("\\E", from: position + 2) ?? scalars.count
    for index in position + 2..<max(position + 2, end) {
      try literal(scalars[index].value, at: index)
    }
    position = min(scalars.count, end + 2)
  }

  /// `\d` and its like, or `\p{…}`; nil when something else follows.
  mutating func namedPart() throws(RE2Problem) -> RE2Class.Part? {
    guard peek() == "\\", let letter = peek(1) else { return nil }
    if letter == "p" || letter == "P" { return try unicodePart(isNegated: letter == "P") }
    let small = letter.properties.lowercaseMapping.unicodeScalars.first ?? letter
    guard let ranges = UnicodeNames.perlClasses[small] else { return nil }
    position += 2
    return RE2Class.Part(members: .ranges(ranges), isNegated: letter != small)
  }

  private mutating func unicodePart(isNegated: Bool) throws(RE2Problem) -> RE2Class.Part {
    let start = position
    position += 2
    var isNegated = isNegated
    var name = peek().map { String(Character($0)) } ?? ""
    position += 1
    if name == "{" {
      guard let end = scalars[position...].firstIndex(of: "}") else {
        throw RE2Problem(
          "the \"{\" of this class is never closed", reason: "the name ends with \"}\"",
          remedy: "close it", at: start, length: 3)
      }
      name = text(position..<end)
      position = end + 1
      if name.hasPrefix("^") {
        isNegated.toggle()
        name.removeFirst()
      }
    }
    guard let members = UnicodeNames.members(named: name) else {
      throw RE2Problem(
        "no class of Unicode is named \"\(name)\" here",
        reason: "SOPS may or may not know it, depending on how it was built",
        remedy: nearestName(to: String(name.prefix(40)), among: UnicodeNames.all).map {
          "did you mean \"\($0)\"?"
        }
          ?? "write the characters as a range, such as [a-z]", at: start,
        length: min(position, scalars.count) - start)
    }
    return RE2Class.Part(members: members, isNegated: isNegated)
  }

  /// Reads a backslash and what it stands for.
  mutating func escapedScalar() throws(RE2Problem) -> UInt32 {
    let start = position
    guard let letter = peek(1) else {
      throw RE2Problem(
        "the pattern ends with a backslash", reason: "a backslash begins an escape",
        remedy: "write \\\\ if the character is meant", at: start)
    }
    position += 2
    switch letter {
    case "0": return octal(letter)
    case "1"..."7":
      if let next = peek(), ("0"..."7").contains(next) { return octal(letter) }
    case "x": if let value = hexadecimal() { return value }
    case "a": return 7
    case "f": return 12
    case "n": return 10
    case "r": return 13
    case "t": return 9
    case "v": return 11
    case _ where letter.isASCII && !letter.isLetterOrDigit: return letter.value
    default: break
    }
    throw unknownEscape(letter, at: start)
  }

  private mutating func octal(_ first: Unicode.Scalar) -> UInt32 {
    var value = first.value - 0x30
    for _ in 0..<2 {
      guard let digit = peek(), ("0"..."7").contains(digit) else { break }
      value = value * 8 + digit.value - 0x30
      position += 1
    }
    return value
  }

  /// The two digits behind `\x`, or those in brackets; nil when it is neither.
  private mutating func hexadecimal() -> UInt32? {
    var digits: ArraySlice<Unicode.Scalar> = []
    if peek() == "{" {
      guard let end = scalars[position...].firstIndex(of: "}") else { return nil }
      digits = scalars[position + 1..<end]
      position = end + 1
    } else {
      digits = scalars[position...].prefix(2)
      guard digits.count == 2 else { return nil }
      position += 2
    }
    guard !digits.isEmpty else { return nil }
    var value: UInt32 = 0
    for digit in digits {
      guard digit.isASCII, let number = Character(digit).hexDigitValue else { return nil }
      value = value * 16 + UInt32(number)
      guard value <= 0x10FFFF else { return nil }
    }
    return value
  }

  private func unknownEscape(_ letter: Unicode.Scalar, at start: Int) -> RE2Problem {
    let words: (reason: String, remedy: String) =
      switch letter {
      case "1"..."9", "k", "g":
        ("RE2 has no back references", "write what the group matches a second time")
      case "Z": ("RE2 ends a text with \\z", "write \\z, or $")
      case "x": ("behind \\x come two hexadecimal digits, or any in {}", "write \\x{41}")
      case "C": ("single bytes cannot be matched", "write . for a character")
      default:
        ("RE2 knows \\d \\s \\w \\b \\A \\z \\p and a few more", "remove the backslash")
      }
    return RE2Problem(
      "\"\\\(letter)\" is not an escape RE2 knows", reason: words.reason, remedy: words.remedy,
      at: start, length: 2)
  }
}

// MARK: - Brackets

extension RE2Parser {
  /// Reads `[…]`.
  mutating func bracketClass() throws(RE2Problem) -> RE2Class {
    let start = position
    position += 1
    let isNegated = peek() == "^"
    if isNegated { position += 1 }
    var ranges: [ClosedRange<UInt32>] = []
    var parts: [RE2Class.Part] = []
    var isFirst = true
    while isFirst || peek() != "]" {
      isFirst = false
      if let part = try bracketPart() {
        if case .ranges(let members) = part.members, !part.isNegated {
          ranges += members
        } else if !parts.contains(part) {
          parts.append(part)
        }
        continue
      }
      ranges.append(try bracketRange(of: start))
    }
    position += 1
    return RE2Class(
      ranges: ranges, parts: parts, isNegated: isNegated, foldsCase: flags.foldsCase)
  }

  /// `[:name:]`, `\d` or `\p{…}`; nil when something else follows.
  private mutating func bracketPart() throws(RE2Problem) -> RE2Class.Part? {
    guard let end = classEnd() else {
      return try namedPart()
    }
    var name = text(position + 2..<end)
    let isNegated = name.hasPrefix("^")
    if isNegated { name.removeFirst() }
    guard let ranges = UnicodeNames.posixClasses[name] else {
      throw RE2Problem(
        "no class is named \"[:\(name):]\"", reason: "RE2 knows a fixed list of them",
        remedy: suggestion(for: String(name.prefix(40)), among: UnicodeNames.posixClasses.keys)
          ?? "known: [:alpha:], [:digit:], [:alnum:] and a few more",
        at: position, length: end + 2 - position)
    }
    position = end + 2
    return RE2Class.Part(members: .ranges(ranges), isNegated: isNegated)
  }

  /// One character, or two with a hyphen between them.
  private mutating func bracketRange(of start: Int) throws(RE2Problem) -> ClosedRange<UInt32> {
    let place = position
    let low = try bracketScalar(of: start)
    guard peek() == "-", let after = peek(1), after != "]" else { return low...low }
    position += 1
    let high = try bracketScalar(of: start)
    guard low <= high else {
      throw RE2Problem(
        "the range \"\(text(place..<position))\" goes backwards",
        reason: "a range begins with the smaller character",
        remedy: "turn it around, or write \\- if the hyphen is meant", at: place,
        length: position - place)
    }
    return low...high
  }

  private mutating func bracketScalar(of start: Int) throws(RE2Problem) -> UInt32 {
    guard let scalar = peek() else {
      throw RE2Problem(
        "the \"[\" is never closed", reason: "every class needs its \"]\"",
        remedy: "close it, or write \\[ if the character is meant", at: start)
    }
    if scalar == "\\" { return try escapedScalar() }
    position += 1
    return scalar.value
  }
}
