import HelixModel
import Testing

@testable import HelixSOPS

@Suite("values by their path")
struct TextPathTests {
  private func excerpt(_ text: String, _ path: [PathStep], _ format: SOPSFormat = .yaml) throws
    -> String
  {
    String(decoding: try SOPSText.parse(text, format).excerpt(at: path), as: UTF8.self)
  }

  private func set(
    _ text: String, _ path: [PathStep], _ json: String, _ format: SOPSFormat = .yaml
  ) throws -> String {
    let value = try SOPSTree(json: Array(json.utf8), file: "value")
    let result = String(
      decoding: try SOPSText.parse(text, format).setting(value, at: path), as: UTF8.self)
    _ = try SOPSText.parse(result, format)
    return result
  }

  @Test("text comes out as it is, and maps and lists as documents of their own")
  func excerpts() throws {
    let text =
      "a:\n  b: \"x\\ny\"\n  # c\n  d:\n    - 1\n    - e: |\n        two\n  f: {g: 1}\nh: true\n"
    #expect(try excerpt(text, [.key("a"), .key("b")]) == "x\ny")
    #expect(try excerpt(text, [.key("a"), .key("d")]) == "- 1\n- e: |\n    two\n")
    #expect(try excerpt(text, [.key("a"), .key("d"), .index(1)]) == "e: |\n  two\n")
    #expect(try excerpt(text, [.key("a"), .key("d"), .index(0)]) == "1\n")
    #expect(try excerpt(text, [.key("a"), .key("f")]) == "{g: 1}\n")
    #expect(try excerpt(text, [.key("h")]) == "true\n")
    #expect(
      try excerpt("{\n  \"a\": {\n    \"b\": 1\n  }\n}", [.key("a")], .json) == "{\n  \"b\": 1\n}\n"
    )
    #expect(try excerpt("A=x\\ny\n", [.key("A")], .dotenv) == "x\ny")
    #expect(try excerpt("[s]\na = \"x\"\n", [.key("s"), .key("a")], .ini) == "x")
    for path: [PathStep] in [
      [.key("z")], [.key("a"), .index(0)], [.key("a"), .key("d"), .index(2)],
    ] {
      #expect(throws: Diagnostic.self) { try excerpt(text, path) }
    }
  }

  @Test(
    "what is there is replaced",
    arguments: [
      ("a: 1 # c\nb: 2\n", "\"x\"", "a: x # c\nb: 2\n"),
      ("a:\nb: 2\n", "7", "a: 7\nb: 2\n"),
      (
        "a: 1 # c\nb: 2\n", "{\"x\": [1, {\"z\": null}]}",
        "a:  # c\n    x:\n        - 1\n        - z: null\nb: 2\n"
      ),
      ("a:\n  x: 1\n  y: 2\nb: 2\n", "\"z\"", "a:\n  \"z\"\nb: 2\n"),
      ("a:\n- x\n- y\nb: 2\n", "{\"c\": 1}", "a:\n    c: 1\nb: 2\n"),
      ("a:\n  - x\nb: 2\n", "[1, 2]", "a:\n  - 1\n  - 2\nb: 2\n"),
      ("a: {x: 1}\nb: 2\n", "{\"y\": \"z\"}", "a: {\"y\": \"z\"}\nb: 2\n"),
      ("a: |\n  x\n  y\nb: 2\n", "[1]", "a: \n    - 1\nb: 2\n"),
      ("a: x\nb: 2\n", "{}", "a: \"\"\nb: 2\n"),
    ])
  func replacing(before: String, value: String, after: String) throws {
    #expect(try set(before, [.key("a")], value) == after)
  }

  @Test("what is missing stands behind what is there")
  func adding() throws {
    #expect(
      try set("a: 1\n\n# end\n", [.key("b"), .key("c")], "2") == "a: 1\nb:\n    c: 2\n\n# end\n")
    #expect(
      try set("a:\n  b: 1\nc: 2\n", [.key("a"), .key("d")], "\"x: y\"")
        == "a:\n  b: 1\n  d: \"x: y\"\nc: 2\n")
    #expect(
      try set("a:\n- 1\nc: 2\n", [.key("a"), .index(9)], "{\"d\": 3}") == "a:\n- 1\n- d: 3\nc: 2\n")
    #expect(try set("a: 1\nsops:\n  mac: x\n", [.key("b")], "2") == "a: 1\nb: 2\nsops:\n  mac: x\n")
    #expect(try set("sops:\n  mac: x\n", [.key("b")], "2") == "b: 2\nsops:\n  mac: x\n")
    #expect(try set("a: |+\n  x\n\nc: 2\n", [.key("d")], "1") == "a: |+\n  x\n\nc: 2\nd: 1\n")
    #expect(try set("a: |+\n  x\n\n", [.key("d")], "1") == "a: |+\n  x\n\nd: 1\n")
    #expect(try set("{a: 1}\n", [.key("b")], "[1]") == "{a: 1, \"b\": [1]}\n")
    #expect(try set("a: []\n", [.key("a"), .index(0)], "1") == "a: [1]\n")
    #expect(throws: Diagnostic.self) { try set("", [.key("a")], "1") }
    #expect(try set("---\n", [.key("a")], "1") == "---\na: 1\n")
    #expect(try set("A=1\nsops_v=1\n", [.key("B")], "\"x\"", .dotenv) == "A=1\nB=x\nsops_v=1\n")
    #expect(
      try set("[s]\na = 1\n\n[t]\nb = 2\n", [.key("s"), .key("c")], "\"x;y\"", .ini)
        == "[s]\na = 1\nc = `x;y`\n\n[t]\nb = 2\n")
    #expect(try set("a = 1\n", [.key("u"), .key("c")], "\"x\"", .ini) == "a = 1\n[u]\nc = x\n")
  }

  @Test("JSON is set with its own layout")
  func json() throws {
    #expect(
      try set("{\n\t\"a\": 1\n}\n", [.key("b")], "{\"c\": 1}", .json)
        == "{\n\t\"a\": 1,\n\t\"b\": {\n\t\t\"c\": 1\n\t}\n}\n")
    #expect(
      try set("{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}\n", [.key("a"), .key("c")], "2", .json)
        == "{\n\t\"a\": {\n\t\t\"b\": 1,\n\t\t\"c\": 2\n\t}\n}\n")
    #expect(try set("{\"a\": []}", [.key("a"), .index(0)], "1", .json) == "{\"a\": [1]}")
    #expect(try set("{\"sops\": {}}", [.key("a")], "1", .json) == "{\"a\": 1,\"sops\": {}}")
    #expect(
      try set("{\"a\": \"x\"}", [.key("a")], "[1, {\"b\": 2}]", .json) == "{\"a\": [1, {\"b\": 2}]}"
    )
  }

  @Test(
    "what cannot be set is refused",
    arguments: [
      ([PathStep.key("sops"), .key("mac")], SOPSFormat.yaml), ([], .yaml), ([.index(0)], .yaml),
      ([.key("a"), .key("b")], .dotenv),
      ([.key("sops_x")], .dotenv), ([.key("x=y")], .dotenv), ([.key("a")], .ini),
      ([.key("data")], .binary),
    ])
  func refused(path: [PathStep], format: SOPSFormat) {
    let text = format == .yaml ? "a: 1\n" : "a=1\n"
    #expect(throws: Diagnostic.self) { try set(text, path, "1", format) }
  }
}
