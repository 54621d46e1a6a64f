import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

/// What an upgrade asks and tells, run by a real shell with a k3s that only writes down what it is
/// asked.
@Suite("upgrade scripts in a shell")
struct UpgradeShellTests {
  private let host: ShellHost

  init() throws { host = try ShellHost() }

  // MARK: - Cordon

  private func drain(_ drain: UpgradeSpec.Drain? = nil) throws -> NodeDrain {
    let cluster = try K3sCaseCluster("server master-1 server\nagent worker-1 agent")
    let spec = try #require(cluster.inventory.cluster)
    let k3s = try K3sCluster(spec, inventory: cluster.inventory, managed: [])
    return NodeDrain(
      node: K3sNode(cluster: k3s, member: k3s.agents[0], role: .agent, location: cluster.here),
      purpose: "upgrade", drain: drain)
  }

  @Test(
    "a node is cordoned once, with a mark, and never when somebody else did it",
    arguments: [
      ("cordoned= for=", true), ("cordoned=true for=upgrade", false), ("cordoned=true for=", false),
      ("cordoned=false for=upgrade", true),
    ])
  func cordon(_ state: String, _ patches: Bool) throws {
    try host.program("k3s", "case \"$*\" in *' get '*) echo '\(state)' ;; esac")
    let result = try host.run(drain().away[0])
    #expect(result.status == 0, "\(result.errors)")
    let patch =
      "kubectl --request-timeout=20s patch node worker-1 --type merge -p "
      + #"{"metadata":{"annotations":{"helix.infra/cordoned":"upgrade"}},"spec":{"unschedulable":true}}"#
    let calls = try host.calls
    #expect(calls.contains(patch) == patches, "\(calls)")
  }

  @Test("a cordon that cannot be looked at is none that is made")
  func cordonWithoutAnswer() throws {
    try host.program("k3s", "exit 1")
    #expect(try host.run(drain().away[0]).status != 0)
    let calls = try host.calls
    #expect(calls.allSatisfy { !$0.contains("patch") })
  }

  @Test("only a node with our mark is let back", arguments: ["upgrade", "update", ""])
  func uncordon(_ mark: String) throws {
    try host.program("k3s", "case \"$*\" in *' get '*) printf %s '\(mark)' ;; esac")
    #expect(try host.run(drain().back).status == 0)
    let patches = try host.calls.filter { $0.contains("patch") }
    #expect(patches.count == (mark.isEmpty ? 0 : 1))
    #expect(patches.allSatisfy { $0.contains(#""unschedulable":null"#) })
    // What the controller's upgrade noted would outlive it, and open a node that somebody cordons.
    #expect(patches.allSatisfy { $0.contains(#""helix.infra/before-upgrade":null"#) })
  }

  @Test("a drain that does not come to its end names the budgets that let no pod go")
  func drainBlocked() throws {
    try host.program(
      "k3s",
      """
      case "$*" in
      *' drain '*) echo "error when evicting pods" >&2; exit 1 ;;
      *poddisruptionbudgets*) printf 'row\\t0\\tshop\\tdb\\t{}\\nrow\\t1\\tshop\\tweb\\t{}\\nend\\n' ;;
      esac
      """)
    let drain = UpgradeSpec.Drain(
      timeout: 90, gracePeriod: 20, force: true, disableEviction: true,
      podSelector: "app notin (db)")
    let result = try host.run(self.drain(drain).away[1])
    #expect(result.status == 1)
    #expect(result.errors.contains("  shop/db") && !result.errors.contains("shop/web"))
    #expect(
      try host.calls[0]
        == "kubectl drain worker-1 --timeout=90s --ignore-daemonsets --delete-emptydir-data --force"
        + " --disable-eviction --grace-period=20 --pod-selector=app notin (db)")
    try host.program("k3s", "true")
    #expect(try host.run(self.drain(drain).away[1]).status == 0)
  }

  // MARK: - Facts

  @Test("budgets that let no pod go are told with the pods of their namespaces alone")
  func evictions() throws {
    try host.program("systemctl", "true")
    try host.program(
      "k3s",
      #"""
      case "$*" in
      *poddisruptionbudgets*)
        printf 'row\t0\tshop\tdb\t{"matchLabels":{"app":"db"}}\nrow\t\tnew\tfresh\t{}\nrow\t2\tweb\tfine\t{}\nend\n' ;;
      *'-n shop '*) printf 'pod\tshop\tdb-0\tworker-1\tRunning\tStatefulSet\t{"app":"db"}\npod\tshop\tdb-1\tworker-2\tPending\tStatefulSet\t{"app":"db"}\n' ;;
      *'-n new '*) ;;
      *) exit 1 ;;
      esac
      """#)
    let view = try #require(try host.ask(EvictionView.fact))
    #expect(view.budgets.map(\.name).sorted() == ["db", "fresh"])
    #expect(view.obstacles(on: "worker-1").map(\.budget) == ["shop/db"])
    #expect(view.obstacles(on: "worker-2").isEmpty)
    // Half of the pods would let a drain run into its limit of time.
    for failing in ["new", "shop"] {
      try host.program(
        "k3s",
        #"""
        case "$*" in
        *poddisruptionbudgets*)
          printf 'row\t0\tshop\tdb\t{}\nrow\t0\tnew\tfresh\t{}\nend\n' ;;
        *'-n \#(failing) '*) exit 1 ;;
        esac
        """#)
      #expect(try host.ask(EvictionView.fact) == nil, "\(failing)")
    }
    try host.program("k3s", "exit 1")
    #expect(try host.ask(EvictionView.fact) == nil)
    try host.program("k3s", "case \"$*\" in *poddisruptionbudgets*) echo end ;; *) exit 1 ;; esac")
    #expect(try host.ask(EvictionView.fact)?.budgets == [])
  }

  @Test(
    "a budget's selector means what Kubernetes means by it",
    arguments: [
      ("{}", true), (#"{"matchLabels":{"app":"db"}}"#, true),
      (#"{"matchLabels":{"app":"db","tier":"x"}}"#, false),
      (#"{"matchExpressions":[{"key":"app","operator":"NotIn","values":["db"]}]}"#, false),
      (#"{"matchExpressions":[{"key":"app","operator":"In","values":["a","db"]}]}"#, true),
      (#"{"matchExpressions":[{"key":"tier","operator":"Exists"}]}"#, false),
      (#"{"matchExpressions":[{"key":"tier","operator":"DoesNotExist"}]}"#, true),
    ])
  func selectors(_ selector: String, _ covers: Bool) throws {
    let answer = """
      budget\tshop\tdb\t\(selector)
      pod\tshop\tdb-0\tworker-1\tRunning\tStatefulSet\t{"app":"db"}
      pod\tother\tdb-0\tworker-2\tRunning\tStatefulSet\t{"app":"db"}
      answered

      """
    let view = try #require(
      try EvictionView.fact.parse(FactAnswer(status: 0, output: answer)))
    #expect(view.obstacles(on: "worker-1").isEmpty != covers)
    #expect(view.obstacles(on: "worker-2").isEmpty)
  }

  @Test("APIs that are asked for and go away are found among all metrics")
  func deprecated() throws {
    try host.program("systemctl", "true")
    try host.program(
      "k3s",
      #"""
      case "$*" in
      --version) echo 'k3s version v1.29.15+k3s1 (abc)' ;;
      *) printf '%s\n' '# TYPE apiserver_requested_deprecated_apis gauge' \
        'apiserver_requested_deprecated_apis{group="flowcontrol.apiserver.k8s.io",removed_release="1.32",resource="flowschemas",subresource="",version="v1beta3"} 1' \
        'apiserver_requested_deprecated_apis{group="",removed_release="",resource="componentstatuses",subresource="",version="v1"} 1' \
        'apiserver_request_total{code="200"} 7' ;;
      esac
      """#)
    let wanted = try #require(K3sVersion("v1.32.1+k3s1"))
    let apis = try host.ask(DeprecatedAPIs.fact(wanted))
    #expect(
      apis.missing(in: wanted).map(\.name) == ["flowcontrol.apiserver.k8s.io/v1beta3 flowschemas"])
    #expect(try apis.missing(in: #require(K3sVersion("v1.31.9+k3s1"))).isEmpty)
    // The metrics of a server are many megabytes: within a minor nobody asks for them.
    let same = try #require(K3sVersion("v1.29.20+k3s1"))
    #expect(try host.ask(DeprecatedAPIs.fact(same)).apis.isEmpty)
  }

  @Test("nothing of registries.yaml that may be a secret leaves the host")
  func registriesStay() throws {
    let canary = "canary-c0ffee"
    try host.write(
      """
      # password: \(canary)
      mirrors:
        docker.io:
          endpoint:
            - "https://puller:\(canary)@mirror.example.org"
            - https://plain.example.org   # fine
        "ghcr.io": { endpoint: ["https://\(canary)"] }
        quay.io:
          endpoint: ["https://x:\(canary)@quay.example.org"]
      configs:
        mirror.example.org:
          auth: { username: puller, password: \(canary) }
          tls:
            insecure_skip_verify: true
        other.example.org:
          auth:
            username: puller
            password: >-
              \(canary)
              - \(canary)
              endpoint \(canary)
            'identity_token': \(canary)

      """, to: "etc/rancher/k3s/registries.yaml")
    let (installed, raw) = try host.askRaw(InstalledRegistries.fact)
    #expect(!raw.contains(canary), "\(raw)")
    let shown = try #require(installed?.shown)
    #expect(shown.contains("    endpoint:\n      - \"https://…@mirror.example.org\"\n"))
    #expect(shown.contains("      - https://plain.example.org"))
    #expect(shown.contains("endpoint: [\"https://…@quay.example.org\"]"))
    #expect(shown.contains("insecure_skip_verify: true\n"))
    #expect(shown.contains("auth: \(InstalledRegistries.hidden)\n"))
    let same = try #require(try host.askRaw(InstalledRegistries.fact).0)
    #expect(same == installed)
    try host.write("mirrors:\n", to: "etc/rancher/k3s/registries.yaml")
    #expect(try host.askRaw(InstalledRegistries.fact).0?.fingerprint != installed?.fingerprint)
  }

  // MARK: - The way back

  @Test("the kept binary comes back with its old date, and can come back twice")
  func rollback() throws {
    let upgrade = UpgradeLawTests.Upgrade(concurrency: 1, words: "", agents: 1)
    let restart = try #require(
      try upgrade.plan().graph.steps.first { $0.id.name == "restart" && $0.host == "worker-1" })
    try host.program("systemctl", "true")
    try host.write("new", to: "usr/local/bin/k3s")
    #expect(try host.run(restart.undo[0]).status == 1)
    #expect(try host.read("usr/local/bin/k3s") == "new")
    // Of the upgrade before: who has put the new one there has kept nothing.
    try host.program("k3s.prev", "echo 'k3s.prev version v1.28.9+k3s1 (abc)'")
    let older = try host.run(restart.undo[0])
    #expect(older.status == 1 && older.errors.contains("is not v1.29.1+k3s2"), "\(older.errors)")
    #expect(try host.read("usr/local/bin/k3s") == "new")
    try host.program("k3s.prev", "echo 'k3s.prev version v1.29.1+k3s2 (abc)'")
    let old = try host.read("usr/local/bin/k3s.prev")
    // No room for a third binary.
    try host.program("cp", "exit 1")
    try host.date("usr/local/bin/k3s.prev", "2001-01-01")
    try host.write("v1.29.15+k3s1\n", to: "var/lib/helix-infra/k3s-trial")
    for _ in 1...2 {
      let result = try host.run(restart.undo[0])
      #expect(result.status == 0, "\(result.errors)")
      #expect(try host.read("usr/local/bin/k3s") == old)
      #expect(try host.read("usr/local/bin/k3s.prev") == old)
    }
    #expect(try host.calls.contains("--no-block restart k3s-agent.service"))
    #expect(throws: (any Error).self) { try host.read("var/lib/helix-infra/k3s-trial") }
  }

  @Test("a release on trial is told with the one before, which calls itself by its file's name")
  func trial() throws {
    try host.program("k3s", "echo 'k3s version v1.29.15+k3s1 (abc)'")
    try host.program("k3s.prev", "echo 'k3s.prev version v1.29.1+k3s2 (abc)'")
    let settled = try #require(try host.ask(InstalledBinary.fact))
    #expect(settled.previous == nil && settled.wayBack == nil)
    try host.write("v1.29.15+k3s1\n", to: "var/lib/helix-infra/k3s-trial")
    let tried = try #require(try host.ask(InstalledBinary.fact))
    #expect(tried.wayBack == K3sVersion("v1.29.1+k3s2"))
    #expect(tried.version == tried.trial)
    // The file it names never came to its place, or came from somebody else.
    try host.write("v1.29.16+k3s1\n", to: "var/lib/helix-infra/k3s-trial")
    #expect(try host.ask(InstalledBinary.fact)?.wayBack == nil)
    try host.write("v1.29.15+k3s1\n", to: "var/lib/helix-infra/k3s-trial")
    try host.remove("usr/local/bin/k3s.prev")
    #expect(try host.ask(InstalledBinary.fact)?.wayBack == nil)
  }
}
