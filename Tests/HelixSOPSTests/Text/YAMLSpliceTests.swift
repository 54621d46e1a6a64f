import HelixModel
import Testing

@testable import HelixSOPS

@Suite("YAML stays as it was but for what changes")
struct YAMLSpliceTests {
  private func edit(
    _ text: String, _ edits: [Int: Replacement], _ metadata: MetadataValue? = nil
  ) throws -> String {
    try SOPSText.parse(text).replacing(edits, keeping: metadata)
  }

  private func text(_ text: String) -> Replacement { .value(.text(Array(text.utf8))) }
  private let sealed = Replacement.ciphertext("ENC[x,data:y]")

  @Test(
    "ciphertext takes the place of a value and leaves quotes, comments and blanks",
    arguments: [
      ("a:   1   # one\n\n\nb: 2\n", "a:   ENC[x,data:y]   # one\n\n\nb: 2\n", 1),
      ("a: \"x\"\r\nb: 2\r\n", "a: \"ENC[x,data:y]\"\r\nb: 2\r\n", 0),
      ("a: 'x'\n", "a: 'ENC[x,data:y]'\n", 0),
      ("a: {b: x, c: 2}\n", "a: {b: \"ENC[x,data:y]\", c: 2}\n", 0),
      ("a: |\n  x\n  y\n\nb: 2\n", "a: ENC[x,data:y]\n\nb: 2\n", 0),
      ("a: >-  # why\n  x\n\n  y\nb: 2\n", "a: ENC[x,data:y]  # why\nb: 2\n", 1),
      ("a: x\n  y\nb: 2\n", "a: ENC[x,data:y]\nb: 2\n", 0),
      ("a:\n  - |2\n     x\n  - y\n", "a:\n  - ENC[x,data:y]\n  - y\n", 0),
      ("a: !!int '3'\n", "a: 'ENC[x,data:y]'\n", 0),
      ("a: !!str 3\n", "a: !!str ENC[x,data:y]\n", 0),
      ("a: &n !!int 3\n", "a: &n ENC[x,data:y]\n", 0),
      ("a: !!int &n 3\n", "a: &n ENC[x,data:y]\n", 0),
      ("a: x", "a: ENC[x,data:y]", 0),
      ("\u{FEFF}a: x\n", "\u{FEFF}a: ENC[x,data:y]\n", 0),
      ("# c\na: x\n", "#ENC[x,data:y]\na: x\n", 0),
      ("a: x # c\n", "a: x #ENC[x,data:y]\n", 0),
    ])
  func sealing(before: String, after: String, item: Int) throws {
    #expect(try edit(before, [item: sealed]) == after)
  }

  @Test("an alias of a value gets a value of its own when its anchor changes")
  func aliases() throws {
    let text = "a: &n x\nb: *n\nc: [*n]\nd: x\n"
    #expect(
      try edit(text, [0: sealed]) == "a: &n ENC[x,data:y]\nb: x\nc: [x]\nd: x\n")
    #expect(
      try edit(text, [1: sealed, 2: sealed])
        == "a: &n x\nb: ENC[x,data:y]\nc: [\"ENC[x,data:y]\"]\nd: x\n")
    #expect(try edit(text, [:]) == text)
  }

  @Test("below an alias of a map nothing can change, and nothing that it repeats")
  func containerAliases() throws {
    let text = "a: &n\n  x: 1\nb: *n\nc: 2\n"
    #expect(
      try SOPSText.parse(text).items.map(\.place).map(\.last) == [.key("x"), .key("x"), .key("c")])
    #expect(throws: Diagnostic.self) { try edit(text, [0: sealed]) }
    #expect(throws: Diagnostic.self) { try edit(text, [1: sealed]) }
    #expect(try edit(text, [2: sealed]) == "a: &n\n  x: 1\nb: *n\nc: ENC[x,data:y]\n")
  }

  @Test("values come back spelled so that they are read as what they are")
  func opening() throws {
    let text = "a: ENC[1]\nb: 'ENC[2]'\nc: \"ENC[3]\"\nd: [\"ENC[4]\"]\n"
    let edits: [Int: Replacement] = [
      0: self.text("true"), 1: self.text("it's"), 2: self.text("a\nb"), 3: .value(.integer(5)),
    ]
    #expect(try edit(text, edits) == "a: \"true\"\nb: 'it''s'\nc: \"a\\nb\"\nd: [5]\n")
    #expect(try edit("a: ENC[1]\n", [0: .value(.number(1))]) == "a: 1.0\n")
  }

  @Test(
    "text of several lines becomes a block where one can hold it",
    arguments: [
      ("a: ENC[1]\n", "x\ny\n", "a: |\n    x\n    y\n"),
      ("a: ENC[1] # c\nb: 1\n", "x\ny", "a: |- # c\n    x\n    y\nb: 1\n"),
      ("a:\n  b: ENC[1]\n", "x\n\ny\n", "a:\n  b: |\n    x\n\n    y\n"),
      ("a:\n- ENC[1]\n- 2\n", " x\ny\n", "a:\n- |4\n     x\n    y\n- 2\n"),
      ("a: ENC[1]\r\nb: 1\r\n", "x\ny\n", "a: |\r\n    x\r\n    y\r\nb: 1\r\n"),
      ("a: ENC[1]", "x\n", "a: \"x\\n\""),
      ("a: ENC[1]\n", "x \ny", "a: \"x \\ny\"\n"),
      ("a: ENC[1]\n", "x\n\n", "a: \"x\\n\\n\"\n"),
      ("a: ENC[1]\n", "x\r\ny", "a: \"x\\r\\ny\"\n"),
      ("a: [\"ENC[1]\"]\n", "x\ny", "a: [\"x\\ny\"]\n"),
      ("a: |-\n   ENC[1]\nb: 1\n", "x\ny\n", "a: |\n   x\n   y\nb: 1\n"),
    ])
  func blocks(before: String, value: String, after: String) throws {
    let index = try #require(try SOPSText.parse(before).items.firstIndex { !$0.isComment })
    #expect(try edit(before, [index: text(value)]) == after)
  }

  @Test("ciphertext of comments that stands as items turns into comments")
  func listComments() throws {
    let comment = Replacement.value(.comment(Array(" note".utf8)))
    #expect(
      try edit("a:\n    - ENC[1]\n    - ENC[2]\nb: 1\n", [0: comment, 1: text("x")])
        == "a:\n    # note\n    - x\nb: 1\n")
    #expect(try edit("a:\n- ENC[1]\n", [0: comment]) == "a:\n# note\n []\n")
    let emptied = try SOPSText.parse("a:\n  # note\n   []\nb: 1\n")
    #expect(emptied.items.count == 2)
    #expect(throws: Diagnostic.self) { try edit("a: [\"ENC[1]\"]\n", [0: comment]) }
    #expect(throws: Diagnostic.self) { try edit("a:\n- - ENC[1]\n", [0: comment]) }
  }

  static let block = MetadataValue.fields([
    .init("version", .text("3.11.0")),
    .init("lastmodified", .text("2026-01-02T03:04:05Z")),
    .init(
      "key_groups",
      .list([
        .fields([
          .init(
            "age",
            .list([
              .fields([.init("recipient", .text("age1q")), .init("enc", .text("-----\nx\n"))])
            ]))
        ])
      ])),
    .init("shamir_threshold", .integer(2)), .init("mac_only_encrypted", .boolean(true)),
    .init("pgp", .list([])), .init("mac", .text("ENC[m,data:x]")),
  ])

  static let written = """
    sops:
        key_groups:
            - age:
                - enc: |
                    -----
                    x
                  recipient: age1q
        lastmodified: "2026-01-02T03:04:05Z"
        mac: ENC[m,data:x]
        mac_only_encrypted: true
        pgp: []
        shamir_threshold: 2
        version: 3.11.0

    """

  @Test("metadata is written as SOPS 3.13 writes it, in every document")
  func appending() throws {
    #expect(try edit("a: 1\n", [:], Self.block) == "a: 1\n" + Self.written)
    #expect(
      try edit("a: 1\n---\nb: 1\n# end\n", [:], Self.block)
        == "a: 1\n" + Self.written + "---\nb: 1\n# end\n" + Self.written)
    #expect(try edit("---\n...\n", [:], Self.block) == "---\n" + Self.written + "...\n")
    #expect(
      try edit("a: 1\r\n", [:], Self.block)
        == "a: 1\r\n" + Self.written.replacing("\n", with: "\r\n"))
    #expect(try edit("a: 1", [:], Self.block) == "a: 1\n" + Self.written.dropLast())
    #expect(try edit("a: |\n  x", [:], Self.block) == "a: |-\n  x\n" + Self.written.dropLast())
    #expect(
      try edit("  a: 1\n  b: 2\n", [:], .fields([.init("mac", .text("x"))]))
        == "  a: 1\n  b: 2\n  sops:\n      mac: x\n")
    #expect(
      try edit("{a: 1}\n", [:], .fields([.init("mac", .text("x"))]))
        == "{a: 1, \"sops\": {\"mac\": \"x\"}}\n")
  }

  @Test(
    "taking metadata away gives back what was there before",
    arguments: [
      "a: 1\n", "a: 1", "a: |\n  x\n", "a: |-\n  x", "a: 1\r\nb: 2\r\n", "a: 1\n# end\n\n",
      "{a: 1}\n", "{}\n",
      "a: 1\n---\nb: 2\n", "---\na: 1\n...\n---\nb:\n- c\n", "  a: 1\n",
    ])
  func removing(_ text: String) throws {
    let with = try edit(text, [:], Self.block)
    #expect(try SOPSText.parse(with).metadata == Self.block.sorted)
    #expect(try edit(with, [:]) == text)
  }

  @Test("metadata with the same fields changes only where its values do")
  func updating() throws {
    let text =
      "a: 1\nsops: # ours\n  mac: 'x'\n  # note\n  age:\n  - recipient: r\n    enc: |\n      a\n      b\n  lastmodified: 2026-01-02T03:04:05Z\n"
    let block = MetadataValue.fields([
      .init(
        "age", .list([.fields([.init("enc", .text("c\nd\n")), .init("recipient", .text("r"))])])),
      .init("lastmodified", .text("2027-01-02T03:04:05Z")), .init("mac", .text("y")),
    ])
    #expect(
      try edit(text, [:], block)
        == "a: 1\nsops: # ours\n  mac: 'y'\n  # note\n  age:\n  - recipient: r\n    enc: |\n      c\n      d\n  lastmodified: \"2027-01-02T03:04:05Z\"\n"
    )
  }

  @Test("metadata with other fields is written anew where it stood")
  func rewriting() throws {
    let text = "a: 1\nsops:\n  mac: x\n  pgp: []\nb: 2\n"
    #expect(
      try edit(text, [:], .fields([.init("mac", .text("z"))]))
        == "a: 1\nsops:\n    mac: z\nb: 2\n")
    #expect(try edit(text, [:]) == "a: 1\nb: 2\n")
  }

  @Test("nothing can be added to a document that says null")
  func nothing() {
    #expect(throws: Diagnostic.self) { try edit("--- null\n", [:], Self.block) }
  }
}
