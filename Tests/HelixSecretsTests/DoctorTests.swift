import HelixAge
import HelixModel
import HelixSOPS
import TestSupport
import Testing

@testable import HelixSecrets

@Suite("what the doctor says of a cluster")
struct DoctorTests {
  private let pair: AgeKeyPair
  private let finding: IdentityFinding
  private let scratch: ScratchFolder
  private let scan: RepositoryScan

  init() throws {
    var random = SystemRandomNumberGenerator()
    pair = try AgeKeyPair(.x25519, using: &random)
    let identity = try AgeKeys().identity(String(decoding: pair.identity.reveal(), as: UTF8.self))
    finding = IdentityFinding(
      source: "key.txt", identities: [identity], problem: nil, isFromEnvironment: false)
    scratch = try ScratchFolder()
    let sealed = try SOPSDocument.encrypt(
      Array("a: b\n".utf8), format: .yaml, file: "a.sops.yaml",
      options: EncryptionOptions(groups: [KeyGroup([.age(pair.recipient)])]),
      tools: WritingTools(now: Moment(secondsSince1970: 1_700_000_000)), random: &random)
    let path = try scratch.write(sealed, to: "a.sops.yaml")
    scan = RepositoryScan(of: [path], config: nil, workingFolder: "/", isRepository: false)
  }

  private func problems(_ entries: [ClusterKeys.Entry]) -> [String] {
    let cluster = ClusterKeys(namespace: "flux-system", name: "sops-age", entries: entries)
    let reading = DoctorReading(
      findings: [finding], estateIdentity: nil, config: nil, scan: scan, cluster: cluster)
    return Doctor(reading).problems().map { [$0.summary, $0.reason ?? ""].joined(separator: ": ") }
  }

  private func entry(
    _ namespace: String, _ key: String, _ recipients: [String], unknown: Int = 0
  ) -> ClusterKeys.Entry {
    .init(namespace: namespace, key: key, recipients: recipients, unknown: unknown)
  }

  @Test("nothing, when the Secret holds an identity that opens the files")
  func well() {
    #expect(problems([entry("flux-system", "age.agekey", [pair.recipient])]).isEmpty)
    #expect(problems([entry("flux-system", "age.agekey", [], unknown: 1)]).isEmpty)
  }

  @Test("a Secret that is missing, or in another namespace, is not Flux's")
  func missing() {
    #expect(problems([])[0].hasPrefix("the cluster has no Secret flux-system/sops-age"))
    let elsewhere = problems([entry("default", "age.agekey", [pair.recipient])])
    #expect(elsewhere[0].hasSuffix("there is one in default"))
  }

  @Test("an entry whose name does not end in .agekey is passed over by Flux")
  func name() {
    let found = problems([entry("flux-system", "age.key", [pair.recipient])])
    #expect(found[0].hasPrefix("Flux takes nothing from the Secret flux-system/sops-age"))
    #expect(found[0].hasSuffix("age.key"))
  }

  @Test("files that the cluster's identities do not open are named")
  func closed() throws {
    var random = SystemRandomNumberGenerator()
    let other = try AgeKeyPair(.x25519, using: &random).recipient
    let found = problems([entry("flux-system", "age.agekey", [other])])
    #expect(found[0].hasPrefix("the cluster cannot decrypt \(scratch.path)/a.sops.yaml"))
  }
}
