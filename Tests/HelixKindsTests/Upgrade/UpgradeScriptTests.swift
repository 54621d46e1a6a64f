import Foundation
import HelixModel
import HelixPlan
import TestSupport
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
  private func kubectl(
    plan: String = "", jobs: String = "", nodes: String = "", node: String = "",
    givenUp: String = "", names: String = ""
  ) throws {
    try host.program(
      "k3s",
      """
      case "$*" in
      *' get plans.'*) printf '%s' '\(plan)' ;;
      *' get jobs '*version!=*metadata.name*) printf '%s\\n' '\(names)' ;;
      *' get jobs '*version!=*) printf '%s\\n' '\(givenUp)' ;;
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
      plan: #"["master-1","master-2","master-3","master-5"]|"#,
      jobs: "master-1|True|\nmaster-2||\nmaster-4||\nmaster-5||True",
      nodes: (1...5).map { "master-\($0)|\(old)|||True|master-\($0)||" }
        .joined(separator: "\n"))
    // 1: its job has failed. 2: at work. 3: nothing of it yet. 4: not taken up. 5: its job is complete.
    #expect(
      try held(told(scripts(.server).mark)) == ["master-1", "master-3", "master-4", "master-5"])
  }

  @Test("a failed job is taken away when its server's turn has come, before the server is let go")
  func freesAfterFailure() throws {
    try kubectl(jobs: "apply-m1|True\napply-m1-old|", node: "server-plan||")
    let calls = try told(scripts(.server).free("master-1"))
    let words = ["delete job", "server-plan=due", "holds-plan-", "helix.infra/retried="]
    let places = words.map { word in calls.firstIndex { $0.contains(word) } }
    #expect(!places.contains(nil), "\(calls)")
    #expect(places.compactMap(\.self) == places.compactMap(\.self).sorted(), "\(calls)")
    #expect(calls[0].hasSuffix("--ignore-not-found apply-m1"))
  }

  @Test(
    "how a server stood is noted when the controller gets it, and once",
    arguments: [
      ("server-plan||", "open"), ("server-plan||true", "cordoned"), ("server-plan|open|true", nil),
      ("server-plan|cordoned|", nil), ("||true", nil), ("server-plan||trueupgrade", "open"),
    ])
  func notesServers(_ node: String, _ note: String?) throws {
    try kubectl(node: node)
    let notes = try told(scripts(.server).free("master-1")).filter { $0.contains("before-upgrade") }
    #expect(
      notes
        == (note.map { ["annotate node master-1 --overwrite helix.infra/before-upgrade=\($0)"] }
          ?? []))
  }

  @Test(
    "an agent's cordon is an operator's when no job can have left it",
    arguments: [
      // Before the UpgradePlan leads there, unless a job is or was at it.
      ("[]|v1.29.1+k3s2", "", "", true), ("", "", "", true),
      ("[]|v1.29.1+k3s2", "worker-1|True|", "", false),
      ("[]|v1.29.1+k3s2", "worker-1||", "", false),
      (#"["worker-1"]|"#, "", "", false),
      // Once it does, a failed job may be gone; not from one that was held all along.
      ("[]|v1.29.15+k3s1", "", "", false), ("[]|v1.29.15+k3s1", "", "disabled|agent-plan", true),
    ])
  func notesAgents(_ plan: String, _ jobs: String, _ hold: String, _ isNoted: Bool) throws {
    let marks = hold.isEmpty ? "|" : hold
    try kubectl(
      plan: plan, jobs: jobs, nodes: "worker-1|v1.29.1+k3s2|\(marks)|True|worker-1|true|")
    let calls = try told(scripts(.agent).mark)
    #expect(
      calls.contains("annotate node worker-1 --overwrite helix.infra/before-upgrade=cordoned")
        == isNoted, "\(calls)")
  }

  @Test(
    "a note is acted on at the end, also when a run was cut short before",
    arguments: [true, false])
  func settles(_ isCutShort: Bool) throws {
    let release = "v1.29.15+k3s1"
    let notes = [("worker-1", "cordoned"), ("worker-2", "open"), ("worker-3", "")]
    let rows = notes.map { node, note in
      isCutShort ? "\(node)|\(release)|hash||True|\(node)||\(note)" : "\(node)|\(note)"
    }
    try kubectl(nodes: rows.joined(separator: "\n"))
    let names = ["worker-1", "worker-2", "worker-3"]
    let script = try isCutShort ? scripts(.agent).mark : scripts(.agent).settle(names)
    let calls = try told(script).filter { !$0.hasPrefix("label") }
    #expect(
      calls == [
        "cordon worker-1", "annotate node worker-1 helix.infra/before-upgrade-",
        "annotate node worker-2 helix.infra/before-upgrade-",
      ])
  }

  @Test(
    "a job that is complete goes before its node is cordoned, or the controller would open it again",
    arguments: [true, false])
  func forgetsJobs(_ isCutShort: Bool) throws {
    let row =
      isCutShort ? "worker-1|v1.29.15+k3s1|hash||True|worker-1||cordoned" : "worker-1|cordoned"
    try kubectl(jobs: "apply-w1|True\napply-w1-new|", nodes: row)
    let script = try isCutShort ? scripts(.agent).mark : scripts(.agent).settle(["worker-1"])
    let calls = try told(script).filter { !$0.hasPrefix("label") }
    try #require(calls.count == 3, "\(calls)")
    #expect(calls[0].hasSuffix("delete job --ignore-not-found apply-w1"), "\(calls)")
    #expect(calls[1] == "cordon worker-1", "\(calls)")
  }

  @Test("a node whose job goes to a release that is given up is held until the job is gone")
  func givesUp() throws {
    let row = "master-1|v1.29.15+k3s1|||True|master-1|true|"
    try kubectl(
      jobs: "master-1||", nodes: row, givenUp: "master-1||",
      names: "apply-m1|master-1\napply-m2|master-2")
    let calls = try told(scripts(.server).giveUp(["master-1"]))
    #expect(
      calls == [
        "-n system-upgrade delete job --ignore-not-found apply-m1",
        "annotate node master-1 --overwrite helix.infra/before-upgrade=open",
        "annotate node master-1 --overwrite helix.infra/holds-plan=server-plan",
        "label node master-1 --overwrite plan.upgrade.cattle.io/server-plan=disabled",
      ])
  }

  @Test(
    "what a job has cordoned that never came to its end takes pods again",
    arguments: [
      ("disabled|server-plan", "open", "", true), ("|", "open", "", true),
      // Whoever cordons a node that is done is an operator; so it is when nothing is noted.
      (Self.hash + "|", "open", "", false), ("|", "", "", false), ("|", "cordoned", "", false),
      // The controller opens it itself when its job is over.
      ("|", "open", "master-1||", false),
    ])
  func opensWhatJobsCordoned(
    _ marks: String, _ before: String, _ jobs: String, _ isOpened: Bool
  ) throws {
    try kubectl(
      jobs: jobs, nodes: "master-1|v1.29.15+k3s1|\(marks)|True|master-1|true|\(before)")
    let calls = try told(scripts(.server).mark)
    #expect(calls.contains("uncordon master-1") == isOpened, "\(calls)")
    #expect(!isOpened || calls.contains("annotate node master-1 helix.infra/before-upgrade-"))
  }

  /// The mark of a node that is done with v1.29.15-k3s1.
  private static let hash = "59d1797a56ad1e8f6fdd848c413812b6040ff19b489588930a0e545a"

  @Test("an agent that cannot be drained now is held, and let go when it can")
  func marksAgents() throws {
    let nodes = ["worker-1", "worker-2"].map { "\($0)|v1.29.1+k3s2|||True|\($0)||" }
    try kubectl(nodes: nodes.joined(separator: "\n"))
    #expect(try held(told(scripts(.agent, blocked: ["worker-2"]).mark)) == ["worker-2"])
    try kubectl(nodes: "worker-2|v1.29.1+k3s2|disabled|agent-plan|True|worker-2||")
    let scripts = [
      try scripts(.agent).mark, try scripts(.agent, blocked: ["worker-2"]).freeAgents,
    ]
    for script in scripts { #expect(try !told(script).contains { $0.contains("=due") }) }
    #expect(
      try told(self.scripts(.agent).freeAgents).suffix(2) == [
        "label node worker-2 --overwrite plan.upgrade.cattle.io/agent-plan=due",
        "annotate node worker-2 helix.infra/holds-plan-",
      ])
  }
}
