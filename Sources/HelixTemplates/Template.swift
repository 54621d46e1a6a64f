package import HelixModel

/// A text with Jinja2 expressions, taken apart once and filled in as often as needed.
///
/// What is understood: `{{ expressions }}` and `{# comments #}`. Statements, macros, functions and
/// unknown filters are refused at their place, so that nothing is ever left in silently.
package struct Template: Sendable {
  enum Part: Sendable {
    case text(String)
    case output(Expression)
  }

  /// More tokens than this in one expression could exhaust the stack.
  private static let longestExpression = 1000

  let source: TemplateSource
  let parts: [Part]
  /// How many line ends the text ends with; Ansible keeps them all.
  private let finalLineEnds: Int

  /// Where the text was written.
  package var origin: TextOrigin { source.origin }

  /// Whether it renders the same everywhere.
  package var isConstant: Bool {
    parts.allSatisfy { if case .text = $0 { true } else { false } }
  }

  /// Takes a text apart.
  ///
  /// - Throws: all its mistakes.
  package init(_ text: String, origin: TextOrigin) throws(Diagnostics) {
    let source = TemplateSource(text: text, origin: origin)
    let scalars = Array(text.unicodeScalars)
    finalLineEnds = Self.finalLineEnds(scalars)
    // Jinja2 drops one final line end; `endingLines` puts back what is missing.
    let body = finalLineEnds > 0 ? Self.withoutLineEnd(scalars) : scalars
    var scanner = Scanner(body, readsEscapes: origin.readsEscapes)
    var complaints: [Complaint] = []
    var parts: [Part] = []
    for piece in scanner.scan() {
      switch piece {
      case .text(let text): parts.append(.text(text))
      case .expression(let tokens):
        do { parts.append(.output(try Self.expression(tokens))) } catch {
          complaints.append(error)
        }
      }
    }
    complaints += scanner.complaints
    guard complaints.isEmpty else {
      let whole = Span(start: 0, end: scalars.count)
      throw Diagnostics(complaints.map { source.diagnostic($0, at: whole) })
    }
    self.source = source
    self.parts = parts
  }

  /// Fills the template in once; a `Renderer` does it for many hosts.
  package func render(_ namespace: some Namespace) throws(Diagnostic) -> Node {
    try Renderer().render(self, in: namespace)
  }

  private static func expression(_ tokens: [Token]) throws(Complaint) -> Expression {
    guard tokens.count <= longestExpression else {
      throw Complaint(
        "this expression is too long", reason: "it has \(tokens.count) parts",
        remedy: "write the value as a variable", at: tokens[0].span)
    }
    var parser = Parser(tokens)
    return try parser.parse()
  }

  private static func finalLineEnds(_ scalars: [Unicode.Scalar]) -> Int {
    scalars.reversed().prefix { $0 == "\n" || $0 == "\r" }.count { $0 == "\n" }
  }

  private static func withoutLineEnd(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    scalars.suffix(2) == ["\r", "\n"] ? scalars.dropLast(2) : scalars.dropLast()
  }

  /// The result with as many final line ends as the template has, as Ansible's template module.
  ///
  /// A secret at the end is taken for one without a final line end.
  func endingLines(_ result: Value) -> Value {
    var end = ""
    switch result {
    case .text(let text): end = text
    case .hidden(let text): if case .literal(let literal)? = text.parts.last { end = literal }
    default: return result
    }
    let present = end.unicodeScalars.reversed().prefix { $0 == "\n" }.count
    guard finalLineEnds > present else { return result }
    let missing = String(repeating: "\n", count: finalLineEnds - present)
    if case .hidden(let text) = result {
      return HiddenText.joined([text, TemplateText(missing)])
    }
    return .text(end + missing)
  }
}

extension TextOrigin {
  /// Whether `\n` in an expression's text means a line end.
  fileprivate var readsEscapes: Bool {
    if case .file = self { true } else { false }
  }
}
