import Crypto
import FuzzTargets
import HelixModel
import Testing

@testable import HelixAge

@Suite("keys of age")
struct AgeKeysTests {
  @Test("are written as they are read", arguments: [AgeKeyPair.Sort.x25519, .hybrid])
  func text(sort: AgeKeyPair.Sort) throws {
    var chance = SeededGenerator(seed: 7)
    let pair = try AgeKeyPair(sort, using: &chance)
    let identity = try keys.identity(String(decoding: pair.identity.reveal(), as: UTF8.self))
    #expect(identity.recipients == [pair.recipient])
    #expect(try keys.recipient(pair.recipient).text == pair.recipient)
    let file = pair.keyFile(created: "2026-01-02T03:04:05Z")
    let lines = String(decoding: file.reveal(), as: UTF8.self).split(separator: "\n")
    #expect(
      lines.dropLast() == ["# created: 2026-01-02T03:04:05Z", "# public key: \(pair.recipient)"])
    #expect(try keys.identities(in: file, path: "keys.txt").map(\.recipients) == [[pair.recipient]])
  }

  @Test("show nothing of themselves")
  func hidden() throws {
    for name in ["classic.txt", "quantum.txt", "ed25519", "rsa", "ed25519-locked"] {
      var shown = ""
      for identity in try Asked(nil).keys.identities(name) { dump(identity, to: &shown) }
      #expect(shown.hasPrefix("- ‹"))
      #expect(shown.split(separator: "\n").count == 1)
      #expect(!shown.contains("AGE-SECRET"))
    }
    var shown = ""
    dump(AgeFileKey(secret: AgeSecret([65, 66, 67, 68])), to: &shown)
    #expect(!shown.contains("66"))
  }

  @Test(
    "are refused with the reason and without a quote",
    arguments: [
      (
        "AGE-SECRET-KEY-1QQ", "it is an identity, which must stay secret, where a recipient belongs"
      ),
      (
        "age-secret-key-1qq", "it is an identity, which must stay secret, where a recipient belongs"
      ),
      (
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "it is an identity, which must stay secret, where a recipient belongs"
      ),
      ("age1yubikey1qqqqqqq", "its checksum is wrong: a character is missing or mistyped"),
      (
        "age15W4n2ru3zwejx7u00cq5pxm64fx38dwsk94l75mj5eehlsumk4sqgckt07",
        "it mixes small and capital letters"
      ),
      (
        "age15w4n2ru3zwejx7u00cq5pxm64fx38dwsk94l75mj5eehlsumk4sqgckt08",
        "its checksum is wrong: a character is missing or mistyped"
      ),
      (
        "age15w4n2ru3zwejx7u00cq5pxm64fx38dwsk94l75mj5eehlsumk4sqgckt07 ",
        "it has a character that no key has"
      ),
      (
        "AGE15W4N2RU3ZWEJX7U00CQ5PXM64FX38DWSK94L75MJ5EEHLSUMK4SQGCKT07",
        "it is not a recipient of age"
      ),
      ("ssh-ed25519 AAAA", "it is no public key of SSH"),
      (
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY=",
        "of SSH's keys, only ed25519 and RSA can be encrypted for"
      ),
      ("hello", "it is neither a key of age nor of SSH"),
      ("", "it is neither a key of age nor of SSH"),
    ])
  func refused(text: String, reason: String) {
    #expect(throws: AgeProblem.key(reason)) { try keys.recipient(text) }
  }

  @Test("of SSH become keys of X25519 the same way from both halves")
  func montgomery() throws {
    for _ in 0..<20 {
      let key = Curve25519.Signing.PrivateKey()
      let scalar = SHA512.hash(data: key.rawRepresentation).prefix(32)
      let wanted = try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: Array(scalar))
      let point = Array(key.publicKey.rawRepresentation)
      #expect(
        FieldNumber.montgomery(fromEdwards: point) == Array(wanted.publicKey.rawRepresentation))
    }
    // Half of all numbers are no point's; 2 is one of them.
    #expect(FieldNumber.montgomery(fromEdwards: [2] + [UInt8](repeating: 0, count: 31)) == nil)
  }

  @Test("of which everybody would know the secret are refused")
  func lowOrder() throws {
    // The point with y = 1, and zero.
    for first in [UInt8(1), 0] {
      let point = [first] + [UInt8](repeating: 0, count: 31)
      let key = SSHPublicKey(
        blob: [0, 0, 0, 11] + Array("ssh-ed25519".utf8) + [0, 0, 0, 32] + point)
      let recipient = try SSHEd25519Recipient(try #require(key))
      #expect(throws: AgeProblem.self) { try recipient.wrap(AgeFileKey.random()) }
    }
    let zero = try X25519Recipient([UInt8](repeating: 0, count: 32))
    #expect(throws: AgeProblem.self) { try zero.wrap(AgeFileKey.random()) }
  }

  @Test("of SSH that are too weak are refused")
  func weak() throws {
    let blob = [0, 0, 0, 7] + Array("ssh-rsa".utf8) + [0, 0, 0, 1, 3, 0, 0, 0, 2, 200, 1]
    let key = try #require(SSHPublicKey(blob: blob))
    #expect(throws: AgeProblem.key("an RSA key of 16 bits is too weak")) {
      try keys.recipient(key.text)
    }
  }
}

@Suite("key files")
struct KeyFileTests {
  @Test("hold several identities, comments and empty lines, and may end lines as on Windows")
  func several() throws {
    let (first, second) = (try line("classic.txt"), try line("quantum.txt"))
    let text = "# one\r\n\(first)\r\n\r\n#two\n\(second)"
    #expect(try keys.identities(in: SecretValue(text), path: "keys.txt").count == 2)
  }

  @Test("tell the line of what is no identity and quote nothing of it")
  func broken() throws {
    let key = try line("classic.txt")
    for bad in [
      " \(key)", "\(key) ", "\(key.dropLast())", key.lowercased(), " # comment", "secret",
    ] {
      let problem = try #require(throws: Diagnostic.self) {
        try keys.identities(in: SecretValue("# a\n\n\(bad)\n"), path: "keys.txt")
      }
      #expect(problem.location == SourceLocation(file: "keys.txt", line: 3, column: 1))
      #expect(!"\(problem)".contains(bad.prefix(30)))
    }
    #expect(throws: Diagnostic.self) {
      try keys.identities(in: SecretValue("# nothing\n"), path: "keys.txt")
    }
  }

  @Test("may be encrypted with a passphrase, which is asked for when a file is opened")
  func encrypted() throws {
    let recipient = try PassphraseRecipient(SecretValue("open sesame"), logN: 4)
    for armored in [false, true] {
      let asked = Asked("sesame", "open sesame")
      let file = try AgeFile.encrypt(
        try fixture("classic.txt"), to: [recipient], armored: armored)
      let identities = try asked.keys.identities(in: SecretValue(file), path: "keys.age")
      #expect(asked.times == 0)
      #expect(identities.map(\.recipients) == [[]])
      let plain = try AgeFile.decrypt(try fixture("x25519.age"), with: identities)
      #expect(plain == (try fixture("greeting")))
      #expect(asked.times == 2)
      #expect(identities[0].recipients.first?.hasPrefix("age1") == true)
      #expect(throws: Diagnostic.self) {
        try keys.identities(in: SecretValue(file), path: "keys.age")
      }
    }
  }

  private func line(_ name: String) throws -> String {
    let lines = try fixtureText(name).split(separator: "\n")
    return String(try #require(lines.first { $0.hasPrefix("AGE-") }))
  }
}
