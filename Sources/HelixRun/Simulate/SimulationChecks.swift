import HelixModel
import HelixPlan

/// What must hold in every run, and where it did not.
struct SimulationChecks {
  enum State {
    case waiting, running, done, failed, skipped, interrupted
  }

  /// No run of any plan comes near it.
  static let mostEvents = 2_000_000

  private(set) var violations: [String] = []

  mutating func violate(_ text: String) { violations.append(text) }
}

extension Simulation {
  /// A step that begins now: not twice, not before its time, not too many, and not at etcd's cost.
  mutating func checkBegin(_ position: Int, countedAt moment: Int) {
    let step = setup.graph.steps[position]
    guard case .waiting = states[position] else {
      return checks.violate("\(step.id) began twice")
    }
    for other in setup.after[position] {
      guard case .done = states[other] else {
        return checks.violate("\(step.id) began before \(setup.graph.steps[other].id) succeeded")
      }
    }
    for other in setup.follows[position] {
      switch states[other] {
      case .waiting, .running:
        return checks.violate("\(step.id) began before \(setup.graph.steps[other].id) ended")
      case .done, .failed, .skipped, .interrupted: break
      }
    }
    if running.count >= parallelism { checks.violate("more than \(parallelism) steps run") }
    if isStopping { checks.violate("\(step.id) began after the operator asked to stop") }
    if step.spends != nil { checkVotes(position, countedAt: moment) }
  }

  /// A failed step that is undone now: once, and not at etcd's cost either.
  mutating func checkUndo(_ position: Int, countedAt moment: Int) {
    let step = setup.graph.steps[position]
    guard failures[position] != nil, running[position] == nil else {
      return checks.violate("\(step.id) is undone, and it is not there to be")
    }
    if step.spends != nil { checkVotes(position, countedAt: moment) }
  }

  /// A majority that is there when a step begins stays there, whatever all running steps stop.
  ///
  /// What happened by itself since the votes were counted is none of our doing: a voter that died
  /// is taken to be there, and a majority that came back is taken to be lost.
  private mutating func checkVotes(_ position: Int, countedAt moment: Int) {
    let step = setup.graph.steps[position]
    var claimed: Set<Int> = []
    for other in Set(running.keys).union(failures.keys) where other != position {
      switch setup.effects[other] {
      case .none, .starts: break
      case .stops(let server): claimed.insert(server)
      case .adds, .takesOut:
        return checks.violate("\(step.id) began while etcd's members were changed")
      }
    }
    let isUp = { (server: SimulatedCluster.Server) in
      server.isVoter && (server.isUp || server.diedAt >= moment)
    }
    let own: Int
    switch setup.effects[position] {
    case .none, .starts: return
    case .stops(let server): own = server
    case .adds(let server), .takesOut(let server):
      own = server
      guard claimed.isEmpty else {
        return checks.violate("\(step.id) changes etcd's members beside other steps")
      }
      if case .adds = setup.effects[position] { return }
    }
    let servers = cluster.servers
    guard isUp(servers[own]) else { return }
    let counted = servers.count { isUp($0) && ($0.cameUpAt < moment || $0.diedAt >= moment) }
    guard cluster.voters > 0, counted >= cluster.majority else { return }
    let others = servers.indices.filter { $0 != own && isUp(servers[$0]) }
    let safe = others.filter { !claimed.contains($0) && queue.owed[$0, default: 0] == 0 }
    let isEnough =
      cluster.voters > 2 ? safe.count >= cluster.majority : safe.count == others.count
    guard !isEnough else { return }
    checks.violate("\(step.id) began when \(safe.count) of \(cluster.voters) voters were left")
  }

  /// What we have taken down, we could spare.
  mutating func checkAllowance(_ server: Int) {
    guard cluster.downByUs > cluster.allowance else { return }
    checks.violate(
      "\(cluster.downByUs) of \(cluster.voters) voters are down by our doing, the last on "
        + cluster.servers[server].seat.host.rawValue)
  }

  /// Only what waits for a failed step is skipped for it.
  mutating func checkBlame(_ id: StepID, _ blame: StepID) {
    guard let position = setup.positions[id], let culprit = setup.positions[blame] else { return }
    guard case .failed = states[culprit] else {
      return checks.violate("\(id) is skipped for \(blame), which did not fail")
    }
    var seen: Set<Int> = []
    var waiting = setup.after[position]
    while let other = waiting.popLast() {
      if other == culprit { return }
      if seen.insert(other).inserted { waiting += setup.after[other] }
    }
    checks.violate("\(id) is skipped for \(blame), for which it does not wait")
  }

  /// Every step has ended, but in a run that was stopped.
  mutating func checkEnds() {
    guard checks.violations.isEmpty else { return }
    for (position, (step, outcome)) in walk.outcomes.enumerated() {
      let isRight =
        switch (states[position], outcome) {
        case (.done, .done), (.failed, .failed), (.skipped, .skipped),
          (.interrupted, .interrupted):
          true
        case (.waiting, .notBegun): isStopping
        default: false
        }
      if !isRight { checks.violate("\(step.id) ended as \(outcome.word), which cannot be") }
    }
  }
}
