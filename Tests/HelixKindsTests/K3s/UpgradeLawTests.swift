import HelixModel
import HelixPlan
import Testing

@testable import HelixKinds

/// What must hold for every upgrade over SSH, whatever cluster.yaml says of it.
@Suite("laws of upgrades over SSH")
struct UpgradeLawTests {
  static let upgrades: [Upgrade] = [1, 2, 3].flatMap { concurrency in
    ["", " drain=60", " cordon=false"].flatMap { words in
      [0, 1, 3, 7].map { agents in
        Upgrade(concurrency: concurrency, words: words, agents: agents)
      }
    }
  }

  struct Upgrade: CustomTestStringConvertible, Sendable {
    var concurrency: Int
    var words: String
    var agents: Int

    var testDescription: String { "\(agents) agents, \(concurrency) at once,\(words)" }

    func plan() throws -> Plan {
      let servers = (1...3).map { "server master-\($0) server\n" }.joined()
      let agents = (0..<agents).map { "agent worker-\($0 + 1) agent\n" }.joined()
      let cluster = try K3sCaseCluster(
        """
        version v1.29.15+k3s1
        runs v1.29.1+k3s2
        upgrade-servers concurrency=\(concurrency)\(words)
        upgrade-agents concurrency=\(concurrency)\(words)
        endpoint 192.0.2.10
        config kubelet-arg [image-gc-high-threshold=55]
        server-config disable [traefik,servicelb]
        server-config secrets-encryption true
        \(servers)\(agents)
        """)
      return try HelixKindsTests.plan(cluster, cluster.observation { _, _ in nil })
    }
  }

  @Test(
    "no two servers are away at once, and no agent before all of them are back", arguments: upgrades
  )
  func serversThenAgents(_ upgrade: Upgrade) throws {
    let turns = try Turns(upgrade.plan().graph)
    #expect(turns.hosts.count == 3 + upgrade.agents)
    for (place, server) in ["master-1", "master-2", "master-3"].enumerated() {
      let others = turns.hosts.filter { $0 > HostName(server) }
      for other in others { #expect(turns.ends(HostName(server), before: other), "\(place)") }
    }
  }

  @Test("no more agents are away at once than cluster.yaml allows", arguments: upgrades)
  func concurrency(_ upgrade: Upgrade) throws {
    let turns = try Turns(upgrade.plan().graph)
    let agents = (0..<upgrade.agents).map { HostName("worker-\($0 + 1)") }
    for (place, agent) in agents.enumerated() {
      let together = agents.filter {
        $0 != agent && !turns.ends($0, before: agent) && !turns.ends(agent, before: $0)
      }
      // As many stand beside it as may, before it and behind it.
      #expect(together.count <= 2 * (upgrade.concurrency - 1))
      if place >= upgrade.concurrency {
        for earlier in agents[...(place - upgrade.concurrency)] {
          #expect(turns.ends(earlier, before: agent), "\(earlier) before \(agent)")
        }
      }
    }
  }

  @Test("what is cordoned is let back, whatever becomes of the restart", arguments: upgrades)
  func cordons(_ upgrade: Upgrade) throws {
    let steps = try upgrade.plan().graph.steps
    let cordons = steps.filter { $0.id.address.kind == K3sDrain.kind }
    let uncordons = steps.filter { $0.id.address.kind == K3sUncordon.kind }
    #expect(cordons.count == (upgrade.words == " cordon=false" ? 0 : 3 + upgrade.agents))
    #expect(cordons.map(\.id.address.host) == uncordons.map(\.id.address.host))
    for (cordon, uncordon) in zip(cordons, uncordons) {
      #expect(!cordon.undo.isEmpty && uncordon.after == [cordon.id])
      let service = uncordon.follows.map(\.address)
      #expect(service == cordon.id.address.host.map { [ClusterSurvey.service($0)] })
    }
  }

  @Test(
    "every restart with another binary has a way back, and looks at what the node runs",
    arguments: upgrades)
  func waysBack(_ upgrade: Upgrade) throws {
    let steps = try upgrade.plan().graph.steps
    let restarts = steps.filter { $0.id.name == "restart" }
    #expect(restarts.count == 3 + upgrade.agents)
    for restart in restarts {
      guard case .run(let script) = restart.undo.first else {
        Issue.record("\(restart.id) has no way back")
        continue
      }
      #expect(script.contains(K3sPaths.previousBinary))
      #expect(restart.undo.count == HealthGate.count(on: restart) + 1)
      #expect(restart.instructions.contains { $0.waits(for: "version=v1.29.15+k3s1") })
      #expect(!restart.undo.contains { $0.waits(for: "version=") })
    }
  }

  @Test("a release is on trial from before its file until its node is well", arguments: upgrades)
  func trials(_ upgrade: Upgrade) throws {
    let graph = try upgrade.plan().graph
    let known = Dictionary(uniqueKeysWithValues: graph.steps.map { ($0.id, $0) })
    let installs = graph.steps.filter { $0.id.name == "install" }
    let notes = graph.steps.filter { $0.id.name == "settle" }
    #expect(installs.count == 3 + upgrade.agents && notes.map(\.host) == installs.map(\.host))
    for (install, note) in zip(installs, notes) {
      guard case .write(let file) = install.instructions.first else {
        Issue.record("\(install.id) does not put its release on trial")
        continue
      }
      #expect(file.path == K3sPaths.trial && file.content.shown == "v1.29.15+k3s1\n")
      // Were undoing it a part of it, a connection that is lost would take back what is well.
      #expect(note.undo.isEmpty && note.instructions == [.run(script: "rm -f \(K3sPaths.trial)")])
      let others = graph.steps.filter { $0.id.address == note.id.address && $0.id != note.id }
      #expect(!others.isEmpty && others.allSatisfy { note.waits(for: $0.id, among: known) })
    }
  }

  @Test(
    "kept is what ran: a file that never did does not take its place",
    arguments: [("v1.29.1+k3s2", false), ("v1.28.5+k3s1", true)])
  func kept(_ previous: String, _ isReplaced: Bool) throws {
    let cluster = try K3sCaseCluster(
      """
      version v1.29.15+k3s1
      runs v1.29.1+k3s2
      endpoint 192.0.2.10
      config kubelet-arg [image-gc-high-threshold=55]
      server-config disable [traefik,servicelb]
      server-config secrets-encryption true
      server master-1 server
      agent worker-1 agent
      """)
    // Put there by a run that was cut before the restart; with an older k3s.prev it was another's.
    let binary = "sha256 ab\nversion v1.29.10+k3s1\ntrial v1.29.10+k3s1\nprevious \(previous)\n"
    let observation = try cluster.observation { host, fact in
      host == "worker-1" && fact == FactID("k3s-binary") ? binary : nil
    }
    let steps = try HelixKindsTests.plan(cluster, observation).graph.steps
    let install = try #require(
      steps.first { $0.id.name == "install" && $0.host == "worker-1" })
    let kept = install.instructions.compactMap { instruction in
      if case .install(let install) = instruction { install.keepingPreviousAt } else { nil }
    }
    #expect(kept == (isReplaced ? [K3sPaths.previousBinary] : []))
  }

  @Test("one snapshot comes before everything else", arguments: upgrades)
  func snapshot(_ upgrade: Upgrade) throws {
    let graph = try upgrade.plan().graph
    let saves = graph.steps.filter { $0.id.address == ClusterSnapshot.address }
    let save = try #require(saves.first)
    #expect(saves.count == 1)
    let known = Dictionary(uniqueKeysWithValues: graph.steps.map { ($0.id, $0) })
    for step in graph.steps where step.id != save.id {
      #expect(step.waits(for: save.id, among: known), "\(step.id)")
    }
  }

  @Test("a config that changes restarts nodes in place, and nothing is saved for it")
  func configAlone() throws {
    let cluster = try K3sCaseCluster(
      """
      upgrade-servers drain=60
      upgrade-agents drain=60
      endpoint 192.0.2.10
      config kubelet-arg [image-gc-high-threshold=70]
      server-config disable [traefik,servicelb]
      server-config secrets-encryption true
      server master-1 server
      agent worker-1 agent
      """)
    let steps = try HelixKindsTests.plan(cluster, cluster.observation { _, _ in nil }).graph.steps
    #expect(steps.contains { $0.id.name == "restart" })
    #expect(steps.allSatisfy { $0.undo.isEmpty })
    let kinds = Set(steps.map(\.id.address.kind))
    #expect(kinds.isDisjoint(with: [K3sDrain.kind, K3sUncordon.kind, "snapshot"]))
  }
}

/// From where each host's turn begins to where it has ended.
private struct Turns {
  let hosts: [HostName]
  private let steps: [StepID: Step]

  init(_ graph: StepGraph) {
    steps = Dictionary(uniqueKeysWithValues: graph.steps.map { ($0.id, $0) })
    hosts = Set(graph.steps.compactMap(\.id.address.host)).sorted()
  }

  /// Whether every step of one host's turn has succeeded before any of the other's begins.
  func ends(_ host: HostName, before other: HostName) -> Bool {
    let earlier = steps.values.filter { $0.id.address.host == host }
    let later = steps.values.filter { $0.id.address.host == other }
    return later.allSatisfy { step in
      earlier.allSatisfy { step.waits(for: $0.id, among: steps) }
    }
  }
}

extension Step {
  /// Whether another step must have succeeded before this one begins.
  func waits(for other: StepID, among steps: [StepID: Step]) -> Bool {
    var open = after
    var seen: Set<StepID> = []
    while let next = open.popLast() {
      if next == other { return true }
      if seen.insert(next).inserted { open += steps[next]?.after ?? [] }
    }
    return false
  }
}

extension Instruction {
  fileprivate func waits(for words: String) -> Bool {
    if case .wait(let wait) = self { wait.script.contains(words) } else { false }
  }
}

extension HealthGate {
  /// How many things are asked on a server and on an agent.
  fileprivate static func count(on step: Step) -> Int {
    step.spends == nil ? 2 : 4
  }
}
