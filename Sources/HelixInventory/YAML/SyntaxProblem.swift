internal import HelixModel
private import Yams

/// Says in our words what the YAML parser could not read.
enum SyntaxProblem {
  /// The diagnostic for an error that Yams threw.
  static func diagnostic(for error: any Error, in source: SourceText) -> Diagnostic {
    guard let error = error as? YamlError else { return unexpected(error, in: source) }
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      return described(problem, at: mark, context: context, in: source)
    case .reader(_, let offset, let value, _):
      return unreadable(offset: offset, value: value, in: source)
    default:
      return unexpected(error, in: source)
    }
  }

  private static func described(
    _ problem: String, at mark: Mark, context: YamlError.Context?, in source: SourceText
  ) -> Diagnostic {
    let place = source.location(line: mark.line, column: mark.column)
    let rest = source.rest(line: mark.line, column: mark.column)
    let indent =
      source.lines.indices.contains(mark.line - 1)
      ? source.lines[mark.line - 1].prefix { $0 == " " || $0 == "\t" } : []
    if let tab = indent.firstIndex(of: "\t") {
      return tabProblem(source.location(line: mark.line, column: tab + 1))
    }
    if rest.first == "\t" { return tabProblem(place) }
    if problem == "found unexpected end of stream", let opening = context?.mark {
      return unclosedQuotes(source.location(line: opening.line, column: opening.column))
    }
    let began = context.map { "\($0.text.trimmingBlanks) that began in line \($0.mark.line)" }
    let isAfterBareLine =
      problem == "mapping values are not allowed in this context"
      && lineBeforeIsBare(mark.line, indent: indent.count, in: source)
    let words = phrase(
      for: isAfterBareLine ? "could not find expected ':'" : problem, rest: rest)
    return Diagnostic(
      words.summary, reason: words.reason ?? began, remedy: words.remedy, at: place)
  }

  /// Whether the line before stands at the same indentation and has no key: `host:10.0.0.1`.
  private static func lineBeforeIsBare(_ line: Int, indent: Int, in source: SourceText) -> Bool {
    guard line >= 2, source.lines.indices.contains(line - 2) else { return false }
    let before = source.lines[line - 2]
    let text = before.reduce(into: "") { $0.unicodeScalars.append($1) }
    return before.prefix { $0 == " " }.count == indent && !text.contains(": ")
      && !text.hasSuffix(":") && !text.trimmingBlanks.hasPrefix("#")
  }

  private struct Words {
    var summary: String
    var reason: String?
    var remedy: String
  }

  /// The words for the parser's own phrase, which is all it gives.
  private static func phrase(for problem: String, rest: ArraySlice<Unicode.Scalar>) -> Words {
    switch problem {
    case "found undefined alias":
      Words(
        summary: "the alias \(word(rest)) names no anchor",
        reason: "an anchor (&name) must stand before the aliases that name it",
        remedy: "define the anchor, or quote the text if it should begin with an asterisk")
    case "found character that cannot start any token":
      Words(
        summary: "\"\(rest.first.map(String.init) ?? "")\" cannot begin a value",
        reason: "the character has a meaning of its own in YAML",
        remedy: "put the value in quotation marks")
    case "found unknown escape character":
      Words(
        summary: "\"\(word(rest))\" is not an escape sequence",
        remedy: "write \\\\ for a backslash, or use single quotation marks")
    default:
      structural[problem]
        ?? Words(summary: problem, remedy: "correct the YAML at this place")
    }
  }

  /// Problems whose words need nothing from the line.
  private static let structural = [
    "mapping values are not allowed in this context": Words(
      summary: "a \": \" stands where no key can be",
      reason: "the line is indented more than the one before it, or its text holds \": \"",
      remedy: "line the key up with its neighbours, or put the text in quotation marks"),
    "could not find expected ':'": Words(
      summary: "the line before has no \": \" after its key",
      reason: "a line of a mapping reads \"key: value\", with a blank after the colon",
      remedy: "add the colon and the blank, or correct the indentation"),
    "did not find expected key": Words(
      summary: "a key was expected here",
      remedy: "check the indentation of this line and the quotation marks of the one before"),
    "did not find expected '-' indicator": Words(
      summary: "a list element (\"- \") was expected here",
      remedy: "begin the line with \"- \", or correct its indentation"),
    "block sequence entries are not allowed in this context": Words(
      summary: "a list element (\"- \") cannot stand here",
      remedy: "begin the list on its own line, below its key"),
    "did not find expected ',' or '}'": unclosedBracket,
    "did not find expected ',' or ']'": unclosedBracket,
    "did not find expected <document start>": Words(
      summary: "something follows the end of the document",
      remedy: "check the indentation of this line and the one before"),
  ]

  private static let unclosedBracket = Words(
    summary: "a comma or the closing bracket is missing",
    remedy: "close the bracket, or separate the values with commas")

  private static func word(_ rest: ArraySlice<Unicode.Scalar>) -> String {
    rest.prefix { $0 != " " && $0 != "," && $0 != "]" && $0 != "}" && $0 != "\"" }
      .reduce(into: "") { $0.unicodeScalars.append($1) }
  }

  private static func unclosedQuotes(_ place: SourceLocation) -> Diagnostic {
    Diagnostic(
      "the quotation marks that open here are never closed", remedy: "close them", at: place)
  }

  private static func tabProblem(_ place: SourceLocation) -> Diagnostic {
    Diagnostic(
      "a tab stands where YAML wants blanks", reason: "YAML is indented with blanks only",
      remedy: "replace the tab by blanks", at: place)
  }

  private static func unreadable(offset: Int?, value: Int32, in source: SourceText) -> Diagnostic {
    var line = 1
    var column = 1
    var left = offset ?? 0
    for (number, text) in source.lines.enumerated() {
      line = number + 1
      column = left + 1
      if left <= text.count { break }
      left -= text.count + 1
    }
    return Diagnostic(
      "the character U+\(String(value, radix: 16, uppercase: true)) cannot stand in YAML",
      reason: "control characters are not text", remedy: "remove it",
      at: source.location(line: line, column: column))
  }

  private static func unexpected(_ error: any Error, in source: SourceText) -> Diagnostic {
    Diagnostic(
      "the file could not be read as YAML: \(error)", remedy: "check that it is a YAML text",
      at: source.location(line: 1, column: 1))
  }
}

extension StringProtocol {
  /// Without the blanks and line ends around it.
  var trimmingBlanks: String {
    var text = Substring(self)
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}
