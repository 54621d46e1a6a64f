import HelixPlan

/// Where a walk through a step graph stands: which steps may begin, which run, how the others ended.
///
/// It only decides; the executor does. Among steps that may begin, the first in the plan goes first.
struct GraphWalk {
  /// How the walk comes to its early end.
  enum Stopping {
    case afterRunning, atOnce
  }

  private enum State {
    case waiting
    case running
    case ended(StepOutcome)
  }

  private let steps: [Step]
  private var states: [State]
  private var positions: [StepID: Int] = [:]
  /// Steps that wait for one, and whether it must succeed for them.
  private var dependents: [[(position: Int, needsSuccess: Bool)]]
  /// How many steps each one still waits for.
  private var pendings: [Int]
  /// Positions of the steps that may begin, sorted.
  private var ready: [Int] = []
  private var stopping: Stopping?
  private var isQuorumSpent = false
  private(set) var runningCount = 0

  init(_ graph: StepGraph) {
    steps = graph.steps
    states = steps.map { _ in .waiting }
    dependents = steps.map { _ in [] }
    pendings = steps.map { _ in 0 }
    for (position, step) in steps.enumerated() { positions[step.id] = position }
    for (position, step) in steps.enumerated() {
      add(step.after, to: position, needsSuccess: true)
      add(step.follows, to: position, needsSuccess: false)
    }
    ready = steps.indices.filter { pendings[$0] == 0 }
  }

  private mutating func add(_ waits: [StepID], to position: Int, needsSuccess: Bool) {
    for dependency in waits.compactMap({ positions[$0] }) {
      dependents[dependency].append((position, needsSuccess))
      pendings[position] += 1
    }
  }
}

extension GraphWalk {
  /// Steps under way, in the order of the plan.
  var running: [StepID] {
    steps.indices.filter { if case .running = states[$0] { true } else { false } }
      .map { steps[$0].id }
  }

  /// How every step ended; a step that did not begin says so.
  var outcomes: [(step: Step, outcome: StepOutcome)] {
    zip(steps, states).map { step, state in
      if case .ended(let outcome) = state { (step, outcome) } else { (step, .notBegun) }
    }
  }

  /// From now on no step begins.
  ///
  /// - Returns: whether that is news.
  mutating func stop(_ how: Stopping) -> Bool {
    guard stopping == nil || (stopping == .afterRunning && how == .atOnce) else { return false }
    stopping = how
    return true
  }

  /// Marks as running, and returns, the steps that may begin now with so many running at once.
  mutating func begin(atMost parallelism: Int) -> [Step] {
    guard stopping == nil else { return [] }
    var begun: [Step] = []
    var left: [Int] = []
    var rest = ready[...]
    while runningCount < parallelism, let position = rest.popFirst() {
      if steps[position].spends != nil, isQuorumSpent {
        left.append(position)
        continue
      }
      if steps[position].spends != nil { isQuorumSpent = true }
      states[position] = .running
      runningCount += 1
      begun.append(steps[position])
    }
    ready = left + rest
    return begun
  }

  /// Notes how a running step ended.
  ///
  /// - Returns: the steps that are skipped for it, each with the step to blame.
  mutating func end(_ id: StepID, _ outcome: StepOutcome) -> [(step: Step, blame: StepID)] {
    guard let position = positions[id], case .running = states[position] else { return [] }
    runningCount -= 1
    if steps[position].spends != nil { isQuorumSpent = false }
    states[position] = .ended(outcome)
    // Only a run that is being stopped interrupts its steps.
    if outcome == .interrupted { stopping = stopping ?? .atOnce }
    return release(from: position)
  }

  /// Tells the dependents of an ended step, and those of the steps that are skipped for it.
  private mutating func release(from start: Int) -> [(step: Step, blame: StepID)] {
    var skipped: [(step: Step, blame: StepID)] = []
    var queue = [start]
    while let position = queue.popLast() {
      for (dependent, needsSuccess) in dependents[position] {
        pendings[dependent] -= 1
        guard case .waiting = states[dependent] else { continue }
        if needsSuccess, let blame = blame(for: position) {
          states[dependent] = .ended(.skipped(blame: blame))
          skipped.append((steps[dependent], blame))
          queue.append(dependent)
        } else if pendings[dependent] == 0 {
          insertReady(dependent)
        }
      }
    }
    return skipped
  }

  /// The step where the trouble began, if what ended there is trouble for those that need it.
  ///
  /// Those behind an interrupted step are not skipped: the run is ending, and they just never begin.
  private func blame(for position: Int) -> StepID? {
    guard case .ended(let outcome) = states[position] else { return nil }
    switch outcome {
    case .failed: return steps[position].id
    case .skipped(let blame): return blame
    case .done, .interrupted, .notBegun: return nil
    }
  }

  private mutating func insertReady(_ position: Int) {
    var low = 0
    var high = ready.count
    while low < high {
      let middle = (low + high) / 2
      if ready[middle] < position { low = middle + 1 } else { high = middle }
    }
    ready.insert(position, at: low)
  }
}
