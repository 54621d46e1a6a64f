import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

/// What nodes are told before and after an UpgradePlan changes, by a real shell with a k3s that only
/// writes down what it is asked.
@Suite("marks of upgrades in a shell")
struct UpgradeMarkTests {
  private static let place = SourceLocation(file: "inventory/cluster.yaml", line: 9, column: 3)
  /// Of v1.29.15-k3s1 and the account, as the controller makes it.
  private static let hash = "59d1797a56ad1e8f6fdd848c413812b6040ff19b489588930a0e545a"

  private func plan(
    _ role: K3sRoleOfNode, _ target: UpgradePlanObject.Target? = nil
  ) -> UpgradePlanObject {
    let release = K3sVersion(major: 1, minor: 29, patch: 15, build: 1)
    return UpgradePlanObject(
      role: role, target: target ?? .release(release), spec: .init(location: Self.place),
      registry: nil, release: nil, taints: [])
  }

  /// What is said to nodes when they are as in `rows`: name, release, mark, hold, ready, hostname.
  private func said(
    _ script: String, _ rows: [String], applying: String = "", latest: String = ""
  ) throws -> [String] {
    let host = try ShellHost()
    try host.program(
      "k3s",
      """
      case "$*" in
      *'get nodes -l'*) printf '%s\\n' \(rows.map(shellQuoted).joined(separator: " ")) ;;
      *' get jobs '*) printf '%s||\\n' master-2 master-3 ;;
      *status.applying*) printf %s \(shellQuoted(applying)) ;;
      *status.latestVersion*) printf %s \(shellQuoted(latest)) ;;
      *' get node '*) printf %s agent-plan ;;
      esac
      """)
    let result = try host.run(.run(script: script))
    #expect(result.status == 0, "\(result.errors)")
    return try host.calls.filter { $0.contains(" label ") || $0.contains(" annotate ") }.map {
      $0.replacing("kubectl --request-timeout=20s ", with: "")
        .replacing("plan.upgrade.cattle.io/", with: "").replacing("helix.infra/", with: "")
    }
  }

  @Test("agents: who is there gets the mark, who is off is held, and nobody is let go too early")
  func markAgents() throws {
    let rows = [
      "done|v1.29.15+k3s1|\(Self.hash)||True|done", "fresh|v1.29.15+k3s1|||True|fresh",
      "held|v1.29.15+k3s1|disabled|agent-plan|True|held",
      "left-out|v1.29.15+k3s1|disabled||True|left-out", "off|v1.29.1+k3s2|old||Unknown|off",
      "behind|v1.29.1+k3s2|old||True|behind", "unmarked|v1.29.1+k3s2|||True|unmarked",
      "back|v1.29.1+k3s2|disabled|agent-plan|False|back",
    ]
    #expect(
      try said(UpgradeScripts(plan: plan(.agent)).mark, rows) == [
        "label node fresh --overwrite agent-plan=\(Self.hash)",
        "label node held --overwrite agent-plan=\(Self.hash)", "annotate node held holds-plan-",
        "annotate node off --overwrite holds-plan=agent-plan",
        "label node off --overwrite agent-plan=disabled",
      ])
    #expect(
      try said(UpgradeScripts(plan: plan(.agent)).freeAgents, rows) == [
        "label node unmarked --overwrite agent-plan=due",
        "label node back --overwrite agent-plan=due", "annotate node back holds-plan-",
      ])
  }

  @Test("servers: all are held but the one that is under way, which keeps its turn")
  func markServers() throws {
    let rows = [
      "master-1|v1.29.15+k3s1|||True|master-1", "master-2|v1.29.1+k3s2|||True|master-2",
      "master-3|v1.29.1+k3s2|old||True|master-3", "master-4|v1.29.1+k3s2|||True|master-4",
      "master-5|v1.29.1+k3s2|disabled|server-plan|True|master-5",
    ]
    let script = UpgradeScripts(plan: plan(.server)).mark
    #expect(
      try said(script, rows, applying: #"["master-2","master-3","master-44"]"#) == [
        "label node master-1 --overwrite server-plan=\(Self.hash)",
        "label node master-2 --overwrite server-plan=due",
        "annotate node master-4 --overwrite holds-plan=server-plan",
        "label node master-4 --overwrite server-plan=disabled",
      ])
  }

  @Test("a node whose turn has come carries a mark, or the controller would pass it over")
  func free() throws {
    #expect(
      try said(UpgradeScripts(plan: plan(.agent)).free("worker-1"), []) == [
        "label node worker-1 --overwrite agent-plan=due", "annotate node worker-1 holds-plan-",
      ])
  }

  @Test("of a channel that nobody has asked yet no agent is let go")
  func channel() throws {
    let channel = UpgradePlanObject.Target.channel("https://example.org/v1.29")
    let script = UpgradeScripts(plan: plan(.agent, channel)).freeAgents
    let rows = ["worker-1|v1.29.1+k3s2|disabled|agent-plan|True|worker-1"]
    #expect(try said(script, rows).isEmpty)
    let asked = "https://example.org/v1.29||True|Channel|"
    #expect(try said(script, rows, latest: asked + "v1.29.1-k3s2").isEmpty)
    #expect(try said(script, rows, latest: asked + "v1.29.15-k3s1").count == 2)
  }

  @Test("only nodes with a mark are selected; a channel is for every node")
  func selector() throws {
    for role in K3sRoleOfNode.inOrder {
      let keys = { (target: UpgradePlanObject.Target?) in
        let spec = plan(role, target).object.body["spec"]?.mapping
        let selector = spec?["nodeSelector"]?.mapping?["matchExpressions"]?.list ?? []
        return selector.compactMap { one -> String? in
          guard let fields = one.mapping, fields["operator"]?.text == "Exists" else { return nil }
          return fields["key"]?.text
        }
      }
      #expect(keys(nil) == ["plan.upgrade.cattle.io/\(UpgradePlanObject.name(role))"])
      #expect(keys(.channel("https://example.org/v1.29")).isEmpty)
    }
  }
}
