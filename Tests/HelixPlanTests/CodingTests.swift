import Foundation
import HelixModel
import HelixPlan
import Testing

@Suite("a plan survives being saved")
struct CodingTests {
  private let everyInstruction: [Instruction] = [
    .run(script: "true"),
    .write(
      FileWrite(path: "/a", content: "x \(secret: SecretName("s")) \(learned: LearnedName("l"))")),
    .write(
      FileWrite(
        path: "/b",
        content: TemplateText(parts: [.coded("u:\(secret: SecretName("s"))", .encodedInBase64)]))),
    .install(
      ArtifactInstall(
        artifact: ArtifactReference(release: "v1", file: "k3s", checksums: "sums"), sha256: "00",
        path: "/k3s", keepingPreviousAt: "/k3s.prev")),
    .wait(Wait("it is there", script: "true", timeout: 3, diagnosis: "why", of: ["a", "b"])),
    .learn(LearnedName("l"), script: "echo"),
    .fetch(Fetch(script: "cat", localPath: "~/x", disposal: .mergeKubeconfig)),
  ]

  private let everyPlace: [Diagnostic.Place] = [
    .source(SourceLocation(file: "f", line: 1, column: 2)), .host("a", address: "10.0.0.1"),
    .host("b", address: nil), .resource(Address(.provider("linode"), kind: "pool", name: "burst")),
  ]

  private func plan() throws -> Plan {
    let address = Address(host: "a", kind: "file", name: "/etc/hosts#1:2")
    let step = Step(
      StepID(address, "write"), title: "write", host: "a", instructions: everyInstruction,
      spends: .membership)
    var changes = [
      Change(
        address: address, action: .create, fields: [FieldChange("x", before: "1", diff: "@@")],
        reason: "why", relied: [Reliance(host: "a", fact: FactID("f"), summary: "s")],
        steps: [step.id])
    ]
    for place in everyPlace {
      let why = Diagnostic("what", at: place)
      changes.append(
        Change(
          address: Address(.cluster, kind: "k"), action: .none, reason: "", standing: .heldBack(why)
        ))
      changes.append(
        Change(
          address: Address(.cluster, kind: "k"), action: .none, reason: "", standing: .refused(why))
      )
    }
    return Plan(changes: changes, graph: try StepGraph([step]))
  }

  @Test("what is read again is what was written")
  func roundTrip() throws {
    let plan = try plan()
    let again = try JSONDecoder().decode(Plan.self, from: JSONEncoder().encode(plan))
    #expect(again.changes == plan.changes)
    #expect(again.graph == plan.graph)
  }

  @Test("no compiler-made key stands in the document")
  func documentedKeysOnly() throws {
    let text = String(decoding: try JSONEncoder().encode(try plan()), as: UTF8.self)
    #expect(!text.contains("\"_0\""))
  }

  @Test(
    "an address reads back from its text",
    arguments: [
      "master-1/file:/etc/hosts", "cluster/kubeconfig", "linode/pool:burst", "a.b/sysctl:net.x",
    ])
  func addresses(text: String) throws {
    #expect(try #require(Address(text)).description == text)
  }

  @Test("text that is no address is refused", arguments: ["", "master-1", "/file", "a/"])
  func notAddresses(text: String) { #expect(Address(text) == nil) }
}
