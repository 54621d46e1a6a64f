import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

/// What labels and taints nodes, run by a real shell with a kubectl of the test's own.
@Suite("scripts about labels and taints, in a shell")
struct NodeMarksShellTests {
  private let kubectl = try? FakeKubectl()

  private func marks(_ name: String) throws -> [String] {
    let fixture = try #require(K3sCase.all.first { $0.name == name })
    let plan = try plan(fixture.cluster, fixture.observation())
    return plan.graph.steps.filter { $0.id.address.kind == K3sNodeMarks.kind }
      .flatMap(\.instructions).compactMap { instruction in
        if case .run(let script) = instruction { script } else { nil }
      }
  }

  @Test(
    "what is new is remembered first, and forgotten when it is gone",
    arguments: ["sh", "busybox sh"])
  func order(shell: String) throws {
    let kubectl = try #require(kubectl)
    try kubectl.answer("get", "node.kubernetes.io/unreachable:NoExecute\ngone:NoSchedule\n")
    let script = try #require(try marks("node-marks-differ").first)
    let result = try kubectl.perform(script, in: shell)
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      kubectl.calls.filter { !$0.hasPrefix("get") } == [
        "annotate node worker-1 --overwrite helix.infra/marks=label/old,label/tier,label/zone,"
          + "taint/gone:NoSchedule,taint/gpu:NoSchedule,taint/spare:NoExecute",
        "label node worker-1 --overwrite tier=web zone=east old-",
        "taint node worker-1 --overwrite gpu=yes:NoSchedule spare:NoExecute",
        "taint node worker-1 gone:NoSchedule-",
        "annotate node worker-1 --overwrite helix.infra/marks=label/tier,label/zone,"
          + "taint/gpu:NoSchedule,taint/spare:NoExecute",
      ])
  }

  @Test("a taint that somebody has removed meanwhile is not asked away")
  func taintGone() throws {
    let kubectl = try #require(kubectl)
    try kubectl.answer("get", "node.kubernetes.io/unreachable:NoExecute\n")
    let result = try kubectl.perform(try #require(try marks("node-marks-differ").first))
    #expect(result.status == 0)
    #expect(!kubectl.calls.contains { $0.hasSuffix("gone:NoSchedule-") })
  }

  @Test("the last label that goes takes the memory with it")
  func nothingLeft() throws {
    let kubectl = try #require(kubectl)
    _ = try kubectl.perform(try #require(try marks("node-marks-no-longer-said").first))
    #expect(
      kubectl.calls == [
        "label node worker-1 --overwrite zone-",
        "annotate node worker-1 --overwrite helix.infra/marks-",
      ])
  }

  @Test("marks are read in every form that k3s takes")
  func forms() {
    var settings = ConfigSettings()
    settings["node-label"] = .list(["a=1,b=", "c"])
    settings["node-taint"] = .text("k=v:NoSchedule,e:NoExecute")
    let marks = NodeMarks(settings)
    #expect(marks.labels == ["a": "1", "b": "", "c": ""])
    #expect(
      marks.taints == [
        .init(key: "k", effect: "NoSchedule"): "v", .init(key: "e", effect: "NoExecute"): "",
      ])
  }

  @Test("only the marks that are our business are read, and an answer that breaks off is refused")
  func reading() throws {
    var settings = ConfigSettings()
    settings["node-label"] = .text("a=1")
    let fact = LiveMarks.fact(["n": NodeMarks(settings)])
    let row =
      #"node\#tn\#tlabel/b\#t{"a":"0","b":"2","os":"linux"}\#t[{"key":"k","effect":"NoExecute"}]"#
    let other = "node\tforeign\t\t{\"a\":\"1\"}\t"
    let read = try fact.parse(
      FactAnswer(status: 0, output: "\(row)\n\(other)\nanswered\n"))
    #expect(read?.keys.sorted() == ["n"])
    #expect(read?["n"]?.marks.labels == ["a": "0", "b": "2"])
    #expect(read?["n"]?.marks.taints == [:])
    #expect(try fact.parse(FactAnswer(status: 0, output: "silent\n")) == nil)
    #expect(throws: Diagnostic.self) { try fact.parse(FactAnswer(status: 0, output: row + "\n")) }
  }
}
