import HelixModel
import Testing

@testable import HelixSOPS

@Suite("JSON and binary files")
struct JSONTextTests {
  private let block = MetadataValue.fields([
    .init("mac", .text("ENC[m]")), .init("age", .list([.fields([.init("enc", .text("a\nb\n"))])])),
  ])

  @Test("all kinds of values are items in order")
  func items() throws {
    let text = try SOPSText.parse(
      #"{"a":[1,-2.5,1e3,true,null,{"b":"\u00e9\ud83d\ude42\n\/"}],"c":{},"d":9007199254740993,"e":-0}"#,
      .json)
    #expect(
      text.items.map(\.value) == [
        .integer(1), .number(-2.5), .number(1000), .boolean(true), .null,
        .text(Array("é🙂\n/".utf8)), .integer(9_007_199_254_740_993), .integer(0),
      ])
    #expect(text.items[5].place == [.key("a"), .index(5), .key("b")])
    #expect(text.items[5].keys == ["a", "b"])
  }

  @Test(
    "metadata is the last key, laid out as the rest is",
    arguments: [
      (
        "{\n\t\"a\": 1\n}\n",
        "{\n\t\"a\": 1,\n\t\"sops\": {\n\t\t\"age\": [\n\t\t\t{\n\t\t\t\t\"enc\": \"a\\nb\\n\"\n\t\t\t}\n\t\t],\n\t\t\"mac\": \"ENC[m]\"\n\t}\n}\n"
      ),
      (
        "{\n  \"a\": 1\n}",
        "{\n  \"a\": 1,\n  \"sops\": {\n    \"age\": [\n      {\n        \"enc\": \"a\\nb\\n\"\n      }\n    ],\n    \"mac\": \"ENC[m]\"\n  }\n}"
      ),
      (
        "{\"a\":1}",
        "{\"a\":1, \"sops\": {\"age\": [{\"enc\": \"a\\nb\\n\"}], \"mac\": \"ENC[m]\"}}"
      ),
    ])
  func metadata(before: String, after: String) throws {
    #expect(try SOPSText.parse(before, .json).replacing([:], keeping: block) == after)
    let encrypted = try SOPSText.parse(after, .json)
    #expect(encrypted.metadata == block.sorted)
    #expect(encrypted.items.count == 1)
    #expect(try encrypted.replacing([:], keeping: nil) == before)
  }

  @Test("metadata goes from any place")
  func removing() throws {
    #expect(
      try SOPSText.parse(#"{"sops": {"mac": ""}, "a": 1}"#, .json).replacing([:], keeping: nil)
        == #"{"a": 1}"#)
    #expect(try SOPSText.parse(#"{"sops": {}}"#, .json).replacing([:], keeping: nil) == "{}")
    #expect(
      try SOPSText.parse(#"{"a": 1, "sops": {"mac": "x"}, "b": 2}"#, .json)
        .replacing([:], keeping: nil) == #"{"a": 1, "b": 2}"#)
    #expect(
      try SOPSText.parse(#"{"a": 1, "sops": {"mac": "x", "v": 1}}"#, .json)
        .replacing([:], keeping: .fields([.init("v", .integer(1)), .init("mac", .text("y"))]))
        == #"{"a": 1, "sops": {"mac": "y", "v": 1}}"#)
  }

  @Test("values are replaced, and only they")
  func values() throws {
    let text = try SOPSText.parse("{ \"a\" :  1.50 , \"b\":[ \"x\" ] }", .json)
    #expect(
      try text.replacing([0: .ciphertext("ENC[x]"), 1: .value(.number(2))], keeping: nil)
        == "{ \"a\" :  \"ENC[x]\" , \"b\":[ 2 ] }")
    #expect(throws: Diagnostic.self) {
      try text.replacing([0: .value(.number(.nan))], metadata: nil)
    }
    #expect(throws: Diagnostic.self) {
      try text.replacing([0: .value(.comment([]))], metadata: nil)
    }
  }

  @Test("made-up text is written so that it is read as it was")
  func strings() throws {
    var random = SeededNumbers(5)
    for _ in 0..<500 {
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0..<20, using: &random) {
        let range: ClosedRange<UInt32> = Bool.random(using: &random) ? 0...0x100 : 0...0x10FFFF
        text.append(Unicode.Scalar(UInt32.random(in: range, using: &random)) ?? "\u{2028}")
      }
      let value = SOPSValue.text(Array(String(text).utf8))
      let bytes = try SOPSText.parse(#"{"a": 1}"#, .json).replacing(
        [0: .value(value)], metadata: nil)
      #expect(try SOPSText.parse(bytes, format: .json, file: "").items.map(\.value) == [value])
    }
  }

  @Test("a binary file is one value, wrapped when it is encrypted")
  func binary() throws {
    let bytes: [UInt8] = [0x7B, 0xFF, 0x00, 0x0A]
    let plain = try SOPSText.parse(bytes, format: .binary, file: "f")
    #expect(plain.items.map(\.value) == [.text(bytes)])
    #expect(plain.items.map(\.keys) == [["data"]])
    #expect(plain.metadata == nil)
    let sealed = try plain.replacing(
      [0: .ciphertext("ENC[x]")], metadata: .fields([.init("mac", .text("m"))]))
    #expect(
      String(decoding: sealed, as: UTF8.self)
        == "{\n\t\"data\": \"ENC[x]\",\n\t\"sops\": {\n\t\t\"mac\": \"m\"\n\t}\n}\n")
    let wrapped = try SOPSText.parse(sealed, format: .binary, file: "f")
    #expect(wrapped.items.map(\.value) == [.text(Array("ENC[x]".utf8))])
    #expect(wrapped.metadata == .fields([.init("mac", .text("m"))]))
    #expect(try wrapped.replacing([0: .value(.text(bytes))], metadata: nil) == bytes)
    #expect(
      try wrapped.replacing([:], keeping: .fields([.init("mac", .text("n"))]))
        == "{\n\t\"data\": \"ENC[x]\",\n\t\"sops\": {\n\t\t\"mac\": \"n\"\n\t}\n}\n")
    #expect(try SOPSText.parse([], format: .binary, file: "f").items.map(\.value) == [.text([])])
    #expect(throws: Diagnostic.self) { try plain.replacing([:], metadata: .fields([])) }
  }

  @Test("JSON without SOPS's block is a binary file like any other")
  func jsonAsBinary() throws {
    for text in ["{\"a\": 1}", "{\"data\": \"x\"}", "{\"sops\": {}}", "{\"data\": 1", " {}"] {
      #expect(try SOPSText.parse(text, .binary).items.map(\.value) == [.text(Array(text.utf8))])
    }
  }
}
