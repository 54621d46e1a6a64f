import HelixModel
import Testing

@testable import HelixSOPS

@Suite("what upstream cannot represent is told, and does not stop reading")
struct ObstacleTests {
  @Test(
    "in YAML",
    arguments: [
      ("a: &x {b: 1}\nc:\n  <<: *x\n", "a merge key cannot be encrypted", 3),
      ("1: x\n", "a key is not text", 1), ("true: x\n", "a key is not text", 1),
      ("~: x\n", "a key is not text", 1), ("2001-01-02: x\n", "a key is not text", 1),
      ("a: 1\n\"a\": 2\n", "a key stands twice in one map", 2),
      ("a: 9223372036854775808\n", "a value is not of a type that SOPS has", 1),
      ("a: !!int x\n", "a value is not of a type that SOPS has", 1),
      ("a: !custom x\n", "a tag of its own cannot be encrypted", 1),
      ("a: !custom\n  b: 1\n", "a tag of its own cannot be encrypted", 2),
      ("a: &k b\n*k : 1\n", "an alias stands as a key", 2),
    ])
  func yaml(text: String, summary: String, line: Int) throws {
    let read = try SOPSText.parse(text)
    #expect(read.obstacles.map(\.summary) == [summary])
    #expect(read.obstacles.first?.location?.line == line)
    #expect(!read.items.isEmpty)
  }

  @Test(
    "in JSON",
    arguments: [
      (#"{"a": 1, "a": 2}"#, "a key stands twice in one map"),
      (#"{"a": 1e999}"#, "a number is larger than any that SOPS has"),
      (#"{"a": "x\ud800y"}"#, "a string holds half of a character"),
    ])
  func json(text: String, summary: String) throws {
    #expect(try SOPSText.parse(text, .json).obstacles.map(\.summary) == [summary])
  }

  @Test(
    "in INI",
    arguments: [
      ("c = a;b\n", "\"#\" and \";\" in a value start a comment"),
      ("c = \"a#b\"\n", "\"#\" and \";\" in a value start a comment"),
      ("c = a\\\nd = 1\n", "a backslash ends a line"), ("- = 1\n", "a key is a bare dash"),
      ("a = 1\na = 2\n", "a key stands twice in one section"),
      ("a = 1\n; end\n", "a comment stands behind the last key"),
      ("[x] ; y\na = 1\n", "something stands behind a section's name"),
      ("a = `x` y\n", "something stands behind a value's quotes"),
    ])
  func ini(text: String, summary: String) throws {
    #expect(try SOPSText.parse(text, .ini).obstacles.map(\.summary) == [summary])
  }

  @Test(
    "nothing is told of what people commonly write",
    arguments: [
      ("a: &x 1\nb: *x\nc: !!str 2\nd: !!map {}\n---\na: 1\n", SOPSFormat.yaml),
      (#"{"a": [1, 2.5, null, "é\ud83d\ude42"]}"#, .json), ("# c\nA=1\nB=\n", .dotenv),
      ("; c\n[a]\nb = 1\n# d\nc: \"2\"\nd = `a;b`\n", .ini),
    ])
  func plain(text: String, format: SOPSFormat) throws {
    #expect(try SOPSText.parse(text, format).obstacles.isEmpty)
  }

  @Test(
    "what cannot be read is refused with its place and not a word of it",
    arguments: [
      ("a: \"hunter2\n", SOPSFormat.yaml, 1, 4), ("- hunter2\n", .yaml, 1, 1),
      ("hunter2\n", .yaml, 1, 1), ("a: 1\nhunter2\nb: 1\n", .yaml, 2, 1),
      ("a: *hunter2\n", .yaml, 1, 4), ("a: \u{1}\n", .yaml, 1, 4), ("[hunter2]: 1\n", .yaml, 1, 1),
      ("a: &x [*x]\n", .yaml, 1, 8), ("a: é\n\tb: 1\n", .yaml, 2, 1),
      ("a: hunter2\n b: 1\n", .yaml, 2, 3),
      ("[1]", .json, 1, 1), ("{\"hunter2\": 1,}", .json, 1, 15), ("{\"a\": 01}", .json, 1, 7),
      ("{} x", .json, 1, 4), ("{\"a\": hunter2}", .json, 1, 7), ("hunter2\n", .dotenv, 1, 1),
      ("hunter2\n", .ini, 1, 1), ("[hunter2\n", .ini, 1, 1), ("a = `x\n", .ini, 1, 5),
      ("sops_a=1\nsops_a=2\n", .dotenv, 2, 1), ("sops_a=1\nsops_a__map_b=2\n", .dotenv, 1, 1),
    ])
  func refused(text: String, format: SOPSFormat, line: Int, column: Int) throws {
    let problem = try #require(throws: Diagnostic.self) { try SOPSText.parse(text, format) }
    #expect(problem.location?.line == line && problem.location?.column == column, "\(problem)")
    #expect(!"\(problem)".contains("hunter2"))
  }
}
