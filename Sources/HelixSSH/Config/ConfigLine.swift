import HelixModel

/// A line of ssh's configuration, or the value of `-o`: a keyword and what follows it.
struct ConfigLine {
  /// As written; keywords know no case.
  let keyword: Located<String>
  /// Everything after the keyword, for commands, which are no list of words.
  let rest: Located<String>
  /// What follows the keyword as words, without quotes, escapes and comments.
  let words: [Located<String>]
  private let scanner: LineScanner

  /// Why a line cannot be read at all.
  enum Problem: Error {
    case noValue(keyword: Located<String>)
    case openQuote(at: SourceLocation)
  }

  /// Reads one line; nil when it is empty or a comment.
  static func read(_ bytes: some Collection<UInt8>, at place: LinePlace) throws(Problem)
    -> ConfigLine?
  {
    var line = Array(bytes.prefix { $0 != 0 })
    // The first byte stays whatever it is, as in ssh.
    while line.count > 1, LineScanner.blanks.contains(line[line.count - 1]) || line.last == 12 {
      line.removeLast()
    }
    var scanner = LineScanner(line, place)
    var keyword = scanner.next()
    if keyword?.value.isEmpty == true { keyword = scanner.next() }
    guard let keyword, !keyword.value.isEmpty, !keyword.value.hasPrefix("#") else { return nil }
    guard let rest = scanner.rest(), !rest.value.isEmpty else {
      throw .noValue(keyword: keyword)
    }
    return ConfigLine(
      keyword: keyword, rest: rest, words: try scanner.words(), scanner: scanner)
  }

  /// A value as one word of a line.
  static func quoted(_ text: String) -> String {
    var quoted = "\""
    for letter in text {
      if letter == "\"" || letter == "\\" { quoted.append("\\") }
      quoted.append(letter)
    }
    return quoted + "\""
  }

  /// What follows the keyword cut as `Match` cuts it: at blanks, quotes and equals signs.
  ///
  /// Nil for a quote that is never closed.
  func criteria() -> [Located<String>?] {
    var scanner = scanner
    var words: [Located<String>?] = []
    while !scanner.isAtEnd { words.append(scanner.next()) }
    return words
  }
}

/// Where a line stands: columns count for files, but not for words that came from elsewhere.
enum LinePlace {
  case line(Int, file: String)
  case somewhere(SourceLocation)
}

/// Cuts a line as OpenSSH does, which has two ways: one for keywords and one for their arguments.
struct LineScanner {
  static let blanks = Array(" \t\r\n".utf8)

  private let line: [UInt8]
  private let place: LinePlace
  /// The next byte; nil after the last word.
  private var position: Int? = 0

  init(_ line: [UInt8], _ place: LinePlace) {
    self.line = line
    self.place = place
  }

  var isAtEnd: Bool { position == nil }

  /// The next word up to a blank, one equals sign or a closing quote.
  mutating func next() -> Located<String>? {
    guard let start = position else { return nil }
    guard let end = line[start...].firstIndex(where: { Self.ends.contains($0) }) else {
      position = nil
      return located(line[start...], start)
    }
    if line[end] == UInt8(ascii: "\"") {
      let inside = line[(end + 1)...]
      guard let close = inside.firstIndex(of: UInt8(ascii: "\"")) else {
        position = nil
        return nil
      }
      position = skipBlanks(from: close + 1)
      return located(line[start..<end] + line[(end + 1)..<close], start)
    }
    var after = skipBlanks(from: end + 1)
    let equals = UInt8(ascii: "=")
    if line[end] != equals, after < line.count, line[after] == equals {
      after = skipBlanks(from: after + 1)
    }
    position = after
    return located(line[start..<end], start)
  }

  /// All that is left.
  func rest() -> Located<String>? {
    guard let position else { return nil }
    let start = skipBlanks(from: position)
    return located(line[start...], start)
  }

  /// All that is left as words: quotes of both sorts, backslashes before quotes, backslashes and
  /// blanks, comments after a blank.
  func words() throws(ConfigLine.Problem) -> [Located<String>] {
    guard let position else { return [] }
    var words: [Located<String>] = []
    var index = skipBlanks(from: position)
    while index < line.count {
      guard !Self.gaps.contains(line[index]) else {
        index += 1
        continue
      }
      guard line[index] != UInt8(ascii: "#") else { break }
      let start = index
      guard let word = word(from: &index) else { throw .openQuote(at: location(start, count: 1)) }
      words.append(Located(String(decoding: word, as: UTF8.self), at: location(start, index)))
    }
    return words
  }

  private func word(from index: inout Int) -> [UInt8]? {
    var word: [UInt8] = []
    var quote: UInt8?
    while index < line.count {
      let byte = line[index]
      let next = index + 1 < line.count ? line[index + 1] : 0
      if byte == UInt8(ascii: "\\"), Self.escapable.contains(next) || quote == nil && next == 32 {
        word.append(next)
        index += 1
      } else if quote == nil, Self.gaps.contains(byte) {
        break
      } else if quote == nil, Self.quotes.contains(byte) {
        quote = byte
      } else if byte == quote {
        quote = nil
      } else {
        word.append(byte)
      }
      index += 1
    }
    return quote == nil ? word : nil
  }

  private static let ends = blanks + Array("\"=".utf8)
  private static let gaps = Array(" \t".utf8)
  private static let quotes = Array("\"'".utf8)
  private static let escapable = Array("\"'\\".utf8)

  private func skipBlanks(from index: Int) -> Int {
    line[index...].firstIndex { !Self.blanks.contains($0) } ?? line.count
  }

  private func located(_ bytes: ArraySlice<UInt8>, _ start: Int) -> Located<String> {
    Located(
      String(decoding: bytes, as: UTF8.self), at: location(start, start + max(1, bytes.count)))
  }

  private func location(_ start: Int, count: Int) -> SourceLocation {
    location(start, start + count)
  }

  private func location(_ start: Int, _ end: Int) -> SourceLocation {
    switch place {
    case .somewhere(let location): return location
    case .line(let number, let file):
      func characters(_ bytes: ArraySlice<UInt8>) -> Int {
        String(decoding: bytes, as: UTF8.self).count
      }
      return SourceLocation(
        file: file, line: number, column: characters(line[..<start]) + 1,
        length: max(1, characters(line[start..<min(end, line.count)])))
    }
  }
}
