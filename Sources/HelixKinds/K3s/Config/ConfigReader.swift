/// Reads the YAML that k3s config files are written in: keys with a scalar or a list of scalars.
///
/// Anything beyond that gives nil, and the caller then says that it cannot tell.
struct ConfigReader {
  private var settings = ConfigSettings()
  private var openKey: String?

  static func read(_ text: String) -> ConfigSettings? {
    var reader = ConfigReader()
    for line in text.split(separator: "\n") {
      guard reader.take(line) else { return nil }
    }
    return reader.settings
  }

  private mutating func take(_ line: Substring) -> Bool {
    let body = trimmed(line)
    if body.isEmpty || body.hasPrefix("#") { return true }
    if body.hasPrefix("- ") || body == "-" { return takeElement(body.dropFirst()) }
    guard line.first != " ", line.first != "\t" else { return false }
    return takeKey(body)
  }

  private mutating func takeElement(_ rest: Substring) -> Bool {
    guard let key = openKey, let word = Self.scalar(trimmed(rest)) else { return false }
    settings.values[key, default: ConfigValue(words: [], isList: true)].words.append(word)
    return true
  }

  private mutating func takeKey(_ body: Substring) -> Bool {
    guard let colon = body.firstIndex(of: ":") else { return false }
    let key = String(body[..<colon].filter { !"\"' ".contains($0) })
    let rest = trimmed(body[body.index(after: colon)...])
    guard !key.isEmpty, settings[key] == nil, !key.hasSuffix("+") else { return false }
    openKey = nil
    if rest.isEmpty || rest.hasPrefix("#") {
      openKey = key
      settings[key] = ConfigValue(words: [], isList: true)
      return true
    }
    if rest.hasPrefix("[") { return takeFlow(rest, key: key) }
    guard let word = Self.scalar(rest) else { return false }
    settings[key] = ConfigValue(words: [word], isList: false)
    return true
  }

  /// A list on one line: `[a, "b"]`; commas inside quotes are more than it understands.
  private mutating func takeFlow(_ text: Substring, key: String) -> Bool {
    let body = withoutComment(text)
    guard body.hasSuffix("]") else { return false }
    let inside = trimmed(body.dropFirst().dropLast())
    var words: [ConfigValue.Word] = []
    for element in inside.isEmpty ? [] : inside.split(separator: ",") {
      guard let word = Self.scalar(trimmed(element)) else { return false }
      words.append(word)
    }
    settings[key] = ConfigValue(words: words, isList: true)
    return true
  }

  private static func scalar(_ text: Substring) -> ConfigValue.Word? {
    guard let first = text.first else { return .text("") }
    if first == "'" || first == "\"" { return quoted(text, by: first).map(ConfigValue.Word.text) }
    guard !"{[&*!|>%@`".contains(first) else { return nil }
    let plain = withoutComment(text)
    // A mapping inside a list, or a key inside a value.
    guard !plain.contains(": "), !plain.hasSuffix(":") || plain.hasPrefix("helix") else {
      return nil
    }
    if plain.hasPrefix(InstalledConfig.hiddenMark) {
      return .hidden(String(plain.dropFirst(InstalledConfig.hiddenMark.count)))
    }
    return .text(meaning(of: plain))
  }

  /// Plain words that YAML 1.1 reads as something else than their letters.
  private static func meaning(of plain: Substring) -> String {
    switch plain.lowercased() {
    case "true", "yes", "on": return "true"
    case "false", "no", "off": return "false"
    default: break
    }
    if plain.count > 1, plain.hasPrefix("0"), plain.allSatisfy({ ("0"..."7").contains($0) }),
      let octal = Int(plain, radix: 8)
    {
      return String(octal)
    }
    return String(plain)
  }

  private static func quoted(_ text: Substring, by quote: Character) -> String? {
    var inside = ""
    var rest = text.dropFirst()
    while let character = rest.popFirst() {
      if character == quote {
        if quote == "'", rest.first == "'" {
          inside.append("'")
          rest.removeFirst()
          continue
        }
        let after = trimmed(rest)
        return after.isEmpty || after.hasPrefix("#") ? inside : nil
      }
      if quote == "\"", character == "\\" {
        guard let escaped = rest.popFirst(), let plain = unescaped(escaped) else { return nil }
        inside.append(plain)
        continue
      }
      inside.append(character)
    }
    return nil
  }

  private static func unescaped(_ character: Character) -> Character? {
    switch character {
    case "\"", "\\", "/": character
    case "n": "\n"
    case "t": "\t"
    default: nil
    }
  }
}

private func trimmed(_ text: Substring) -> Substring {
  var text = text
  while let first = text.first, first == " " || first == "\t" || first == "\r" {
    text.removeFirst()
  }
  while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
  return text
}

/// A plain value ends where a blank and `#` begin a comment.
private func withoutComment(_ text: Substring) -> Substring {
  var previous: Character = "x"
  for index in text.indices {
    if text[index] == "#", previous == " " || previous == "\t" { return trimmed(text[..<index]) }
    previous = text[index]
  }
  return trimmed(text)
}
