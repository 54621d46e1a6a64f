/// Splits text into words as a POSIX shell would: quotes, backslashes, and comments if asked.
enum ShellWords {
  /// The words; nil when a quotation mark is never closed or a backslash ends the text.
  static func split(_ text: String, comments: Bool = false) -> [String]? {
    var words: [String] = []
    // Nil between words: an empty pair of quotation marks is a word too.
    var word: String?
    var rest = text[...]
    while let character = rest.popFirst() {
      switch character {
      case "'":
        guard let end = rest.firstIndex(of: "'") else { return nil }
        word = (word ?? "") + rest[..<end]
        rest = rest[rest.index(after: end)...]
      case "\"":
        guard let quoted = takeQuoted(&rest) else { return nil }
        word = (word ?? "") + quoted
      case "\\":
        guard let next = rest.popFirst() else { return nil }
        word = (word ?? "") + String(next)
      case "#" where comments && word == nil: return words
      case _ where character.isWhitespace:
        if let finished = word { words.append(finished) }
        word = nil
      default: word = (word ?? "") + String(character)
      }
    }
    if let word { words.append(word) }
    return words
  }

  /// The text up to the closing double quotation mark; a backslash guards only `"` and itself.
  private static func takeQuoted(_ rest: inout Substring) -> String? {
    var text = ""
    while let character = rest.popFirst() {
      switch character {
      case "\"": return text
      case "\\":
        guard let next = rest.popFirst() else { return nil }
        if next != "\"" && next != "\\" { text.append("\\") }
        text.append(next)
      default: text.append(character)
      }
    }
    return nil
  }
}
