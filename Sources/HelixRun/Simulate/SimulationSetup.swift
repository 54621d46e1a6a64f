package import HelixModel
package import HelixPlan

/// What is played: a step graph, what its steps do to etcd, and how the cluster stands before.
package struct SimulationSetup: Sendable {
  /// What a step does to the votes while it runs.
  enum Effect: Hashable, Sendable {
    case none
    /// Starts a server's voter, if it is down.
    case starts(Int)
    /// Stops a server's voter, and starts it again.
    case stops(Int)
    /// The cluster stops one voter after the other.
    case stopsAny
    case adds(Int)
    case takesOut(Int)
  }

  package let graph: StepGraph
  package let quorum: QuorumGuard?
  /// Which servers vote before the run, and which of those are down already.
  let voters: Set<Int>
  let ghosts: Set<Int>
  /// In the order of the graph.
  let effects: [Effect]
  let after: [[Int]]
  let follows: [[Int]]
  let positions: [StepID: Int]

  /// A setup whose servers all vote, but for those that a step adds first.
  ///
  /// `additions` are the steps that make a member of the server they are about; other steps that
  /// spend `membership` take it out. Servers in `gone` vote and are down until a step starts them.
  package init(
    _ graph: StepGraph, quorum: QuorumGuard?, additions: Set<StepID>, gone: Set<HostName> = []
  ) {
    self.graph = graph
    self.quorum = quorum
    var seats: [HostName: Int] = [:]
    for (number, seat) in (quorum?.seats ?? []).enumerated() { seats[seat.host] = number }
    var positions: [StepID: Int] = [:]
    positions.reserveCapacity(graph.steps.count)
    for (position, step) in graph.steps.enumerated() { positions[step.id] = position }
    var voters = Set(0..<seats.count)
    var settled: Set<Int> = []
    effects = graph.steps.map { step in
      guard let claim = QuorumLedger.Claim(step) else {
        return step.brings.flatMap { seats[$0] }.map(Effect.starts) ?? .none
      }
      if claim.budget == .anyVoter { return .stopsAny }
      guard let seat = claim.subject.flatMap({ seats[$0] }) else { return .none }
      guard claim.budget == .membership else { return .stops(seat) }
      let isAddition = additions.contains(step.id)
      // What a server's first such step does tells what it was before.
      if settled.insert(seat).inserted, isAddition { voters.remove(seat) }
      return isAddition ? .adds(seat) : .takesOut(seat)
    }
    after = graph.steps.map { $0.after.compactMap { positions[$0] } }
    follows = graph.steps.map { $0.follows.compactMap { positions[$0] } }
    self.positions = positions
    self.voters = voters
    ghosts = Set(gone.compactMap { seats[$0] })
  }
}

extension SimulationSetup {
  /// A plan to be played: whatever voters it does not add are there before, and well, but for those
  /// that it replaces.
  package init(_ plan: Plan) {
    var additions: Set<StepID> = []
    var gone: Set<HostName> = []
    let steps = Dictionary(
      plan.graph.steps.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for change in plan.pending {
      for step in change.steps where steps[step]?.spends == .membership {
        switch change.action {
        case .create, .update, .none: additions.insert(step)
        case .replace: if let host = step.address.host { gone.insert(host) }
        case .delete: break
        }
      }
    }
    self.init(plan.graph, quorum: plan.quorum, additions: additions, gone: gone)
  }

  /// Every host that a step runs on or that votes, sorted.
  package var hosts: [HostName] {
    Set(graph.steps.compactMap(\.host) + (quorum?.seats.map(\.host) ?? [])).sorted()
  }
}
