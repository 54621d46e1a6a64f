import Foundation
import HelixAge
import TestSupport
import Testing

@testable import HelixSOPS

/// The files that other projects published with their test keys lie beside the repository and are
/// no part of it; without them these tests are skipped, and RoundTripTests and ReferenceTests
/// alone prove the format.
private let folder = repository.appendingPathComponent("../shared/data/sops")

/// One of the files and what should come of it.
struct PublishedFile: Decodable, Sendable, CustomTestStringConvertible {
  let file: String
  let format: String
  let age_key: String?
  let data_key_hex: String?
  let expect: String?
  let expect_exit: Int32?
  let plain: String?
  let plain_drift: String?

  var testDescription: String { file }

  static let good = read("manifest.json")
  static let bad = read("negative/manifest.json")

  private static func read(_ name: String) -> [PublishedFile] {
    guard let data = try? Data(contentsOf: folder.appendingPathComponent(name)) else { return [] }
    return (try? JSONDecoder().decode([PublishedFile].self, from: data)) ?? []
  }

  /// The exit status that it should give.
  var status: Int32 {
    switch file {
    // Deliberate: what sops before 3.13 and others write without quotes is read.
    case "negative/lastmodified-unquoted.yaml": 0
    default: expect_exit ?? expect.flatMap { Int32($0.dropFirst("fail:".count)) } ?? 0
    }
  }

  func sopsFormat() throws -> SOPSFormat { try #require(SOPSFormat(rawValue: format)) }

  func bytes(of name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: folder.appendingPathComponent(name)))
  }

  func open() throws -> SOPSDocument {
    let sealed = try SealedDocument(try bytes(of: file), format: try sopsFormat(), file: file)
    if let data_key_hex {
      let digits = Array(data_key_hex)
      var bytes = try stride(from: 0, to: digits.count, by: 2).map {
        try #require(UInt8(String(digits[$0...$0 + 1]), radix: 16))
      }
      return try SOPSDocument(sealed, dataKey: try #require(DataKey(wiping: &bytes)))
    }
    return try SOPSDocument.open(sealed, with: try keyring())
  }

  func keyring() throws -> Keyring {
    let lines = try String(
      contentsOf: folder.appendingPathComponent(try #require(age_key)), encoding: .utf8)
    return Keyring(
      identities: try lines.split(separator: "\n").filter { $0.hasPrefix("AGE-") }.map {
        try AgeKeys().identity(String($0))
      })
  }
}

extension SOPSText {
  /// What counts of a text's values, and where.
  var counted: [Counted] {
    items.filter { !$0.value.isComment }.map {
      Counted(document: $0.document, keys: $0.keys, bytes: $0.value.canonicalBytes)
    }
  }
}

extension SOPSDocument {
  var counted: [Counted] {
    values.map {
      Counted(
        document: $0.place.document, keys: $0.place.steps.keys, bytes: $0.value.canonicalBytes)
    }
  }
}

/// A value's keys and bytes.
struct Counted: Equatable {
  let document: Int
  let keys: [String]
  let bytes: [UInt8]?
}

@Suite("published files", .enabled(if: !PublishedFile.good.isEmpty))
struct PublishedFilesTests {
  @Test("open or fail as upstream has it", arguments: PublishedFile.good + PublishedFile.bad)
  func outcome(file: PublishedFile) throws {
    do {
      _ = try file.open()
      #expect(file.status == 0)
    } catch let problem as SOPSProblem {
      #expect(problem.exitCode == file.status, "\(problem)")
      #expect(!problem.diagnostics.isEmpty)
    }
  }

  @Test("hold the plain text that was published", arguments: PublishedFile.good)
  func plainText(file: PublishedFile) throws {
    guard let plain = file.plain, file.plain_drift == nil, file.status == 0 else { return }
    let expected = try SOPSText.parse(
      try file.bytes(of: plain), format: try file.sopsFormat(), file: plain)
    #expect(try file.open().counted == expected.counted)
  }

  @Test("read the same from their plain text as from themselves", arguments: PublishedFile.good)
  func decrypted(file: PublishedFile) throws {
    guard file.status == 0 else { return }
    let document = try file.open()
    let plain = try SOPSText.parse(
      try document.decrypted(), format: try file.sopsFormat(), file: file.file)
    #expect(plain.metadata == nil)
    #expect(plain.counted == document.counted)
  }

  @Test("keep all ciphertext when one value is edited", arguments: PublishedFile.good)
  func edited(file: PublishedFile) throws {
    guard file.status == 0, let document = Optional(try file.open()),
      document.sealed.text.obstacles.isEmpty
    else { return }
    let tools = WritingTools(now: Moment(secondsSince1970: 1_800_000_000))
    var random = CountingGenerator()
    #expect(try document.reencrypted(document.decrypted(), tools: tools, random: &random) == nil)
    guard
      let leaf = document.leaves.first(where: {
        $0.isEncrypted && $0.item.document == 0 && !$0.value.isComment
      })
    else { return }
    let bytes = try #require(
      try document.setting(
        leaf.item.place, to: .text(Array("canary".utf8)), tools: tools, random: &random))
    let sealed = try SealedDocument(bytes, format: try file.sopsFormat(), file: file.file)
    let after = try SOPSDocument(sealed, dataKey: document.dataKey)
    let changed = zip(document.leaves, after.leaves).filter { $0.item.value != $1.item.value }
    #expect(changed.count == 1)
    #expect(changed.first?.0.item.place == leaf.item.place)
    #expect(after.leaves.count == document.leaves.count)
  }
}
