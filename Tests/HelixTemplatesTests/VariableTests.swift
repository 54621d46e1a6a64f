import HelixModel
import Testing

@testable import HelixTemplates

@Suite("variables in templates")
struct VariableTests {
  private static let file = "vars.yaml"

  /// Variables whose texts all stand at the same column of successive lines.
  private func variables(_ pairs: [(String, Value)]) -> Variables {
    var mapping = Mapping()
    for (index, (name, value)) in pairs.enumerated() {
      let place = SourceLocation(file: Self.file, line: index + 1, column: 5)
      mapping.set(.init(key: name, keyLocation: place, value: Node(value, at: place)))
    }
    return Variables(mapping)
  }

  private func render(_ text: String, _ pairs: [(String, Value)]) throws -> Value {
    try Template(text, origin: .file("t.j2")).render(variables(pairs)).value
  }

  @Test("a variable may be a template of other variables")
  func chain() throws {
    let result = try render("{{ a }}!", [("a", .text("{{ b }}-{{ b }}")), ("b", .text("x"))])
    #expect(result == .text("x-x!"))
  }

  @Test("an expression alone keeps its type through several variables")
  func native() throws {
    let pairs: [(String, Value)] = [("a", .text("{{ b }}")), ("b", .integer(6443))]
    #expect(try render("{{ a }}", pairs) == .integer(6443))
    #expect(try render(" {{ a }}", pairs) == .text(" 6443"))
  }

  @Test("only the part of a mapping that is taken out is filled in")
  func lazy() throws {
    let place = SourceLocation(file: Self.file, line: 9, column: 1)
    let inner = Mapping([
      .init(key: "good", keyLocation: place, value: Node(.text("{{ b }}"), at: place)),
      .init(
        key: "bad", keyLocation: place,
        value: Node(.text("{{ nowhere }}"), at: .init(file: Self.file, line: 10, column: 1))),
    ])
    let pairs: [(String, Value)] = [("a", .mapping(inner)), ("b", .integer(1))]
    #expect(try render("{{ a.good }}", pairs) == .integer(1))
    #expect(throws: Diagnostic.self) { try render("{{ a }}", pairs) }
  }

  @Test("variables that need themselves are refused with the chain")
  func recursion() throws {
    let pairs: [(String, Value)] = [
      ("a", .text("{{ b }}")), ("b", .text("x {{ c.d }}")), ("c", .text("{{ a }}")),
    ]
    let error = try #require(throws: Diagnostic.self) { try render("{{ a }}", pairs) }
    #expect(error.summary == "the variable \"a\" needs itself")
    #expect(error.reason == "a → b → c → a")
    #expect(error.location == SourceLocation(file: Self.file, line: 1, column: 5))
  }

  @Test("what a template produces is not taken for a template again")
  func once() throws {
    #expect(try render("{{ '{{' ~ ' a }}' }}", []) == .text("{{ a }}"))
  }

  @Test("a long chain of variables ends in a message, not in a crash")
  func deep() throws {
    let pairs = (0..<5000).map { ("v\($0)", Value.text("{{ v\($0 + 1) }}")) }
    #expect(throws: Diagnostic.self) { try render("{{ v0 }}", pairs) }
  }

  @Test(
    "expressions that would exhaust the stack are refused",
    arguments: [
      String(repeating: "[", count: 5000), String(repeating: "1+", count: 5000) + "1",
      String(repeating: "not ", count: 5000) + "1", String(repeating: "-", count: 5000) + "1",
      "1" + String(repeating: "|int", count: 5000), String(repeating: "(", count: 5000),
    ])
  func huge(expression: String) throws {
    #expect(throws: Diagnostics.self) {
      try Template("{{ \(expression) }}", origin: .file("t.j2"))
    }
  }
}

@Suite("places in YAML scalars")
struct ScalarPlaceTests {
  /// A file, where its scalar begins, what it decodes to, and where `oops` stands.
  struct Sample: Sendable, CustomTestStringConvertible {
    var file: String
    var start: (line: Int, column: Int)
    var decoded: String
    var expected: (line: Int, column: Int)
    var testDescription: String { file.debugDescription }
  }

  static let samples = [
    Sample(file: "k: a {{ oops }}", start: (1, 4), decoded: "a {{ oops }}", expected: (1, 9)),
    Sample(
      file: "k: 'it''s {{ oops }}'", start: (1, 4), decoded: "it's {{ oops }}", expected: (1, 14)),
    Sample(
      file: #"k: "\t\u00e9\"x {{ oops }}""#, start: (1, 4), decoded: "\t\u{e9}\"x {{ oops }}",
      expected: (1, 20)),
    Sample(
      file: "k: |\n  one\n\n  two {{ oops }}\n", start: (1, 4), decoded: "one\n\ntwo {{ oops }}\n",
      expected: (4, 10)),
    Sample(
      file: "k: >-\n  one\n  {{ oops }}\n", start: (1, 4), decoded: "one {{ oops }}",
      expected: (3, 6)),
    Sample(
      file: "k: \"one \\\n   {{ oops }}\"\n", start: (1, 4), decoded: "one {{ oops }}",
      expected: (2, 7)),
  ]

  @Test("a mistake inside a scalar is found in the file", arguments: samples)
  func place(sample: Sample) throws {
    let start = SourceLocation(
      file: "a.yaml", line: sample.start.line, column: sample.start.column)
    let origin = TextOrigin.scalar(start, Files(texts: ["a.yaml": sample.file]))
    let template = try Template(sample.decoded, origin: origin)
    let error = try #require(throws: Diagnostic.self) {
      try template.render(Variables(Mapping()))
    }
    #expect(error.location?.line == sample.expected.line)
    #expect(error.location?.column == sample.expected.column)
    #expect(error.location?.length == 4)
  }

  @Test("backslashes in a scalar's expressions stand for themselves")
  func backslashes() throws {
    let start = SourceLocation(file: "a.yaml", line: 1, column: 1)
    let template = try Template(#"{{ 'a\nb' }}"#, origin: .scalar(start, nil))
    #expect(try template.render(Variables(Mapping())).value == .text(#"a\nb"#))
  }
}
