import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

/// What remembers, forgets and deletes, run by a real shell with a kubectl of the test's own.
@Suite("scripts about what left the files, in a shell")
struct PruningShellTests {
  private let kubectl = try? FakeKubectl()
  private let here = HelixModel.SourceLocation(file: "a", line: 1, column: 1)

  private var cluster: K3sCaseCluster {
    get throws {
      var cluster = try K3sCaseCluster("server master-1 server")
      cluster.objects = []
      return cluster
    }
  }

  private func object(_ value: String) throws -> ManifestObject {
    try #require(AppliedObjects.object(value))
  }

  @Test("keys hold only what a ConfigMap's keys may, and no two objects share one")
  func keys() throws {
    let values = [
      "v1 Namespace - a", "v1 ConfigMap a b", "v1 ConfigMap a.b c", "v1 ConfigMap a b.c",
      "rbac.authorization.k8s.io/v1 ClusterRole - system:a",
      "rbac.authorization.k8s.io/v1 ClusterRole - system_3aa",
      "rbac.authorization.k8s.io/v1 Role a__b c", "rbac.authorization.k8s.io/v1 Role a b__c",
      "v1 ConfigMap a \(String(repeating: "x", count: 253))",
      "v1 ConfigMap a \(String(repeating: "x", count: 252))y",
    ]
    let keys = try values.map { AppliedObjects.key(of: try object($0)) }
    #expect(Set(keys).count == keys.count)
    for key in keys {
      #expect(key.utf8.count <= 253)
      #expect(key.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) })
    }
    #expect(try values.map { AppliedObjects.value(of: try object($0)) } == values)
  }

  @Test(
    "what became of an object is told by who manages it",
    arguments: ["sh", "bash", "busybox sh"])
  func standing(shell: String) throws {
    let kubectl = try #require(kubectl)
    let fact = AppliedObjects.fact(wanted: ["configmap__a__b"])
    let data = #"{"configmap__a__b":"v1 ConfigMap a b","namespace____old":"v1 Namespace - old"}"#
    // One program answers both questions, so only what the second is asked is judged.
    try kubectl.answer("get", data)
    #expect(throws: Never.self) { try kubectl.ask(fact, in: shell) }
    #expect(
      try kubectl.input(of: "get")
        == #"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"old"}}"# + "\n")
    #expect(kubectl.calls.count == 2)
    for (owners, word) in [
      ("uid helix-infra/Apply k3s/Update", "ours"),
      ("uid argocd/Apply helix-infra/Update", "others"),
      ("", "gone"), ("uid", "others"),
    ] {
      try kubectl.answer("get", owners)
      let script =
        "\(ClusterDoor.shell)\n\(AppliedObjects.standing)\nhelix_standing v1 Namespace - old"
      #expect(try kubectl.perform(script, in: shell).output == word + "\n")
    }
    try kubectl.answer("get", "", failing: "error: no matches for kind \"X\" in version \"y/v1\"")
    let script = "\(ClusterDoor.shell)\n\(AppliedObjects.standing)\nhelix_standing y/v1 X a b"
    #expect(try kubectl.perform(script, in: shell).output == "gone\n")
    try kubectl.answer("get", "", failing: "Unable to connect to the server")
    #expect(try kubectl.perform(script, in: shell).output == "unknown\n")
  }

  @Test("nothing remembered is an answer, a server that does not run is none")
  func nothingRemembered() throws {
    let kubectl = try #require(kubectl)
    let fact = AppliedObjects.fact(wanted: [])
    #expect(try kubectl.ask(fact) == AppliedObjects(entries: [:], stale: [:]))
    #expect(throws: Diagnostic.self) { try kubectl.ask(fact, served: false) }
    try kubectl.answer("get", "", failing: "Unable to connect to the server")
    #expect(throws: Diagnostic.self) { try kubectl.ask(fact) }
  }

  @Test("an object is deleted when it is still ours, and left to whoever took it over")
  func deletion() throws {
    let kubectl = try #require(kubectl)
    let scripts = try removal("v1 ConfigMap a b")
    try kubectl.answer("get", "uid helix-infra/Apply")
    #expect(try kubectl.perform(scripts[0]).status == 0)
    #expect(kubectl.calls.contains("delete --ignore-not-found --wait=false -f -"))
    #expect(try kubectl.input(of: "delete").contains(#""name":"b","namespace":"a""#))
    #expect(try kubectl.perform(scripts[1], stopping: false).status != 0)
    let other = try FakeKubectl()
    try other.answer("get", "uid argocd/Apply")
    #expect(try other.perform(scripts[0]).status == 0)
    #expect(!other.calls.contains { $0.hasPrefix("delete") })
    #expect(try other.perform(scripts[1], stopping: false).status == 0)
    try other.answer("get", "", failing: "Unable to connect to the server")
    #expect(try other.perform(scripts[0]).status == 1)
  }

  @Test("what is deleted is forgotten by its key alone")
  func forgetting() throws {
    let kubectl = try #require(kubectl)
    _ = try kubectl.perform(try removal("rbac.authorization.k8s.io/v1 ClusterRole - system:a")[2])
    #expect(
      kubectl.calls == [
        "-n kube-system patch configmap helix-infra-manifests --type=merge"
          + " --field-manager=helix-infra -p"
          + #" {"data":{"clusterrole.rbac.authorization.k8s.io____system_3aa":null}}"#
      ])
  }

  private func removal(_ value: String) throws -> [String] {
    let cluster = try K3sCluster(
      try #require(try cluster.inventory.cluster), inventory: try cluster.inventory, managed: [])
    let memory = ObjectMemory(
      door: ClusterDoor(cluster: cluster), objects: [], prune: true, location: nil)
    let removal = ObjectRemoval(
      memory: memory, object: try object(value), host: "master-1", after: [])
    return removal.scripts
  }
}

extension ObjectRemoval {
  /// Deletes, waits, forgets.
  var scripts: [String] {
    steps.flatMap(\.instructions).compactMap { instruction in
      switch instruction {
      case .run(let script): script
      case .wait(let wait): wait.script
      default: nil
      }
    }
  }
}
