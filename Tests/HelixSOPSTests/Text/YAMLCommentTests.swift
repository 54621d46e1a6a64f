import HelixModel
import Testing

@testable import HelixSOPS

@Suite("comments of YAML")
struct YAMLCommentTests {
  private func comments(_ text: String) throws -> [String] {
    try SOPSText.parse(text).items.filter(\.isComment).map { item in
      guard case .comment(let bytes) = item.value else { return "" }
      return item.keys.joined(separator: ":") + "|" + String(decoding: bytes, as: UTF8.self)
    }
  }

  @Test(
    "belong to the map that go-yaml gives them to",
    arguments: [
      ("# top\na: 1\n", ["| top"]),
      ("a:\n  # in\n  b: 1\n", ["a| in"]),
      ("a:\n  b: 1\n  # foot\nc: 1\n", ["a| foot"]),
      ("a:\n  b: 1\n# head\nc: 1\n", ["| head"]),
      ("a:\n  b: 1 # inline\nc: 1\n", ["a| inline"]),
      ("a: # key\n  b: 1\n", ["| key"]),
      ("a:\n  - x\n  # item\n  - y\n", ["a| item"]),
      ("a:\n  - # dash\n    b: 1\n", ["a| dash"]),
      ("a:\n  b: 1\n# end\n", ["| end"]),
      ("a:\n  b:\n    c: 1\n    # deep\n  # less\nd: 1\n", ["a:b| deep", "a| less"]),
      ("a: |  # head\n  x\n", ["|  head".replacing("  ", with: " ")]),
      ("a: [x, # in\n  y]\n", ["a| in"]),
      ("a: {b: 1} # behind\n", ["a| behind"]),
      ("a: 1\n# foot\n\n# head\nb: 1\n", ["| foot", "| head"]),
      ("a:\n  b: 1\n  # foot\n\n  # head\n  c: 1\n", ["a| foot", "a| head"]),
      ("# only\n", []), ("---\n# only\n", ["| only"]),
    ])
  func places(text: String, expected: [String]) throws {
    #expect(try comments(text) == expected)
  }

  @Test("name every container that may hold them")
  func candidates() throws {
    let item = try #require(
      try SOPSText.parse("a:\n  b:\n    c: 1\n# x\nd: 1\n").items.first(where: \.isComment))
    #expect(item.containers == [[], [.key("a"), .key("b")], [.key("a")]])
  }

  @Test("are walked before the value that they stand behind")
  func order() throws {
    let values = try SOPSText.parse("a: 1 # c\nb: # d\n  e: 2\n").items.map(\.value)
    #expect(
      values == [
        .comment(Array(" c".utf8)), .integer(1), .comment(Array(" d".utf8)), .integer(2),
      ])
  }

  @Test("speak for what follows them, and for all that is in it")
  func rules() throws {
    let text = """
      # one
      # two
      a: 1
      b: 2
      # three
      c:
        d: 3
        # four
        e: [4, 5] # five
        f: 6
      g: 7
      """
    let spoken = try SOPSText.parse(text).items.map { item in
      "\(item.value): "
        + item.comments.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",")
    }
    #expect(
      spoken.filter { $0.hasPrefix("integer") } == [
        "integer(1):  one, two", "integer(2): ", "integer(3):  three",
        "integer(4):  three, four, five", "integer(5):  three, four", "integer(6):  three",
        "integer(7): ",
      ])
    let second = try #require(try SOPSText.parse(text).items.dropFirst().first)
    #expect(second.comments == [Array(" one".utf8)])
  }

  @Test("inside of text are none")
  func text() throws {
    #expect(try comments("a: |\n  # no\nb: \"# no\"\nc: x#no\nd: 'a\n  # no'\n").isEmpty)
  }

  @Test("in the sops block are left out")
  func metadata() throws {
    #expect(try comments("a: 1\nsops: # x\n  mac: y # z\n  # w\n  age: []\n") == [])
  }
}
