import HelixModel
import HelixPlan

@testable import HelixRun

/// Clusters and graphs that nobody would think of.
enum RandomSetup {
  private static let hosts: [HostName] = (1...7).map { HostName("server-\($0)") }
  private static let agents: [HostName] = (1...10).map { HostName("agent-\($0)") }
  private static let ids: [StepID] = (0..<40).map { id("\($0)") }

  /// A step waits for its vote as long as `patience` says, or for some seconds.
  static func make(_ random: inout SplitMix64, patience: Int? = nil) -> SimulationSetup {
    let count = random.number(1...7)
    let servers = Array(hosts.prefix(count))
    // Joining servers come behind those that vote already; a cluster may have none yet.
    let voting = random.once(in: 8) ? 0 : random.number((count + 1) / 2...count)
    var steps: [Step] = []
    var additions: Set<StepID> = []
    var gone: Set<HostName> = []
    if voting > 2, random.once(in: 5) {
      replace(servers[voting - 1], &steps, &additions)
      gone.insert(servers[voting - 1])
    }
    for server in servers.dropFirst(voting) { join(server, &steps, &additions) }
    if random.once(in: 2) { takeDown(servers.prefix(voting), &gone, &steps, &random) }
    for _ in 0..<random.number(0...min(6, voting * 2)) {
      let server = servers[random.number(0...max(0, voting - 1))]
      add(.voter(server), on: server, to: &steps, &random)
    }
    for _ in 0..<random.number(0...5) {
      add(nil, on: agents[random.number(0...9)], to: &steps, &random)
    }
    let quorum = QuorumGuard(
      seats: servers.map { .init(host: $0, node: $0.rawValue) }, script: "",
      patience: patience ?? random.number(0...90))
    let graph = (try? StepGraph(steps)) ?? .empty
    return SimulationSetup(graph, quorum: quorum, additions: additions, gone: gone)
  }

  private static func add(
    _ budget: Budget?, on host: HostName, to steps: inout [Step], _ random: inout SplitMix64
  ) {
    var (after, follows): ([StepID], [StepID]) = ([], [])
    for step in steps where random.once(in: 5) {
      if random.once(in: 2) { after.append(step.id) } else { follows.append(step.id) }
    }
    steps.append(
      Step(
        ids[steps.count], title: "a step", host: host, after: after, follows: follows,
        instructions: [], undo: random.once(in: 2) ? [.run(script: "undo")] : [],
        spends: budget, brings: budget == .voter(host) ? host : nil))
  }

  /// Voters that are down before the run, some of which a step starts again.
  private static func takeDown(
    _ servers: ArraySlice<HostName>, _ gone: inout Set<HostName>, _ steps: inout [Step],
    _ random: inout SplitMix64
  ) {
    for server in servers where random.once(in: 3) {
      guard gone.insert(server).inserted, random.once(in: 2) else { continue }
      add(nil, on: server, to: &steps, &random)
      steps[steps.count - 1].brings = server
    }
  }

  private static func join(
    _ host: HostName, after: [StepID] = [], _ steps: inout [Step], _ additions: inout Set<StepID>
  ) {
    let id = StepID(Address(host: host, kind: "test"), "join")
    steps.append(
      Step(
        id, title: "a step", host: host, after: after, instructions: [], spends: .membership,
        brings: host))
    additions.insert(id)
  }

  private static func replace(
    _ host: HostName, _ steps: inout [Step], _ additions: inout Set<StepID>
  ) {
    let id = StepID(Address(host: host, kind: "test"), "forget")
    steps.append(Step(id, title: "a step", host: hosts[0], instructions: [], spends: .membership))
    join(host, after: [id], &steps, &additions)
  }
}
