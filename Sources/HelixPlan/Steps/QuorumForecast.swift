import HelixModel

/// The best that can become of a graph's claims on etcd's majority.
///
/// Whatever step can begin does, alone, and succeeds; the votes are counted after each as the ledger
/// counts them in a run. A step that still gets no vote when nothing else can begin would get none
/// however long it waits.
package struct QuorumForecast {
  /// A step that could never get its vote.
  package struct Refusal {
    package let step: Step
    /// The arithmetic, with every voter counted that the plan brings back first.
    package let words: String
    fileprivate let remedy: String
  }

  /// In the order of the graph.
  ///
  /// What waits for one of these is not among them.
  package private(set) var refusals: [Refusal] = []

  private let steps: [Step]
  private var ledger: QuorumLedger
  private var dependents: [[Int]]
  /// How many steps each one still waits for.
  private var pendings: [Int]
  private var ready: [Int] = []
  /// Steps that could begin but for the vote.
  private var starving: [Int] = []

  /// Walks a graph from the votes that were seen.
  package init(_ graph: StepGraph, votes ledger: QuorumLedger) {
    steps = graph.steps
    self.ledger = ledger
    dependents = steps.map { _ in [] }
    pendings = steps.map { _ in 0 }
    guard steps.contains(where: { $0.spends != nil }) else { return }
    link()
    while let position = ready.popLast() { begin(position) }
    refusals = starving.sorted().compactMap { position in
      obstacle(position).map {
        Refusal(step: steps[position], words: $0, remedy: ledger.remedy)
      }
    }
  }

  private mutating func link() {
    var positions: [StepID: Int] = [:]
    positions.reserveCapacity(steps.count)
    for (position, step) in steps.enumerated() { positions[step.id] = position }
    for (position, step) in steps.enumerated() {
      for dependency in (step.after + step.follows).compactMap({ positions[$0] }) {
        dependents[dependency].append(position)
        pendings[position] += 1
      }
    }
    ready = steps.indices.filter { pendings[$0] == 0 }
  }

  private mutating func begin(_ position: Int) {
    guard obstacle(position) == nil else { return starving.append(position) }
    let step = steps[position]
    ledger.suppose(step)
    if step.brings != nil || step.spends == .membership {
      ready += starving
      starving = []
    }
    for dependent in dependents[position] {
      pendings[dependent] -= 1
      if pendings[dependent] == 0 { ready.append(dependent) }
    }
  }

  private func obstacle(_ position: Int) -> String? {
    QuorumLedger.Claim(steps[position]).flatMap(ledger.obstacle)
  }
}

extension QuorumForecast.Refusal {
  /// Why the resource that the step serves is refused.
  var diagnostic: Diagnostic {
    Diagnostic(
      summary, reason: words, remedy: remedy, at: .resource(step.id.address))
  }

  private var summary: String {
    switch step.spends {
    case .voter(let host): "restarting k3s on \(host) would stop the cluster"
    case .membership: "etcd's members could not be changed: \(step.title)"
    case nil: "this would stop the cluster: \(step.title)"
    }
  }
}
