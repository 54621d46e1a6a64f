import HelixAge
import HelixModel
import TestSupport
import Testing

@testable import HelixSOPS

@Suite("a file's keys")
struct KeyChangeTests {
  private let text = "a: one\nb: [two, 3]\nc_unencrypted: 4\n"

  @Test("are added and removed under the same data key, and nothing else changes")
  func update() throws {
    let keys = try (1..<4).map { try TestKey(seed: $0) }
    let bytes = try keys[0].encrypt(text, .yaml)
    let document = try keys[0].open(bytes, .yaml)
    var random = CountingGenerator(seed: 5)
    let added = try #require(
      try document.updatingKeys(
        to: [KeyGroup([keys[0], keys[1]].map { .age($0.recipient) })], tools: .test,
        random: &random))
    let after = try keys[1].open(added, .yaml)
    #expect(after.dataKey.withBytes { $0 } == document.dataKey.withBytes { $0 })
    #expect(after.sealed.metadata.mac == document.sealed.metadata.mac)
    #expect(after.sealed.metadata.groups[0][0] == document.sealed.metadata.groups[0][0])
    let removed = try #require(
      try after.updatingKeys(to: [keys[1].group], tools: .test, random: &random))
    #expect(throws: SOPSProblem.self) { try keys[0].open(removed, .yaml) }
    #expect(try keys[1].open(removed, .yaml).counted == document.counted)
    #expect(
      try after.updatingKeys(
        to: [KeyGroup([.age(keys[1].recipient), .age(keys[0].recipient)])], tools: .test,
        random: &random) == nil)
    let change = document.sealed.keyChange(to: [keys[2].group])
    #expect(change.added == [.age(keys[2].recipient)])
    #expect(change.removed == [.age(keys[0].recipient)])
  }

  @Test("become groups and one list again")
  func groups() throws {
    let keys = try (1..<4).map { try TestKey(seed: $0) }
    let document = try keys[0].open(try keys[0].encrypt(text, .yaml), .yaml)
    var random = CountingGenerator(seed: 5)
    let grouped = try #require(
      try document.updatingKeys(
        to: keys.map(\.group), threshold: 2, tools: .test, random: &random))
    let problem = #expect(throws: SOPSProblem.self) { try keys[0].open(grouped, .yaml) }
    guard case .noDataKey(let search, _) = problem else {
      Issue.record("\(String(describing: problem))")
      return
    }
    #expect(search.needed == 2 && search.found == 1)
    #expect(search.trials.map { $0.map(\.outcome) } == [[.opened], [.noIdentity], [.noIdentity]])
    let two = Keyring(identities: [keys[2].identity, keys[0].identity])
    let sealed = try SealedDocument(grouped, format: .yaml, file: "test")
    let opened = try SOPSDocument.open(sealed, with: two)
    #expect(sealed.keyChange(to: keys.map(\.group), threshold: 2).isEmpty)
    #expect(!sealed.keyChange(to: keys.map(\.group)).isEmpty)
    let single = try #require(
      try opened.updatingKeys(to: [keys[1].group], tools: .test, random: &random))
    #expect(try keys[1].open(single, .yaml).counted == document.counted)
    for threshold in [1, 4] {
      #expect(throws: SOPSProblem.wrap(.threshold(threshold, groups: 3), file: "test")) {
        try document.updatingKeys(
          to: keys.map(\.group), threshold: threshold, tools: .test, random: &random)
      }
    }
  }

  @Test("rotate: every ciphertext is new, and the places to change are told")
  func rotation() throws {
    let keys = try (1..<3).map { try TestKey(seed: $0) }
    let document = try keys[0].open(try keys[0].encrypt(text, .yaml), .yaml)
    var random = CountingGenerator(seed: 5)
    let rotation = try document.rotated(to: [keys[1].group], tools: .test, random: &random)
    #expect(rotation.change.removed == [.age(keys[0].recipient)])
    #expect(rotation.places.map(\.steps.sopsPath) == ["[\"a\"]", "[\"b\"][0]", "[\"b\"][1]"])
    let after = try keys[1].open(rotation.bytes, .yaml)
    #expect(after.counted == document.counted)
    #expect(after.dataKey.withBytes { $0 } != document.dataKey.withBytes { $0 })
    let old = Set(document.leaves.compactMap(\.ciphertext))
    #expect(old.isDisjoint(with: after.leaves.compactMap(\.ciphertext)))
    #expect(throws: SOPSProblem.self) {
      try SOPSDocument(after.sealed, dataKey: document.dataKey)
    }
  }

  @Test("of every sort open a file together: hybrid, PGP, and a cloud's that stays as it is")
  func mixed() throws {
    let home = try PGPHome()
    let program = GPGProgram(environment: home.environment)
    let hybrid = try TestKey(seed: 1, .hybrid)
    let plain = try TestKey(seed: 2)
    var random = CountingGenerator(seed: 5)
    let tools = WritingTools(pgp: program, now: Moment(secondsSince1970: 1_700_000_000))
    let bytes = try SOPSDocument.encrypt(
      Array(text.utf8), format: .yaml, file: "test",
      options: EncryptionOptions(
        groups: [KeyGroup([.age(hybrid.recipient), .pgp(home.fingerprint), .age(plain.recipient)])]
      ),
      tools: tools, random: &random)
    let cloud =
      "    kms:\n        - arn: arn:aws:kms:1\n          enc: unknown\n          odd: kept\n"
    let whole = Array(
      String(decoding: bytes, as: UTF8.self).replacing(
        "    lastmodified", with: cloud + "    lastmodified"
      )
      .utf8)
    let sealed = try SealedDocument(whole, format: .yaml, file: "test")
    let counted = try hybrid.open(whole, .yaml).counted
    #expect(try plain.open(whole, .yaml).counted == counted)
    let byPGP = try SOPSDocument.open(sealed, with: Keyring(pgp: program))
    #expect(byPGP.counted == counted)
    // The cloud's entry is kept when keys are added, and no new data key can be wrapped for it.
    let more = try TestKey(seed: 3)
    let target = KeyGroup(sealed.recipients[0].keys + [.age(more.recipient)])
    let added = try #require(
      try byPGP.updatingKeys(to: [target], tools: tools, random: &random))
    #expect(String(decoding: added, as: UTF8.self).contains("odd: kept"))
    #expect(try more.open(added, .yaml).counted == counted)
    #expect(
      throws: SOPSProblem.wrap(.remote(.remote(kind: "kms", name: "arn:aws:kms:1")), file: "test")
    ) { try byPGP.rotated(tools: tools, random: &random) }
  }

  @Test("are all told, with what was tried, when none opens the file")
  func trials() throws {
    let bytes = String(decoding: try TestKey(seed: 1).encrypt(text, .yaml), as: UTF8.self)
    let more =
      "    pgp:\n        - fp: ABCDEF0123456789\n          enc: x\n"
      + "    kms:\n        - arn: arn:1\n          enc: y\n"
    let whole = bytes.replacing("    lastmodified", with: more + "    lastmodified")
    let problem = #expect(throws: SOPSProblem.self) {
      try TestKey(seed: 2).open(Array(whole.utf8), .yaml)
    }
    #expect(problem?.exitCode == 128)
    let reason = problem?.diagnostics.first?.reason ?? ""
    #expect(reason.contains("\(try TestKey(seed: 1).recipient): no identity at hand is its"))
    #expect(reason.contains("pgp ABCDEF0123456789: gpg is not asked"))
    #expect(reason.contains("kms arn:1: this program does not ask clouds and vaults"))
  }

  @Test("that nobody names are refused")
  func nobody() throws {
    var random = CountingGenerator()
    for groups in [[], [KeyGroup([])], [KeyGroup([.age("age1x")])], [KeyGroup([.pgp("AB")])]] {
      let problem = #expect(throws: SOPSProblem.self) {
        try SOPSDocument.encrypt(
          Array(text.utf8), format: .yaml, file: "test",
          options: EncryptionOptions(groups: groups), tools: .test, random: &random)
      }
      guard case .wrap = problem else {
        Issue.record("\(String(describing: problem))")
        continue
      }
    }
  }

  @Test("show nothing of themselves")
  func silence() throws {
    var bytes = Array("canary-canary-canary-canary-cana".utf8)
    let key = try #require(DataKey(wiping: &bytes))
    #expect(bytes == Array(repeating: 0, count: 32))
    #expect(!"\(key) \(String(reflecting: key))".contains("canary"))
    #expect(
      !String(describing: Mirror(reflecting: key).children.map { "\($0)" }).contains("canary"))
  }
}
