import Foundation
import HelixAge
import HelixModel
import TestSupport
import Testing

@testable import HelixSecrets

@Suite("where identities come from")
struct IdentitySourcesTests {
  private let scratch: ScratchFolder

  init() throws {
    scratch = try ScratchFolder()
    try scratch.folder(".config/sops/age")
  }

  private func key() throws -> AgeKeyPair {
    var random = SystemRandomNumberGenerator()
    return try AgeKeyPair(.x25519, using: &random)
  }

  private func text(_ pair: AgeKeyPair) -> String {
    String(decoding: pair.identity.reveal(), as: UTF8.self)
  }

  private func file(_ name: String, _ pair: AgeKeyPair) throws -> String {
    try scratch.write(text(pair) + "\n", to: name)
  }

  private func sources(
    _ environment: [String: String], estate: String? = nil,
    run: @escaping IdentitySources.Runner = { _ in [] }
  ) -> IdentitySources {
    IdentitySources(
      environment: environment, home: scratch.path, estateFile: estate, keys: AgeKeys(), run: run)
  }

  @Test("all places count, in the order of sops, the estate's first")
  func order() throws {
    let keys = try (0..<6).map { _ in try key() }
    let printed = text(keys[4])
    let estate = try file("estate.key", keys[0])
    _ = try file(".config/sops/age/keys.txt", keys[5])
    let found = sources(
      [
        "SOPS_AGE_KEY": "\(text(keys[1])) \(text(keys[2]))",
        "SOPS_AGE_KEY_FILE": try file("env.key", keys[3]),
        "SOPS_AGE_KEY_CMD": "pass 'my key' a\\ b",
      ], estate: estate
    ) { words throws(Diagnostic) in
      guard words == ["pass", "my key", "a b"] else { throw Diagnostic("\(words)") }
      return Array(printed.utf8)
    }.findings()
    #expect(found.flatMap(\.recipients) == keys.map(\.recipient))
    #expect(found.map(\.isFromEnvironment) == [false, true, true, true, false])
    #expect(found.allSatisfy { $0.problem == nil })
  }

  @Test("a place that cannot be read is told, and the others count all the same")
  func unreadable() throws {
    let pair = try key()
    let found = sources(
      ["SOPS_AGE_KEY_FILE": "/none", "SOPS_AGE_KEY": "AGE-SECRET-KEY-1BROKEN"],
      estate: try file("estate.key", pair)
    ).findings()
    #expect(found.flatMap(\.recipients) == [pair.recipient])
    #expect(found.compactMap(\.problem).count == 2)
    #expect(!"\(found.compactMap(\.problem))".contains("BROKEN"))
  }

  @Test("the cluster gets the estate's identities as a key file, with their public keys")
  func clusterText() throws {
    let pair = try key()
    let found = sources(
      ["SOPS_AGE_KEY": text(try key())], estate: try file("estate.key", pair)
    ).findings()
    let planted = try AgeIdentityText(found).text()
    #expect(
      String(decoding: planted.reveal(), as: UTF8.self)
        == "# public key: \(pair.recipient)\n\(text(pair))\n")
    let broken = sources(["SOPS_AGE_KEY": text(try key())], estate: "/none").findings()
    #expect(throws: Diagnostic.self, "the file that is meant is not silently passed over") {
      try AgeIdentityText(broken).text()
    }
  }
}
