import HelixModel
import Testing

@testable import HelixInventory

@Suite("The YAML reader")
struct YAMLReaderTests {
  private func entries(_ text: String) throws -> HelixModel.Mapping {
    let documents = try YAMLReader.read(text, file: "a.yaml")
    return try #require(documents.first?.mapping)
  }

  private func problems(_ text: String) -> [String] {
    do {
      _ = try YAMLReader.read(text, file: "a.yaml")
      return []
    } catch {
      return error.all.map { "\($0.location?.description ?? "") \($0.summary)" }
    }
  }

  @Test(
    "resolves plain scalars as PyYAML does",
    arguments: [
      ("yes", Value.bool(true)), ("Off", .bool(false)), ("n", .text("n")), ("~", .null),
      ("0644", .integer(420)), ("08", .text("08")), ("0x1F", .integer(31)),
      ("0b101", .integer(5)), ("1_000", .integer(1000)), ("-12", .integer(-12)),
      ("+7", .integer(7)), ("1:30", .integer(90)), ("1:60", .text("1:60")),
      ("1.30", .number(1.3)), ("1e3", .text("1e3")), ("1.5e3", .text("1.5e3")),
      ("1.5e+3", .number(1500)), (".5", .number(0.5)), ("-.5", .text("-.5")), ("5.", .number(5)),
      (".inf", .number(.infinity)), ("1.2.3", .text("1.2.3")), ("-", .text("-")),
      ("192.168.1.10", .text("192.168.1.10")), ("2024-01-31", .text("2024-01-31")),
      ("99999999999999999999", .text("99999999999999999999")),
      ("v1.29.1+k3s2", .text("v1.29.1+k3s2")),
      ("0", .integer(0)), ("_1", .text("_1")), ("0o17", .text("0o17")), ("1.", .number(1)),
      ("0_7", .integer(7)), ("08.5", .number(8.5)), ("1:30.5", .number(90.5)),
    ])
  func plainScalars(text: String, value: Value) {
    #expect(PlainScalar.value(of: text) == value)
  }

  @Test("keeps the text of a scalar that became something else")
  func written() throws {
    let read = try entries("mode: 0644\nversion: 1.30\nname: x\nquoted: '7'\n")
    #expect(read.entries.map(\.value.written) == ["0644", "1.30", nil, nil])
    #expect(read.entries.map(\.value.scalarText) == ["0644", "1.30", "x", "7"])
  }

  @Test("knows line, column and length of keys and values")
  func places() throws {
    let read = try entries("a: 1\nlong: \"q\\\"x\"\nlist:\n  - {k: vé}\n")
    #expect(
      read.entries.map(\.keyLocation.description) == ["a.yaml:1:1", "a.yaml:2:1", "a.yaml:3:1"])
    #expect(read["long"]?.location == SourceLocation(file: "a.yaml", line: 2, column: 7, length: 6))
    let inner = try #require(read["list"]?.list?.first?.mapping?.entry("k"))
    #expect(inner.value.location == SourceLocation(file: "a.yaml", line: 4, column: 9, length: 2))
  }

  @Test("lets a mapping's own keys win over merged ones, and the first merged over later ones")
  func mergeKeys() throws {
    let read = try entries(
      "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 3\n")
    let merged = try #require(read["z"]?.mapping)
    #expect(merged["a"]?.value == .integer(3))
    #expect(merged["b"]?.value == .integer(1))
    #expect(merged["c"]?.value == .integer(2))
    #expect(merged["c"]?.location.line == 2)
  }

  @Test("finds every double key and names both lines")
  func doubleKeys() throws {
    let text = "a: 1\nb:\n  c: 1\n  \"c\": 2\n  c: 3\na: 2\n"
    #expect(
      problems(text) == [
        "a.yaml:4:3 \"c\" stands here a second time", "a.yaml:5:3 \"c\" stands here a second time",
        "a.yaml:6:1 \"a\" stands here a second time",
      ])
    #expect(throws: Diagnostics.self) { try YAMLReader.read(text, file: "a.yaml") }
  }

  @Test(
    "says what is wrong with text that is no YAML",
    arguments: [
      ("a:\n\tb: 1\n", "a.yaml:2:1 a tab stands where YAML wants blanks"),
      ("a: b: c\n", "a.yaml:1:5 a \": \" stands where no key can be"),
      ("a: {{ b }}\n", "a.yaml:1:4 a value that begins with {{ is not in quotation marks"),
      ("a: *b\n", "a.yaml:1:4 the alias *b names no anchor"),
      ("a: 'b\n", "a.yaml:1:4 the quotation marks that open here are never closed"),
      ("a: @b\n", "a.yaml:1:4 \"@\" cannot begin a value"),
      (
        "a: !vault |\n  61\n",
        "a.yaml:1:4 this value is encrypted with ansible-vault, which helix-infra does not read"
      ),
      ("a: !secret b\n", "a.yaml:1:4 the tag !secret is not known"),
      ("a: [1, 2\nb: 3\n", "a.yaml:2:2 a comma or the closing bracket is missing"),
      ("a: \u{1}\n", "a.yaml:1:4 the character U+1 cannot stand in YAML"),
    ])
  func brokenText(text: String, problem: String) {
    #expect(problems(text) == [problem])
  }

  @Test("refuses aliases that multiply without end")
  func expansion() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...8 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(aliases)]\n"
    }
    #expect(
      problems(text).map { $0.drop { $0 != " " } } == [" this file stands for too many values"])
  }

  @Test("reads nothing, several documents, a byte order mark and Windows line ends")
  func shapes() throws {
    #expect(try YAMLReader.read("# nothing\n", file: "a").isEmpty)
    #expect(try YAMLReader.readOne("---\n", file: "a") == nil)
    #expect(try YAMLReader.read("a\n---\nb\n", file: "a").map(\.text) == ["a", "b"])
    let windows = try YAMLReader.read("\u{FEFF}a: 1\r\nb: 2\r\n", file: "a")
    #expect(windows.first?.mapping?.entry("a")?.keyLocation.column == 1)
    #expect(windows.first?.mapping?["b"]?.value == .integer(2))
  }

  @Test("survives deep nesting")
  func depth() {
    #expect(problems(String(repeating: "[", count: 5000)).count == 1)
  }
}
