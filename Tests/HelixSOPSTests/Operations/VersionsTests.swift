import Foundation
import HelixAge
import TestSupport
import Testing

@testable import HelixSOPS

private let folder = repository.appendingPathComponent("Tests/HelixSOPSTests/Fixtures/Versions")

/// Files as the versions of sops wrote them, made by Reference/make_versions.py.
private func values() throws -> [String: [[String]]] {
  let data = try Data(contentsOf: folder.appendingPathComponent("values.json"))
  return try JSONDecoder().decode([String: [[String]]].self, from: data)
}

private func document(_ name: String) throws -> SOPSDocument {
  let text = try String(contentsOf: folder.appendingPathComponent("key.txt"), encoding: .utf8)
  let identity = try AgeKeys().identity(text.trimmingCharacters(in: .newlines))
  let bytes = Array(try Data(contentsOf: folder.appendingPathComponent(name)))
  let sealed = try SealedDocument(bytes, format: SOPSFormat(path: name), file: name)
  return try SOPSDocument.open(sealed, with: Keyring(identities: [identity]))
}

extension SOPSDocument.Leaf {
  /// What it holds, in plain.
  fileprivate var words: String { String(decoding: value.canonicalBytes ?? [], as: UTF8.self) }
}

@Suite("files of every version")
struct VersionsTests {
  private static let names = [
    "3.7.yaml", "3.8.env", "3.9.json", "3.9-mac-only.yaml", "3.10.ini", "3.10.yaml", "3.11.bin",
    "3.12.yaml", "3.13.yaml", "3.13.json", "rops.yaml",
  ]

  @Test("open, and hold what was encrypted", arguments: names)
  func values(name: String) throws {
    let expected = try #require(try HelixSOPSTests.values()[name])
    let leaves = try document(name).leaves.filter { leaf in
      // What never counts is not in the list: nothing empty, and no comment in plain text.
      leaf.isEncrypted || !leaf.value.isComment && leaf.value.canonicalBytes?.isEmpty == false
    }
    // Where a comment stands among values is nobody's concern.
    for isComment in [false, true] {
      let found = leaves.filter { $0.value.isComment == isComment }.map(\.words)
      #expect(found == expected.filter { ($0[0] == "comment") == isComment }.map(\.last))
    }
    let types = Set(expected.map { $0.joined(separator: " ") })
    for leaf in leaves where leaf.isEncrypted {
      #expect(types.contains("\(leaf.value.typeName ?? "") \(leaf.words)"))
    }
  }

  @Test("read the same from their plain text", arguments: names)
  func plainText(name: String) throws {
    let document = try document(name)
    let plain = try SOPSText.parse(
      try document.decrypted(), format: SOPSFormat(path: name), file: name)
    #expect(plain.metadata == nil)
    #expect(plain.counted == document.counted)
  }

  @Test("can be changed, rotated, and given other keys", arguments: names)
  func writing(name: String) throws {
    let document = try document(name)
    let tools = WritingTools(now: Moment(secondsSince1970: 1_800_000_000))
    var random = CountingGenerator()
    let other = try TestKey(seed: 5)
    // Whoever has keys that are not ours must let them go.
    let groups = document.sealed.recipients.map { _ in KeyGroup([.age(other.recipient)]) }
    let rotation = try document.rotated(to: groups, tools: tools, random: &random)
    let rotated = try other.open(rotation.bytes, SOPSFormat(path: name))
    #expect(rotated.counted == document.counted)
    #expect(rotation.places == document.secretPlaces)
    #expect(throws: SOPSProblem.self) {
      try TestKey(seed: 6).open(rotation.bytes, SOPSFormat(path: name))
    }
    let leaf = try #require(document.leaves.first { $0.isEncrypted && !$0.value.isComment })
    let changed = try #require(
      try document.setting(leaf.item.place, to: .text([65]), tools: tools, random: &random))
    #expect(throws: Never.self) {
      try SOPSDocument(
        try SealedDocument(changed, format: SOPSFormat(path: name), file: name),
        dataKey: document.dataKey)
    }
  }

  @Test(
    "keep the words and order of their sops block when a value is edited",
    arguments: ["3.8.env", "3.9.json", "3.9-mac-only.yaml", "3.13.yaml"])
  func editing(name: String) throws {
    let document = try document(name)
    let tools = WritingTools(now: Moment(secondsSince1970: 1_800_000_000))
    var random = CountingGenerator()
    let edited = String(decoding: try document.decrypted(), as: UTF8.self)
      .replacing("one", with: "uno").replacing("hunter2", with: "hunter3")
      .replacing("<&>", with: ">&<")
    let bytes = try #require(
      try document.reencrypted(Array(edited.utf8), tools: tools, random: &random))
    let old = String(decoding: document.sealed.text.bytes, as: UTF8.self).split(separator: "\n")
    let new = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    // The value, the time and the MAC.
    #expect(new.difference(from: old).insertions.count == 3)
  }
}
