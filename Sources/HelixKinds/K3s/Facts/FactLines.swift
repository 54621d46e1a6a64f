/// An answer of lines `word rest`, as most k3s facts print it.
struct FactLines: Sendable {
  private let lines: [(word: Substring, rest: Substring)]

  init(_ output: String) {
    lines = output.split(separator: "\n").map { line in
      guard let space = line.firstIndex(of: " ") else { return (line, "") }
      return (line[..<space], line[line.index(after: space)...])
    }
  }

  /// What follows a word's first line; nil when there is none or nothing follows.
  subscript(word: String) -> String? {
    lines.first { $0.word == word && !$0.rest.isEmpty }.map { String($0.rest) }
  }

  /// What follows a word, line by line.
  func all(_ word: String) -> [String] {
    lines.lazy.filter { $0.word == word }.map { String($0.rest) }
  }

  func number(_ word: String) -> Int? { self[word].flatMap { Int($0) } }

  func has(_ word: String) -> Bool { lines.contains { $0.word == word } }
}

/// The words of a line, blanks between them dropped.
func words(of text: some StringProtocol) -> [String] {
  text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map { String($0) }
}

/// A long hash as people compare it.
func short(_ hash: String) -> String { String(Substring(hash.utf8.prefix(12))) }
