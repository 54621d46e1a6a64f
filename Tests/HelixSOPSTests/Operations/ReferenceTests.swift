import Foundation
import HelixAge
import TestSupport
import Testing

@testable import HelixSOPS

/// Runs Reference/sops_reference.py, which reads the format with no line of ours.
private enum Reference {
  struct Leaf: Decodable, Hashable {
    let path: [String]?
    let type: String
    let value: String
  }

  static func leaves(
    _ bytes: [UInt8], _ format: SOPSFormat, keys: [TestKey]
  ) throws -> [Leaf] {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("helix-reference-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (file, keyFile) = (
      folder.appendingPathComponent("file"), folder.appendingPathComponent("k")
    )
    try Data(bytes).write(to: file)
    try Data(keys.map { $0.secret + "\n" }.joined().utf8).write(to: keyFile)
    let script = repository.appendingPathComponent(
      "Tests/HelixSOPSTests/Reference/sops_reference.py")
    let ran = try run("python3", [script.path, format.rawValue, file.path, keyFile.path])
    try #require(ran.status == 0, "\(ran.all)\n\(String(decoding: bytes, as: UTF8.self))")
    return try ran.output.split(separator: "\n").map {
      try JSONDecoder().decode(Leaf.self, from: Data($0.utf8))
    }
  }
}

extension SOPSDocument {
  /// What the reference should find.
  fileprivate var referenceLeaves: [Reference.Leaf] {
    leaves.filter { !$0.value.isComment && $0.value != .null }.map { leaf in
      Reference.Leaf(
        path: leaf.item.keys, type: leaf.value.typeName ?? "",
        value: String(decoding: leaf.value.canonicalBytes ?? [], as: UTF8.self))
    }
  }

  fileprivate var sealedComments: [String] {
    leaves.filter { $0.value.isComment && $0.isEncrypted }
      .map { String(decoding: $0.value.canonicalBytes ?? [], as: UTF8.self) }
  }
}

@Suite("another reader of the format")
struct ReferenceTests {
  private static let documents: [(SOPSFormat, String)] = [
    (
      .yaml,
      """
      # at the top
      name: one
      data:
          count: 42
          half: 0.5
          big: 123456789012345678
          "on": true
          empty: ""
          nothing: null
          text: |
              two
              lines
          list: # of things
              - first
              # before the second
              - deep_unencrypted: 7
                other: "0x10"
      when: 2001-01-02
      ---
      second: document

      """
    ),
    (
      .json,
      """
      {
        "name": "one",
        "data": {"count": 42, "list": [1.5, true, null, {"x_unencrypted": "y"}]},
        "text": "two\\nlines"
      }

      """
    ),
    (.dotenv, "# words\nA=one\nB_unencrypted=two words\ndata=a\\nb\nEMPTY=\n"),
    (.ini, "[data]\n; words\na = one\nb_unencrypted = two\n\n[other]\nc = 3\n"),
    (.binary, "any\nbytes\n"),
  ]

  private static let rules: [(SelectionRule?, Bool)] = [
    (nil, false), (nil, true), (.encryptedRegex("^(data|second|name)$"), false),
    (.encryptedRegex("^(data|second|name)$"), true), (.unencryptedRegex("^(name|other)$"), true),
  ]

  @Test(
    "finds in each file what was encrypted, and its MAC right", arguments: documents.indices,
    rules.indices)
  func agrees(document: Int, rule: Int) throws {
    let (format, text) = Self.documents[document]
    let key = try TestKey(seed: 3)
    let bytes = try key.encrypt(
      text, format, rule: Self.rules[rule].0, macOnlyEncrypted: Self.rules[rule].1)
    let opened = try key.open(bytes, format)
    let found = try Reference.leaves(bytes, format, keys: [key])
    #expect(found.filter { $0.path != nil } == opened.referenceLeaves)
    #expect(found.filter { $0.path == nil }.map(\.value).sorted() == opened.sealedComments.sorted())
  }

  @Test("opens what was edited, set, rotated and given to others", arguments: documents.indices)
  func afterChanges(document: Int) throws {
    let (format, text) = Self.documents[document]
    let keys = try (10..<13).map { try TestKey(seed: $0) }
    var random = CountingGenerator()
    var opened = try keys[0].open(try keys[0].encrypt(text, format), format)
    func check(_ bytes: [UInt8], _ keys: [TestKey]) throws {
      opened = try keys[0].open(bytes, format)
      let found = try Reference.leaves(bytes, format, keys: keys)
      #expect(found.filter { $0.path != nil } == opened.referenceLeaves)
    }
    let place = try #require(opened.secretPlaces.first).steps
    let set = try opened.setting(place, to: .text([66]), tools: .test, random: &random)
    try check(try #require(set), [keys[0]])
    let edited = Array(
      String(decoding: try opened.decrypted(), as: UTF8.self)
        .replacing("B", with: "Cé").utf8)
    try check(
      try #require(try opened.reencrypted(edited, tools: .test, random: &random)), [keys[0]])
    let shared = try opened.updatingKeys(
      to: [KeyGroup(keys.map { .age($0.recipient) })], tools: .test, random: &random)
    try check(try #require(shared), [keys[2]])
    try check(
      try opened.rotated(to: [keys[1].group], tools: .test, random: &random).bytes, [keys[1]])
  }

  @Test("puts the shares of several groups together", arguments: documents.indices)
  func groups(document: Int) throws {
    let (format, text) = Self.documents[document]
    let keys = try (20..<23).map { try TestKey(seed: $0) }
    var random = CountingGenerator()
    let bytes = try SOPSDocument.encrypt(
      Array(text.utf8), format: format, file: "test",
      options: EncryptionOptions(groups: keys.map(\.group), threshold: 2), tools: .test,
      random: &random)
    for pair in [[0, 1], [2, 0], [1, 2]] {
      let found = try Reference.leaves(bytes, format, keys: pair.map { keys[$0] })
      #expect(!found.isEmpty)
    }
  }
}
