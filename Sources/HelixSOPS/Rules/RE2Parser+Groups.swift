/// What `{n,m}` says; no upper limit is nil.
struct RE2Count {
  /// As Go has it.
  static let most = 1000

  var least: Int
  var most: Int?
}

extension RE2Parser {
  enum GroupHead {
    case capture
    case plain(Flags)
    /// Flags for the rest of the group around it: `(?i)`.
    case switchOnly(Flags)
  }

  /// Reads `(?…` up to where the group's content begins.
  mutating func groupHead() throws(RE2Problem) -> GroupHead {
    let start = position
    if follows("(?P<") || follows("(?<") {
      try groupName(at: start)
      return .capture
    }
    position += 2
    var new = flags
    var value = true
    var sawFlag = true
    while let scalar = peek() {
      position += 1
      switch scalar {
      case "i": new.foldsCase = value
      case "m": new.byLine = value
      case "s": new.dotTakesLineFeed = value
      case "U": break
      case "-" where value:
        value = false
        sawFlag = false
        continue
      case ":" where sawFlag: return .plain(new)
      case ")" where sawFlag: return .switchOnly(new)
      default: throw unknownGroup(at: start)
      }
      sawFlag = true
    }
    throw unclosedGroup(start)
  }

  private mutating func groupName(at start: Int) throws(RE2Problem) {
    let nameStart = start + (follows("(?P<") ? 4 : 3)
    if follows("(?<=") { throw lookaround("(?<=", at: start) }
    if follows("(?<!") { throw lookaround("(?<!", at: start) }
    let end = scalars[nameStart...].firstIndex(of: ">")
    let name = scalars[nameStart..<(end ?? nameStart)]
    guard let end, !name.isEmpty, name.allSatisfy({ $0 == "_" || $0.isLetterOrDigit }) else {
      throw RE2Problem(
        "the name of this group is not a name",
        reason: "names are letters, digits and underscores, between \"<\" and \">\"",
        remedy: "write (?P<name>…), or (?:…) for a group without a name", at: start,
        length: (end ?? scalars.count - 1) - start + 1)
    }
    position = end + 1
  }

  private func unknownGroup(at start: Int) -> RE2Problem {
    for sign in ["(?=", "(?!"] where text(start..<start + 3) == sign {
      return lookaround(sign, at: start)
    }
    let known: [(String, String)] = [
      ("(?>", "atomic groups"), ("(?#", "comments"), ("(?P=", "back references"),
      ("(?P>", "calls of groups"), ("(?|", "branch resets"), ("(?(", "conditions"),
      ("(?'", "names in quotation marks"), ("(?R", "recursion"),
    ]
    let length = position - start
    for (sign, name) in known where scalars[start...].starts(with: sign.unicodeScalars) {
      return RE2Problem(
        "\"\(sign)\" is not RE2's", reason: "RE2 has no \(name)",
        remedy: "write the pattern without it", at: start, length: sign.count)
    }
    return RE2Problem(
      "\"\(text(start..<position))\" begins no group that RE2 knows",
      reason: "behind \"(?\" come a name, \":\" or the flags i, m, s and U",
      remedy: "write (…), (?:…) or (?i)", at: start, length: length)
  }

  private func lookaround(_ sign: String, at start: Int) -> RE2Problem {
    RE2Problem(
      "\"\(sign)\" looks around, which RE2 cannot",
      reason: "RE2 reads a text once, and knows neither lookahead nor lookbehind",
      remedy: sign.hasSuffix("!")
        ? "turn the rule around: name what is to be left out with the other of encrypted_regex "
          + "and unencrypted_regex" : "write what is to match itself, without the brackets",
      at: start, length: sign.count)
  }

  // MARK: - Counts

  /// Reads `{n}`, `{n,}` or `{n,m}`; nil when the bracket is a character like others.
  mutating func count() throws(RE2Problem) -> RE2Count? {
    let start = position
    var index = start + 1
    guard let least = number(at: &index) else { return nil }
    var most: Int? = least
    if index < scalars.count, scalars[index] == "," {
      index += 1
      if index < scalars.count, scalars[index] == "}" {
        most = nil
      } else {
        guard let written = number(at: &index) else { return nil }
        most = written
      }
    }
    guard index < scalars.count, scalars[index] == "}" else { return nil }
    guard least <= RE2Count.most, most ?? 0 <= RE2Count.most else {
      throw tooManyCopies(at: start, length: index - start + 1)
    }
    if let most, most < least {
      throw RE2Problem(
        "\"\(text(start..<index + 1))\" counts from more to less",
        reason: "the first number is the least, the second the most",
        remedy: "write {\(most),\(least)}", at: start, length: index - start + 1)
    }
    position = index + 1
    return RE2Count(least: least, most: most)
  }

  /// A number without leading zeros; one too large for anything is taken as just too large.
  private func number(at index: inout Int) -> Int? {
    let digits = scalars[index...].prefix { ("0"..."9").contains($0) }
    guard !digits.isEmpty, digits.count == 1 || digits.first != "0" else { return nil }
    index += digits.count
    guard digits.count <= 4 else { return RE2Count.most + 1 }
    return digits.reduce(0) { $0 * 10 + Int($1.value - 0x30) }
  }

  func tooManyCopies(at start: Int, length: Int) -> RE2Problem {
    RE2Problem(
      "\"\(text(start..<start + length))\" repeats more than \(RE2Count.most) times",
      reason: "RE2 allows as many, with those of the groups inside multiplied",
      remedy: "use * or +, which have no limit", at: start, length: length)
  }

  // MARK: - Words for other mistakes

  func stacked(at start: Int, sign: Unicode.Scalar) -> RE2Problem {
    sign == "+"
      ? RE2Problem(
        "\"\(text(start - 1..<start + 1))\" is possessive, which RE2 does not know",
        reason: "RE2 never tries again, so there is nothing to forbid",
        remedy: "remove the second sign", at: start - 1, length: 2)
      : RE2Problem(
        "this repeats a repetition",
        reason: "RE2 allows one of *, +, ? and {n,m} behind a thing",
        remedy: "keep one, or put the first into (?:…)", at: start)
  }

  func nothingToRepeat(at start: Int) -> RE2Problem {
    RE2Problem(
      "\"\(text(start..<position))\" has nothing to repeat",
      reason: "it stands at the beginning, or behind \"(\" or \"|\"",
      remedy: "write \\\(text(start..<start + 1)) if the character is meant, or .* for any text",
      at: start, length: position - start)
  }

  func unclosedGroup(_ start: Int) -> RE2Problem {
    RE2Problem(
      "the \"(\" is never closed", reason: "every group needs its \")\"",
      remedy: "close it, or write \\( if the character is meant", at: start)
  }

  func unopenedGroup(_ start: Int) -> RE2Problem {
    RE2Problem(
      "the \")\" closes nothing", reason: "every \")\" needs its \"(\"",
      remedy: "remove it, or write \\) if the character is meant", at: start)
  }

  func tooDeep(at start: Int) -> RE2Problem {
    RE2Problem(
      "the pattern nests too deeply", reason: "RE2 allows \(Self.deepest) levels",
      remedy: "write it with fewer groups", at: start)
  }

  func tooLarge(at start: Int) -> RE2Problem {
    RE2Problem(
      "the pattern is too large",
      reason: "written out it has more than \(RE2Fragment.longest) steps",
      remedy: "repeat fewer times, or use * or +", at: start)
  }
}

extension Unicode.Scalar {
  var isLetterOrDigit: Bool {
    switch self {
    case "0"..."9", "A"..."Z", "a"..."z": true
    default: false
    }
  }
}
