import Foundation
import HelixAge
import HelixModel
import HelixSOPS
import TestSupport
import Testing

@testable import HelixSecrets

@Suite("an estate's secrets")
struct EstateSecretStoreTests {
  private let scratch: ScratchFolder
  private let pair: AgeKeyPair

  init() throws {
    var random = SystemRandomNumberGenerator()
    pair = try AgeKeyPair(.x25519, using: &random)
    scratch = try ScratchFolder()
    try scratch.folder("plain")
  }

  private func seal(_ text: String, as name: String) throws -> String {
    var random = SystemRandomNumberGenerator()
    let path = "\(scratch.path)/\(name)"
    let sealed = try SOPSDocument.encrypt(
      Array(text.utf8), format: .yaml, file: path,
      options: EncryptionOptions(groups: [KeyGroup([.age(pair.recipient)])]),
      tools: WritingTools(now: Moment(secondsSince1970: 1_700_000_000)), random: &random)
    try NewFile.write(sealed, to: path)
    return path
  }

  private func store(_ files: [String]) throws -> EstateSecretStore {
    let identity = try AgeKeys().identity(String(decoding: pair.identity.reveal(), as: UTF8.self))
    let finding = IdentityFinding(
      source: "test", identities: [identity], problem: nil, isFromEnvironment: false)
    return EstateSecretStore(
      folder: FolderSecretStore(folder: "\(scratch.path)/plain"), files: files,
      vault: SOPSVault(
        FileOpener(keyring: Keyring(identities: [identity]), findings: [finding])),
      identities: AgeIdentityText([finding]))
  }

  private func text(_ value: SecretValue) -> String {
    String(decoding: value.reveal(), as: UTF8.self)
  }

  @Test("a name is a key of an encrypted file, a place in one, or a plain file")
  func places() throws {
    let file = try seal(
      "k3s-token: abc\nstringData: { \"tls.crt\": pem }\n---\nstringData: { a: second }\n",
      as: "cluster.sops.yaml")
    try NewFile.write(Array("from a folder\n".utf8), to: "\(scratch.path)/plain/own")
    let store = try store([file])
    #expect(text(try store.value(of: SecretName("k3s-token"))) == "abc")
    #expect(text(try store.value(of: SecretName("own"))) == "from a folder")
    let place = SecretName(place: file, ["stringData", "tls.crt"])
    #expect(text(try store.value(of: place)) == "pem")
    #expect(
      text(try store.value(of: SecretName(place: "\(file)#2", ["stringData", "a"]))) == "second")
    #expect(text(try store.value(of: .ageIdentities)).contains("# public key: \(pair.recipient)\n"))
  }

  @Test("what is in two places, nowhere, or in a file that cannot be opened is an error")
  func errors() throws {
    let file = try seal("twice: abc\n", as: "cluster.sops.yaml")
    try NewFile.write([65], to: "\(scratch.path)/plain/twice")
    let twice = #expect(throws: Diagnostic.self) {
      try store([file]).value(of: SecretName("twice"))
    }
    #expect(twice?.summary == "the secret \"twice\" is kept in two places")
    let nowhere = #expect(throws: Diagnostic.self) {
      try store([file]).value(of: SecretName("none"))
    }
    #expect(nowhere?.remedy?.hasPrefix("make it: helix-infra secrets generate none") == true)
    let broken = "\(scratch.path)/broken.sops.yaml"
    try NewFile.write(Array("sops: [\n".utf8), to: broken)
    // Nobody knows whether the broken file has it: no other place may then speak for it.
    #expect(throws: Diagnostic.self) { try store([broken, file]).value(of: SecretName("twice")) }
  }
}
