import Foundation
import HelixModel
import HelixPlan
import Testing

@testable import HelixKinds

/// The role in several plays, on hosts that are no nodes, and in a narrowed plan.
@Suite("k3s plays")
struct K3sPlaysTests {
  private static let fresh = """
    version v1.29.1+k3s2
    endpoint 192.0.2.10
    server master-1 fresh
    server master-2 fresh
    server master-3 fresh
    agent worker-1 fresh
    """

  @Test("servers and agents in plays of their own come to the same steps as in one play")
  func serversThenAgents() throws {
    let cluster = try K3sCaseCluster(Self.fresh)
    let together = try plan(cluster, [["master-1", "master-2", "master-3", "worker-1"]])
    let apart = try plan(cluster, [["master-1", "master-2", "master-3"], ["worker-1"]])
    let steps = { (plan: Plan) in Set(plan.graph.steps.filter { $0.host != nil }.map(\.id)) }
    #expect(apart.heldBack.isEmpty)
    #expect(steps(apart) == steps(together))
  }

  @Test("agents in a play before the servers wait for a later run, and servers join one by one")
  func agentsThenServers() throws {
    let cluster = try K3sCaseCluster(Self.fresh)
    let plan = try plan(cluster, [["worker-1"], ["master-1", "master-2", "master-3"]])
    #expect(Set(plan.heldBack.compactMap(\.address.host)) == ["worker-1"])
    let joins = plan.graph.steps.filter { $0.spends == .membership }
    #expect(joins.map(\.host) == ["master-1", "master-2", "master-3"])
    for (join, before) in zip(joins.dropFirst(), joins) {
      #expect(join.after.contains { $0.address == before.id.address })
    }
  }

  @Test("a host that is neither server nor agent is refused by name")
  func stranger() throws {
    let cluster = try K3sCaseCluster(Self.fresh)
    let demand = RoleDemand(
      role: K3sRole.role.name, hosts: ["master-1", "balancer-1"], location: cluster.here)
    let problems = #expect(throws: Diagnostics.self) {
      try Catalogue.resources(for: demand, inventory: cluster.inventory)
    }
    #expect(problems?.all.first?.summary == "balancer-1: neither server nor agent of helix")
  }

  @Test("a plan narrowed to an agent takes along the servers it joins through")
  func targetedAgent() throws {
    let cluster = try K3sCaseCluster(Self.fresh)
    let hosts: [HostName] = ["master-1", "master-2", "master-3", "worker-1"]
    let whole = try plan(cluster, [hosts])
    let narrowed = try plan(cluster, [hosts], targets: ["worker-1/*"])
    #expect(narrowed.graph == whole.graph)
    let first = try plan(cluster, [hosts], targets: ["master-1/*"])
    #expect(Set(first.graph.steps.map(\.host)) == ["master-1"])
  }

  private func plan(
    _ cluster: K3sCaseCluster, _ plays: [[HostName]], targets: [String] = []
  ) throws -> Plan {
    var stages: [Stage] = []
    for (number, hosts) in plays.enumerated() {
      let demand = RoleDemand(
        role: K3sRole.role.name, hosts: hosts,
        earlier: [K3sRole.role.name: plays[..<number].flatMap(\.self)],
        location: cluster.here)
      let resources = try Catalogue.resources(for: demand, inventory: cluster.inventory)
      stages.append(Stage(title: "play", items: [Stage.Item(resources: resources)]))
    }
    let desired = try DesiredState(stages: stages).targeting(targets)
    var observation = try cluster.observation { _, _ in nil }
    for artifact in desired.artifacts(observation, fingerprints: PlainFingerprints()) {
      observation.checksums[artifact] = "sha256-of-\(artifact.release)"
    }
    return try Planner.plan(desired, observation: observation, fingerprints: PlainFingerprints())
  }
}
