import HelixModel
import Testing

@testable import HelixAge

@Suite("files that age made")
struct FixtureTests {
  private static let openings = [
    ("x25519.age", "classic.txt"), ("armored.age", "classic.txt"), ("ed25519.age", "ed25519"),
    ("rsa.age", "rsa"), ("several.age", "classic.txt"), ("several.age", "ed25519"),
    ("several.age", "rsa"), ("hybrid.age", "quantum.txt"),
  ]

  @Test("are opened by each of their recipients", arguments: openings)
  func readable(file: String, key: String) throws {
    let plain = try AgeFile.decrypt(try fixture(file), with: try keys.identities(key))
    #expect(plain == (try fixture("greeting")))
  }

  @Test("may be empty")
  func empty() throws {
    let identities = try keys.identities("classic.txt")
    #expect(try AgeFile.decrypt(try fixture("empty.age"), with: identities) == [])
  }

  @Test("are opened with their passphrase, and with no other")
  func passphrase() throws {
    let file = try fixture("passphrase.age")
    let right = PassphraseIdentity(SecretValue("open sesame"))
    #expect(try AgeFile.decrypt(file, with: [right]) == (try fixture("greeting")))
  }

  @Test("are opened by locked keys, which ask once", arguments: ["ed25519-locked", "rsa-locked"])
  func locked(key: String) throws {
    let asked = Asked("open sesame")
    let identities = try asked.keys.identities(key)
    #expect(identities.map(\.recipients) == [[try publicText(key)]])
    for _ in 0..<2 {
      let plain = try AgeFile.decrypt(try fixture("locked.age"), with: identities)
      #expect(plain == (try fixture("greeting")))
    }
    #expect(asked.times == 1)
  }

  @Test("a locked PEM key is known by the public key beside it")
  func lockedPEM() throws {
    let asked = Asked("open sesame")
    #expect(throws: Diagnostic.self) { try asked.keys.identities("rsa-pem-locked") }
    let identities = try asked.keys.identities(
      "rsa-pem-locked", publicKey: try fixtureText("rsa.pub"))
    let plain = try AgeFile.decrypt(try fixture("rsa.age"), with: identities)
    #expect(plain == (try fixture("greeting")))
  }

  @Test("locked keys do not ask about files that are for others")
  func notAsked() throws {
    let asked = Asked("open sesame")
    let locked = try asked.keys.identities("ed25519-locked")
    #expect(throws: AgeProblem.noMatch) {
      try AgeFile.decrypt(try fixture("ed25519.age"), with: locked)
    }
    // An open key is tried before a locked one, whatever their order.
    let both = locked + (try keys.identities("classic.txt"))
    let classic = try keys.recipient(try #require(both.last?.recipients.first))
    let file = try AgeFile.encrypt(
      [1], to: [try keys.recipient(try fixtureText("ed25519-locked.pub")), classic])
    #expect(try AgeFile.decrypt(file, with: both) == [1])
    #expect(asked.times == 0)
  }

  @Test("a mistyped passphrase is asked for again, thrice at most")
  func mistyped() throws {
    let asked = Asked("open", "sesame", "open sesame")
    let identities = try asked.keys.identities("ed25519-locked")
    let plain = try AgeFile.decrypt(try fixture("locked.age"), with: identities)
    #expect(plain == (try fixture("greeting")))
    #expect(asked.times == 3)
  }

  @Test("whoever does not answer is told so, and is not asked again")
  func noAnswer() throws {
    let asked = Asked(nil)
    let identities = try asked.keys.identities("ed25519-locked")
    for _ in 0..<2 {
      #expect(throws: AgeProblem.key("nobody told the passphrase of the key file ed25519-locked")) {
        try AgeFile.decrypt(try fixture("locked.age"), with: identities)
      }
    }
    #expect(asked.times == 1)
  }

  private func publicText(_ key: String) throws -> String {
    try fixtureText("\(key).pub").split(separator: " ").prefix(2).joined(separator: " ")
  }
}
