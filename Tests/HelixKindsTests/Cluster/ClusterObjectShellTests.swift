import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

/// The scripts about Kubernetes objects, run by a real shell with a kubectl of the test's own.
@Suite("scripts about objects in a shell")
struct ClusterObjectShellTests {
  private let kubectl = try? FakeKubectl()
  private static let shells = ["sh", "bash", "busybox sh"]

  private func object(
    _ text: String, namespace: String? = "shop"
  ) throws -> ClusterObject {
    let body = try #require(try JSONReading.read(text).mapping)
    let inventory = try K3sCaseCluster("server master-1 server")
    let cluster = try K3sCluster(
      try #require(inventory.inventory.cluster), inventory: inventory.inventory, managed: [])
    return ClusterObject(
      door: ClusterDoor(cluster: cluster),
      manifest: ManifestObject(
        apiVersion: try #require(body["apiVersion"]?.text), kind: try #require(body["kind"]?.text),
        namespace: namespace, name: try #require(body["metadata"]?.mapping?["name"]?.text),
        body: body, location: inventory.here))
  }

  private let nasty = #"""
    {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"web","annotations":
    {"helix.infra/wait":"false"}},"data":{"a":"it's $HOME `id` $(id) \\ \" \n\nHELIX_MANIFEST\nend"}}
    """#

  @Test(
    "the manifest reaches the API whole, whatever it holds, and without what steers",
    arguments: shells)
  func manifestArrives(shell: String) throws {
    let kubectl = try #require(kubectl)
    let object = try object(nasty)
    #expect(try kubectl.ask(LiveObject.fact(object), in: shell) == .absent(.nothing))
    for verb in ["get", "dry-run"] {
      let arrived = try #require(try JSONReading.read(kubectl.input(of: verb)).mapping)
      #expect(
        arrived["data"]?.mapping?["a"]?.text
          == "it's $HOME `id` $(id) \\ \" \n\nHELIX_MANIFEST\nend")
      #expect(arrived["metadata"]?.mapping?.keys == ["name", "namespace"])
      #expect(arrived["metadata"]?.mapping?["namespace"]?.text == "shop")
    }
    #expect(
      kubectl.calls == [
        "get --ignore-not-found -o json --show-managed-fields -f -",
        "apply --server-side --field-manager=helix-infra --dry-run=server -o json"
          + " --show-managed-fields -f -",
      ])
  }

  @Test("an object that an apply would leave as it is comes back as a word", arguments: shells)
  func same(shell: String) throws {
    let kubectl = try #require(kubectl)
    try kubectl.answer(
      "get",
      """
      {
          "apiVersion": "v1",
          "items": [
              {
                  "a": "same\\nlive"
              }
          ],
          "kind": "List"
      }
      """)
    try kubectl.answer("dry-run", "{\n    \"a\": \"same\\nlive\"\n}\n")
    #expect(try kubectl.ask(LiveObject.fact(object(nasty)), in: shell) == .same)
  }

  @Test("an object that is being deleted is shown though an apply would leave it as it is")
  func going() throws {
    let kubectl = try #require(kubectl)
    let text = "{\n  \"metadata\": {\n    \"deletionTimestamp\": \"now\"\n  }\n}\n"
    try kubectl.answer("get", text)
    try kubectl.answer("dry-run", text)
    guard case .there(let live, _) = try kubectl.ask(LiveObject.fact(object(nasty))) else {
      Issue.record("it is not shown")
      return
    }
    #expect(LiveObject.isGoing(live))
  }

  @Test("an object that says nothing but its name gets something that can be ours")
  func nothingSaid() throws {
    for (text, isMarked) in [
      (#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"a"}}"#, true),
      (#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{}}"#, true),
      (#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":""}}"#, false),
    ] {
      let json = try object(text).json
      #expect(json.contains(#""helix.infra/applied": "true""#) == isMarked, "\(json)")
    }
  }

  @Test("what the API refuses comes back in its words, with the object", arguments: shells)
  func refused(shell: String) throws {
    let kubectl = try #require(kubectl)
    try kubectl.answer("get", "{\n  \"kind\": \"ConfigMap\"\n}\n")
    try kubectl.answer("dry-run", "", failing: "error: Apply failed\n- .data.a\n")
    let answer = try kubectl.ask(LiveObject.fact(object(nasty)), in: shell)
    guard case .refused(let live, let words) = answer else {
      Issue.record("\(answer)")
      return
    }
    #expect(live?["kind"]?.text == "ConfigMap")
    #expect(words == "error: Apply failed\n- .data.a")
  }

  @Test("what somebody has changed by hand is taken back", arguments: shells)
  func byHand(shell: String) throws {
    let kubectl = try #require(kubectl)
    let refusal = """
      error: Apply failed with 2 conflicts: conflicts with "kubectl-edit" using v1:
      - .data.a
      conflicts with "kubectl-patch" using v1:
      - .data.b

      """
    let held = { (fields: String) in
      #"{"kind":"ConfigMap","metadata":{"managedFields":[{"manager":"kubectl-edit","fieldsV1":{\#(fields)}}]}}"#
    }
    try kubectl.answer("get", held(#""f:a":{}"#))
    try kubectl.answer("dry-run", "", failing: refusal)
    try kubectl.answer("forced-dry-run", held(""))
    let object = try object(nasty)
    let answer = try kubectl.ask(LiveObject.fact(object), in: shell)
    guard case .there(let live, let after) = answer else {
      Issue.record("\(answer)")
      return
    }
    #expect(LiveObject.hands(on: live, after: after) == ["kubectl-edit"])
    try kubectl.answer("apply", "", failing: refusal)
    let script =
      "helix_manifest() { echo '{}'; }\n\(ClusterDoor.shell)\n\(object.applyShell)\nhelix_apply"
    #expect(try kubectl.perform(script, in: shell).status == 0)
    #expect(
      kubectl.calls.last == "apply --server-side --field-manager=helix-infra --force-conflicts -f -"
    )
  }

  @Test(
    "a conflict with a program is none with a hand, even where a hand is in it", arguments: shells)
  func notByHand(shell: String) throws {
    let kubectl = try #require(kubectl)
    let object = try object(nasty)
    for other in ["hpa", "kubectl", "kubectl-client-side-apply", "kubectl-edit-not"] {
      try kubectl.answer(
        "apply", "",
        failing: """
          error: Apply failed with 2 conflicts: conflicts with "kubectl-edit" using v1:
          - .data.a
          conflicts with "\(other)" using v1:
          - .data.b

          """)
      let script =
        "helix_manifest() { echo '{}'; }\n\(ClusterDoor.shell)\n\(object.applyShell)\nhelix_apply"
      let result = try kubectl.perform(script, in: shell)
      #expect(result.status == 1 && result.errors.contains(other), "\(result)")
    }
    #expect(!kubectl.calls.contains { $0.contains("--force-conflicts") })
  }

  @Test("a kind or a namespace that is not there yet is told apart from a mistake")
  func lacks() throws {
    let kubectl = try #require(kubectl)
    let object = try object(nasty)
    try kubectl.answer(
      "dry-run", "", failing: "Error from server (NotFound): namespaces \"shop\" not found\n")
    #expect(try kubectl.ask(LiveObject.fact(object)) == .absent(.namespace))
    let words = "error: … no matches for kind \"Till\" in version \"example.org/v1\"\n"
    try kubectl.answer("get", "", failing: words)
    #expect(try kubectl.ask(LiveObject.fact(object)) == .absent(.kind))
  }

  @Test("a server that does not run tells nothing, and is not asked")
  func unserved() throws {
    let kubectl = try #require(kubectl)
    let object = try object(nasty)
    #expect(throws: Diagnostic.self) {
      try kubectl.ask(LiveObject.fact(object), served: false)
    }
    #expect(kubectl.calls.isEmpty)
  }

  @Test(
    "a rollout is over when the cluster has made of it what was asked",
    arguments: [
      ("apps/v1 Deployment", "2|2|3|3|3|3|NewReplicaSetAvailable|fine", true),
      ("apps/v1 Deployment", "2|1|3|3|3|3|NewReplicaSetAvailable|stale", false),
      ("apps/v1 Deployment", "2|2|3|3|4|3|ReplicaSetUpdated|one old pod", false),
      ("apps/v1 Deployment", "2|2|3|3|3|2||", false),
      ("apps/v1 Deployment", "2|2|0||||NewReplicaSetAvailable|scaled down", true),
      ("apps/v1 DaemonSet", "1|1|4|4|4", true),
      ("apps/v1 DaemonSet", "1|1|4|2|4", false),
      ("apps/v1 DaemonSet", "1||||", false),
      ("apps/v1 StatefulSet", "1|1|2|2|2|a|b", true),
      ("apps/v1 StatefulSet", "1|1|2||2|a|a", true),
      ("apps/v1 StatefulSet", "1|1|2|1|2|a|b", false),
      ("batch/v1 Job", "True|||", true),
      ("batch/v1 Job", "|||", false),
      ("v1 Namespace", "Active", true),
      ("v1 Namespace", "", false),
      ("apiextensions.k8s.io/v1 CustomResourceDefinition", "True|True|", true),
      ("apiextensions.k8s.io/v1 CustomResourceDefinition", "||", false),
    ])
  func rollout(kind: String, state: String, isOver: Bool) throws {
    let kubectl = try #require(kubectl)
    try kubectl.answer("get", state)
    let steps = try instructions(kind)
    guard case .wait(let wait) = try #require(steps.first) else {
      Issue.record("it does not wait")
      return
    }
    let result = try kubectl.perform(wait.script, stopping: false)
    #expect((result.status == 0) == isOver, "\(result.output)\(result.errors)")
    #expect(result.errors.isEmpty)
    guard isOver, case .run(let check)? = steps.dropFirst().first else { return }
    #expect(try kubectl.perform(check).status == 0)
  }

  @Test(
    "what has failed ends the wait at once, and its reason is told",
    arguments: [
      ("apps/v1 Deployment", "2|2|3|1|4|3|ProgressDeadlineExceeded|image not found"),
      ("batch/v1 Job", "|True|BackoffLimitExceeded|image not found"),
      ("helm.cattle.io/v1 HelmChart", "|True|BackoffLimitExceeded|image not found"),
      ("apiextensions.k8s.io/v1 CustomResourceDefinition", "|False|image not found"),
    ])
  func failure(kind: String, state: String) throws {
    let kubectl = try #require(kubectl)
    try kubectl.answer("get", state)
    let steps = try instructions(kind)
    guard case .wait(let wait) = steps[0], case .run(let check) = steps[1] else {
      Issue.record("\(steps)")
      return
    }
    #expect(try kubectl.perform(wait.script, stopping: false).status == 0)
    for shell in Self.shells {
      let result = try kubectl.perform(check, in: shell)
      #expect(result.status == 1 && result.errors.contains("image not found"))
    }
  }

  @Test("a chart waits for the Job that installs it")
  func chart() throws {
    let kubectl = try #require(kubectl)
    guard case .wait(let wait) = try instructions("helm.cattle.io/v1 HelmChart")[0] else { return }
    _ = try kubectl.perform(wait.script, stopping: false)
    #expect(try kubectl.input(of: "get").contains(#""name":"helm-install-web""#))
  }

  @Test(
    "nothing is waited for where it would never come",
    arguments: [
      #"{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"a"},"spec":{"updateStrategy":{"type":"OnDelete"}}}"#,
      #"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a"},"spec":{"suspend":true}}"#,
      #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#,
      #"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","annotations":{"helix.infra/wait":"false"}}}"#,
    ])
  func noWait(text: String) throws {
    let object = try object(text)
    #expect(!object.steering.waits || ObjectRollout(of: object.manifest) == nil)
  }

  private func instructions(_ kind: String) throws -> [Instruction] {
    let words = kind.split(separator: " ")
    let object = try object(
      #"{"apiVersion":"\#(words[0])","kind":"\#(words[1])","metadata":{"name":"web"}}"#)
    return try #require(ObjectRollout(of: object.manifest)).instructions("it", within: 10)
  }
}
