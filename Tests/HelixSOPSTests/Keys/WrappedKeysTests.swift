import Foundation
import HelixAge
import TestSupport
import Testing

@testable import HelixSOPS

/// Keys that upstream wrapped for its own tests lie beside the repository and are no part of it;
/// without them this test is skipped, and KeyChangeTests alone prove wrapping.
private let folder = repository.appendingPathComponent("../shared/data/sops/agekeys")
private let isThere = FileManager.default.fileExists(atPath: folder.path)

@Suite("a data key that upstream wrapped", .enabled(if: isThere))
struct WrappedKeysTests {
  private func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
  }

  private func identity(_ name: String) throws -> any AgeIdentity {
    let lines = try text(name).split(separator: "\n")
    return try AgeKeys().identity(String(try #require(lines.first { $0.hasPrefix("AGE-") })))
  }

  @Test("opens with its identity and no other")
  func opens() throws {
    let recipient = try text("recipient-x25519.txt").trimmingCharacters(in: .newlines)
    let entry = SOPSMetadata.Entry.age(recipient, wrapped: try text("enc-x25519.age"))
    let opened = Keyring().unwrap(
      entry, length: 4, identities: [try identity("identity-x25519.txt")])
    #expect(opened.part == Array("data".utf8))
    #expect(opened.outcome == .opened)
    let other = Keyring().unwrap(
      entry, length: 4, identities: [try identity("identity-other.txt")])
    #expect(other.part == nil)
    #expect(other.outcome == .noIdentity)
    let long = Keyring().unwrap(
      entry, length: 32, identities: [try identity("identity-x25519.txt")])
    #expect(long.outcome == .noDataKey)
  }
}
