import Foundation
import HelixModel
import HelixPlan
import Testing

@testable import HelixKinds

/// What is said to the cluster around an UpgradePlan, run by a real shell with a k3s that answers what
/// a test says.
@Suite("scripts around UpgradePlans in a shell")
struct UpgradeScriptTests {
  private let host: ShellHost

  init() throws { host = try ShellHost() }

  private func scripts(
    _ role: K3sRoleOfNode, blocked: [String] = []
  ) throws -> UpgradeScripts {
    let place = SourceLocation(file: "inventory/cluster.yaml", line: 9, column: 3)
    let release = try #require(K3sVersion("v1.29.15+k3s1"))
    return UpgradeScripts(
      plan: UpgradePlanObject(
        role: role, target: .release(release), spec: UpgradeSpec.PlanSpec(location: place),
        registry: nil, release: nil, taints: []),
      blocked: blocked)
  }

  /// What kubectl says of plans, jobs, nodes and one node; it obeys everything else.
  private func kubectl(plan: String = "", jobs: String = "", nodes: String = "", node: String = "")
    throws
  {
    try host.program(
      "k3s",
      """
      case "$*" in
      *' get plans.'*) printf '%s' '\(plan)' ;;
      *' get jobs '*) printf '%s\\n' '\(jobs)' ;;
      *' get nodes '*) printf '%s\\n' '\(nodes)' ;;
      *' get node '*) printf '%s' '\(node)' ;;
      esac
      """)
  }

  /// What the cluster was told, without what it was asked.
  private func told(_ script: String) throws -> [String] {
    let result = try host.run(.run(script: script))
    #expect(result.status == 0, "\(result.errors)")
    return try host.calls.filter { !$0.contains(" get ") }.map {
      $0.replacingOccurrences(of: "kubectl --request-timeout=20s ", with: "")
    }
  }

  private func held(_ calls: [String]) -> [String] {
    calls.filter { $0.hasSuffix("=disabled") }.compactMap { call in
      call.split(separator: " ").dropFirst(2).first.map(String.init)
    }
  }

  @Test("every server that waits for its turn is held, but for one whose job is at work")
  func marksServers() throws {
    let old = "v1.29.1+k3s2"
    try kubectl(
      plan: #"["master-1","master-2","master-3","master-5"]"#,
      jobs: "master-1|True|\nmaster-2||\nmaster-4||\nmaster-5||True",
      nodes: (1...5).map { "master-\($0)|\(old)|||True|master-\($0)" }
        .joined(separator: "\n"))
    // 1: its job has failed. 2: at work. 3: nothing of it yet. 4: not taken up. 5: its job is complete.
    #expect(
      try held(told(scripts(.server).mark)) == ["master-1", "master-3", "master-4", "master-5"])
  }

  @Test("a failed job is taken away when its server's turn has come, before the server is let go")
  func freesAfterFailure() throws {
    try kubectl(jobs: "apply-m1|True\napply-m1-old|", node: "server-plan")
    let calls = try told(scripts(.server).free("master-1"))
    let words = ["delete job", "server-plan-", "holds-plan-", "helix.infra/retried="]
    let places = words.map { word in calls.firstIndex { $0.contains(word) } }
    #expect(!places.contains(nil), "\(calls)")
    #expect(places.compactMap(\.self) == places.compactMap(\.self).sorted(), "\(calls)")
    #expect(calls[0].hasSuffix("--ignore-not-found apply-m1"))
  }

  @Test("an agent that cannot be drained now is held, and let go when it can")
  func marksAgents() throws {
    let nodes = ["worker-1", "worker-2"].map { "\($0)|v1.29.1+k3s2|||True|\($0)" }
    try kubectl(nodes: nodes.joined(separator: "\n"))
    #expect(try held(told(scripts(.agent, blocked: ["worker-2"]).mark)) == ["worker-2"])
    try kubectl(nodes: "worker-2|v1.29.1+k3s2|disabled|agent-plan|True|worker-2")
    let calls = try told(scripts(.agent).mark)
    #expect(calls.contains("label node worker-2 plan.upgrade.cattle.io/agent-plan-"))
  }
}
