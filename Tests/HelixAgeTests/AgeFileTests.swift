import HelixModel
import HelixSSH
import Testing

@testable import HelixAge

@Suite("age files")
struct AgeFileTests {
  static let sizes = [0, 1, 47, 48, 65_535, 65_536, 65_537, 4 * 65_536, 4 * 65_536 + 1, 1_048_576]

  @Test("give back what was put in", arguments: sizes, [false, true])
  func roundTrip(size: Int, armored: Bool) throws {
    let (plain, pair) = (pattern(size), try pair(.x25519))
    let file = try AgeFile.encrypt(plain, to: [pair.recipient], armored: armored)
    #expect(try AgeFile.decrypt(file, with: [pair.identity]) == plain)
    #expect(file.starts(with: armored ? Armor.begin : AgeHeader.intro))
  }

  @Test("are made for every sort of recipient", arguments: ["ed25519", "rsa"])
  func ssh(key: String) throws {
    let recipient = try keys.recipient(try fixtureText("\(key).pub"))
    let file = try AgeFile.encrypt([1, 2, 3], to: [recipient])
    #expect(try AgeFile.decrypt(file, with: try keys.identities(key)) == [1, 2, 3])
    #expect(throws: AgeProblem.noMatch) {
      try AgeFile.decrypt(file, with: [try pair(.x25519).identity])
    }
  }

  @Test("are made for keys that hold against quantum computers")
  func hybrid() throws {
    let (first, second) = (try pair(.hybrid), try pair(.hybrid))
    let file = try AgeFile.encrypt([1, 2, 3], to: [first.recipient, second.recipient])
    for identity in [first.identity, second.identity] {
      #expect(try AgeFile.decrypt(file, with: [identity]) == [1, 2, 3])
    }
    #expect(throws: AgeProblem.noMatch) {
      try AgeFile.decrypt(file, with: [try pair(.hybrid).identity])
    }
  }

  @Test("are not made for recipients of which one would undo another")
  func labels() throws {
    let (classic, quantum) = (try pair(.x25519).recipient, try pair(.hybrid).recipient)
    let word = try PassphraseRecipient(SecretValue("open sesame"), logN: 1)
    let other = try PassphraseRecipient(SecretValue("open sesame"), logN: 1)
    for recipients in [
      [classic, quantum], [quantum, classic], [word, classic], [word, other], [],
    ] {
      #expect(throws: AgeProblem.self) { try AgeFile.encrypt([1], to: recipients) }
    }
  }

  @Test("are made for a passphrase")
  func passphrase() throws {
    let recipient = try PassphraseRecipient(SecretValue("open sesame"), logN: 4)
    let file = try AgeFile.encrypt([1], to: [recipient])
    let right = PassphraseIdentity(SecretValue("open sesame"))
    #expect(try AgeFile.decrypt(file, with: [right]) == [1])
    #expect(throws: AgeProblem.noMatch) {
      try AgeFile.decrypt(file, with: [PassphraseIdentity(SecretValue("sesame"))])
    }
    #expect(throws: AgeProblem.self) { try PassphraseRecipient(SecretValue("")) }
  }

  @Test("refuse every change of a byte")
  func damage() throws {
    let pair = try pair(.x25519)
    let file = try AgeFile.encrypt(pattern(20), to: [pair.recipient])
    for place in file.indices {
      var damaged = file
      damaged[place] ^= 1
      #expect(throws: AgeProblem.self, "byte \(place)") {
        try AgeFile.decrypt(damaged, with: [pair.identity])
      }
    }
  }

  @Test("release nothing of a chunk that is damaged, and all before it, whoever works on them")
  func released() throws {
    let (plain, pair) = (pattern(40 * 65_536), try pair(.x25519))
    var file = try AgeFile.encrypt(plain, to: [pair.recipient])
    let head = file.count - 40 * 65_552
    file[head + 33 * 65_552 + 7] ^= 1
    var (released, rest): ([UInt8], ArraySlice<UInt8>) = ([], file[...])
    #expect(throws: AgeProblem.payload("it is damaged")) {
      try AgeFile.decrypt(
        from: { memory in
          let count = min(memory.count, rest.count)
          memory.copyBytes(from: rest.prefix(count))
          rest = rest.dropFirst(count)
          return count
        }, to: { released += $0 }, with: [pair.identity])
    }
    #expect(released == Array(plain[..<(33 * 65_536)]))
  }

  @Test("pass on what the source and the sink say is wrong")
  func foreignErrors() throws {
    struct Broken: Error {}
    let pair = try pair(.x25519)
    #expect(throws: Broken.self) {
      try AgeFile.encrypt(from: { _ in throw Broken() }, to: { _ in }, for: [pair.recipient])
    }
    #expect(throws: Broken.self) {
      try AgeFile.encrypt(
        from: { $0.count }, to: { if $0.count > 1000 { throw Broken() } }, for: [pair.recipient])
    }
  }

  @Test("tell the sorts of their recipients")
  func stanzas() throws {
    let types = try AgeFile.stanzas(of: try fixture("several.age")).map(\.type)
    #expect(types == ["X25519", "ssh-ed25519", "ssh-rsa"])
  }

  private struct Pair {
    let recipient: any AgeRecipient
    let identity: any AgeIdentity
  }

  private func pair(_ sort: AgeKeyPair.Sort) throws -> Pair {
    var chance = SystemRandomNumberGenerator()
    let made = try AgeKeyPair(sort, using: &chance)
    return Pair(
      recipient: try keys.recipient(made.recipient),
      identity: try keys.identity(String(decoding: made.identity.reveal(), as: UTF8.self)))
  }
}
