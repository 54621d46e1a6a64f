import HelixModel
import Testing

@testable import HelixSOPS

@Suite("dotenv and INI")
struct LinesTextTests {
  private let block = MetadataValue.fields([
    .init("version", .text("3.11.0")), .init("shamir_threshold", .integer(2)),
    .init(
      "age", .list([.fields([.init("recipient", .text("r")), .init("enc", .text("a\nb\n"))])])),
    .init("kms", .list([])), .init("mac_only_encrypted", .boolean(true)),
  ])
  /// What flat text makes of it: all is text, and nothing is left of what is empty.
  private let flat = MetadataValue.fields([
    .init(
      "age", .list([.fields([.init("enc", .text("a\nb\n")), .init("recipient", .text("r"))])])),
    .init("mac_only_encrypted", .text("true")), .init("shamir_threshold", .text("2")),
    .init("version", .text("3.11.0")),
  ])

  @Test("dotenv is read as it stands, nothing trimmed or unquoted")
  func dotenv() throws {
    let text = try SOPSText.parse(
      "# c\n\nfoo =1\nB=\"x\"\nexport A=a=b\nE=\nN=a\\nb\r\nfoo =2", .dotenv)
    #expect(
      text.items.map {
        "\($0.keys) \(FlatText.text(of: $0.value).map { Character(Unicode.Scalar($0)) })"
      } == ["[] [\" \", \"c\"]"]
        + [
          ("foo ", "1"), ("B", "\"x\""), ("export A", "a=b"), ("E", ""), ("N", "a\nb\r"),
          ("foo ", "2"),
        ].map { "\([$0.0]) \(Array($0.1.unicodeScalars).map(Character.init))" })
    #expect(text.items[1].comments == [Array(" c".utf8)])
    #expect(text.items[2].comments.isEmpty)
  }

  @Test(
    "dotenv keeps its lines, and metadata goes in at the end and out again",
    arguments: ["# c\nA=1\n\nB=2\n", "A=1", "A=1\r\nB=2\r\n", "A=1\n\n", ""])
  func dotenvMetadata(text: String) throws {
    let encrypted = try SOPSText.parse(text, .dotenv).replacing([:], keeping: block)
    let lines = """
      sops_age__list_0__map_enc=a\\nb\\n
      sops_age__list_0__map_recipient=r
      sops_mac_only_encrypted=true
      sops_shamir_threshold=2
      sops_version=3.11.0

      """
    let gap = text.isEmpty || text.hasSuffix("\n") || text.hasSuffix("\r\n") ? "" : "\n"
    #expect(encrypted == text + gap + (gap.isEmpty ? lines : String(lines.dropLast())))
    let back = try SOPSText.parse(encrypted, .dotenv)
    #expect(back.metadata == flat)
    #expect(try back.replacing([:], keeping: nil) == text)
    #expect(try back.replacing([:], keeping: back.metadata) == encrypted)
  }

  @Test("dotenv values are replaced where they stand")
  func dotenvValues() throws {
    let text = try SOPSText.parse("#c\nA=1\nB= x \nsops_v=1\nC=3\nsops_w=2\n", .dotenv)
    #expect(text.items.count == 4)
    #expect(
      try text.replacing(
        [0: .ciphertext("ENC[1]"), 1: .ciphertext("ENC[2]"), 3: .value(.text(Array("a\nb".utf8)))],
        keeping: text.metadata)
        == "#ENC[1]\nA=ENC[2]\nB= x \nsops_v=1\nC=a\\nb\nsops_w=2\n")
    #expect(
      try text.replacing([:], keeping: .fields([.init("w", .text("3")), .init("v", .text("1"))]))
        == "#c\nA=1\nB= x \nsops_v=1\nC=3\nsops_w=3\n")
    #expect(
      try text.replacing([:], keeping: .fields([.init("x", .text("3"))]))
        == "#c\nA=1\nB= x \nsops_x=3\nC=3\n")
    #expect(
      try text.replacing(
        [1: .value(.boolean(true)), 2: .value(.number(1.5)), 3: .value(.integer(7))], keeping: nil)
        == "#c\nA=true\nB=1.5\nC=7\n")
    #expect(throws: Diagnostic.self) {
      try text.replacing([1: .value(.text([0xFF]))], metadata: nil)
    }
  }

  @Test("INI is read with go-ini's quotes, comments and continued values")
  func ini() throws {
    let text = try SOPSText.parse(
      "a = 1\n; one\n# two\n\n[x y]\n\"k\" : \"v\"\nl = 'it'\nm = `a;b`\nn = \"\"\"p\nq\"\"\"\no =\n",
      .ini)
    let items = text.items.map {
      "\($0.keys.joined(separator: "/")) \(String(decoding: FlatText.text(of: $0.value), as: UTF8.self))"
    }
    #expect(
      items == [
        "DEFAULT/a 1", "x y one\n# two", "x y/k v", "x y/l it", "x y/m a;b", "x y/n p\nq", "x y/o ",
      ])
    #expect(text.items[1].containers == [[.key("x y")], []])
    #expect(text.items[2].comments == [Array("one\n# two".utf8)])
  }

  @Test("what go-ini takes for a comment is no part of a value, and stays where it is")
  func iniInline() throws {
    let text = try SOPSText.parse("c = a ; b\n", .ini)
    #expect(text.items.map(\.value) == [.text([0x61])])
    #expect(try text.replacing([0: .ciphertext("ENC[1]")], keeping: nil) == "c = ENC[1] ; b\n")
  }

  @Test("a comment before a key is walked behind it, as upstream does")
  func iniComments() throws {
    let text = try SOPSText.parse("[s]\n; c\na = 1\nb = 2\n", .ini)
    #expect(text.items.map(\.value) == [.text([0x31]), .comment([0x63]), .text([0x32])])
    #expect(text.items[2].comments == [[0x63]])
    #expect(
      try text.replacing([1: .ciphertext("ENC[1]")], keeping: nil)
        == "[s]\n; ENC[1]\na = 1\nb = 2\n")
  }

  @Test(
    "INI values get the quotes that go-ini needs",
    arguments: [
      ("a = x\n", "y z", "a = y z\n"), ("a = \"x\"\n", "y", "a = \"y\"\n"),
      ("a = x\n", "y;z", "a = `y;z`\n"),
      ("a = x\n", "y\nz", "a = \"\"\"y\nz\"\"\"\n"), ("a = x\n", " y", "a = ` y`\n"),
      ("a = x\n", "`y#", "a = \"\"\"`y#\"\"\"\n"), ("a = 'x'\n", "it's", "a = it's\n"),
      ("a = x\n", "y\\", "a = `y\\`\n"), ("a=\n", "x", "a= x\n"),
      ("a = \"\"\"x\n\"\"\"\n", "y", "a = `y`\n"),
      ("a = x\n", "\"q\"", "a = `\"q\"`\n"),
    ])
  func iniValues(before: String, value: String, after: String) throws {
    let text = try SOPSText.parse(before, .ini)
    #expect(try text.replacing([0: .value(.text(Array(value.utf8)))], keeping: nil) == after)
    #expect(try SOPSText.parse(after, .ini).items.map(\.value) == [.text(Array(value.utf8))])
  }

  @Test(
    "INI metadata is a section of its own that comes and goes",
    arguments: ["[a]\nb = 1\n", "[a]\nb = 1", "b = 1\r\n", "[a]\nb = 1\n\n"])
  func iniMetadata(text: String) throws {
    let encrypted = try SOPSText.parse(text, .ini).replacing([:], keeping: block)
    let section = """

      [sops]
      age__list_0__map_enc       = a\\nb\\n
      age__list_0__map_recipient = r
      mac_only_encrypted         = true
      shamir_threshold           = 2
      version                    = 3.11.0
      """
    let ending = text.hasSuffix("\r\n") ? "\r\n" : "\n"
    let hasBreak = text.hasSuffix(ending)
    #expect(
      encrypted == text + (hasBreak ? "" : "\n") + section.replacing("\n", with: ending)
        + (hasBreak ? ending : ""))
    let back = try SOPSText.parse(encrypted, .ini)
    #expect(back.metadata == flat)
    #expect(back.items.count == 1)
    #expect(try back.replacing([:], keeping: nil) == text)
    #expect(
      try back.replacing([:], keeping: .fields([.init("version", .text("3"))])) == text
        + (hasBreak ? "" : "\n") + "\n[sops]\nversion = 3".replacing("\n", with: ending)
        + (hasBreak ? ending : ""))
  }

  @Test("metadata of older versions with real line breaks is read")
  func tripleQuotes() throws {
    let text = try SOPSText.parse(
      "[a]\nb = 1\n\n[sops]\nenc = \"\"\"x\ny\n\"\"\"\nversion = 3\n", .ini)
    #expect(
      text.metadata == .fields([.init("enc", .text("x\ny\n")), .init("version", .text("3"))]))
    #expect(
      try text.replacing(
        [:], keeping: .fields([.init("enc", .text("z\n")), .init("version", .text("3"))]))
        == "[a]\nb = 1\n\n[sops]\nenc = z\\n\nversion = 3\n")
  }
}
