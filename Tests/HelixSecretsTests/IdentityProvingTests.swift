import HelixAge
import HelixModel
import HelixSOPS
import TestSupport
import Testing

@testable import HelixSecrets

@Suite("what the cluster's identities are shown to open")
struct IdentityProvingTests {
  private let scratch: ScratchFolder
  private let own: AgeKeyPair
  private let other: AgeKeyPair

  init() throws {
    var random = SystemRandomNumberGenerator()
    scratch = try ScratchFolder()
    own = try AgeKeyPair(.x25519, using: &random)
    other = try AgeKeyPair(.x25519, using: &random)
  }

  private func seal(_ name: String, for pair: AgeKeyPair) throws {
    var random = SystemRandomNumberGenerator()
    let sealed = try SOPSDocument.encrypt(
      Array("a: b\n".utf8), format: .yaml, file: name,
      options: EncryptionOptions(groups: [KeyGroup([.age(pair.recipient)])]),
      tools: WritingTools(now: Moment(secondsSince1970: 1_700_000_000)), random: &random)
    try scratch.write(sealed, to: name)
  }

  private func proof(_ files: [String], rules: [(String, AgeKeyPair)]) throws -> IdentityProof {
    let text = rules.map { "  - path_regex: \($0.0)\n    age: \($0.1.recipient)\n" }.joined()
    let config = try SOPSConfig.read(
      "creation_rules:\n\(text)", file: "\(scratch.path)/.sops.yaml")
    let identity = try AgeKeys().identity(String(decoding: own.identity.reveal(), as: UTF8.self))
    let finding = IdentityFinding(
      source: "test", identities: [identity], problem: nil, isFromEnvironment: false)
    let scan = RepositoryScan(
      of: files.map { "\(scratch.path)/\($0)" }, config: config, workingFolder: "/",
      isRepository: false)
    return try IdentityProving(AgeIdentityText([finding]), scan: scan, config: config).proof()
  }

  @Test("files are counted, one of each rule is decrypted, and others' files are told")
  func well() throws {
    for name in ["a1.yaml", "a2.yaml", "b.yaml"] { try seal(name, for: own) }
    try seal("c.yaml", for: other)
    let proof = try proof(
      ["a1.yaml", "a2.yaml", "b.yaml", "c.yaml"], rules: [("^a", own), ("^b", own), ("^c", other)])
    #expect(proof.problems.isEmpty)
    #expect(proof.recipients == [own.recipient])
    #expect(proof.files == 3)
    #expect(proof.decrypted.map { $0.suffix(7) } == ["a1.yaml", "/b.yaml"])
    #expect(proof.closedFiles.map { $0.suffix(6) } == ["c.yaml"])
  }

  @Test("a file that its rule says is for them, and is not, is a reason not to plant")
  func notForThem() throws {
    try seal("a.yaml", for: other)
    let proof = try proof(["a.yaml"], rules: [("^a", own)])
    #expect(proof.problems.count == 1)
    #expect(proof.problems.first?.summary.contains("is not for the cluster's identities") == true)
  }

  @Test("rules for others, or nothing to open, prove nothing")
  func nothing() throws {
    try seal("a.yaml", for: other)
    #expect(try proof(["a.yaml"], rules: [("^a", other)]).problems.count == 1)
    #expect(try proof([], rules: [("^a", own)]).problems.count == 1)
  }

  @Test("a file that was damaged is no proof")
  func damaged() throws {
    try seal("a.yaml", for: own)
    let path = "\(scratch.path)/a.yaml"
    let text = String(decoding: try GuardedFile(reading: path).bytes, as: UTF8.self)
    try scratch.write(text.replacing("type:str]\nsops", with: "type:int]\nsops"), to: "a.yaml")
    #expect(try proof(["a.yaml"], rules: [("^a", own)]).problems.count == 1)
  }
}
