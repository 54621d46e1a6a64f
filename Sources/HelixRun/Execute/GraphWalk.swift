import HelixModel
import HelixPlan

/// Where a walk through a step graph stands: which steps may begin, which run, how the others ended.
///
/// It only decides; the executor does, and the simulation pretends to. Among steps that may begin, the
/// first in the plan goes first. A step that spends votes begins only on a count of them that was
/// made for it; without a guard there is nobody to ask, and such steps go one by one.
struct GraphWalk {
  /// How the walk comes to its early end.
  enum Stopping {
    case afterRunning, atOnce
  }

  enum State {
    case waiting
    case running
    case ended(StepOutcome)
  }

  let steps: [Step]
  private(set) var states: [State]
  private var positions: [StepID: Int] = [:]
  /// Steps that wait for one, and whether it must succeed for them.
  private var dependents: [[(position: Int, needsSuccess: Bool)]]
  /// How many steps each one still waits for.
  private var pendings: [Int]
  /// Positions of the steps that may begin, sorted.
  private var ready: [Int] = []
  private(set) var stopping: Stopping?
  private(set) var runningCount = 0
  private var votes: VoteKeeping

  init(_ graph: StepGraph, quorum: QuorumGuard? = nil) {
    steps = graph.steps
    votes = VoteKeeping(quorum)
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

  /// Nothing runs, and nothing will.
  var isOver: Bool {
    runningCount == 0 && (stopping != nil || (ready.isEmpty && !votes.isCounting))
  }

  /// When steps that wait for a vote are to be looked at again, if time alone brings that about.
  func nextCount(after now: Duration) -> Duration? {
    guard stopping == nil, votes.nextCount > now, ready.contains(where: spends) else { return nil }
    return votes.nextCount
  }

  /// What may be done now.
  struct Turn {
    /// Marked as running.
    var begun: [Step] = []
    /// Somebody must count the votes now and hand them to `take`.
    var countsVotes = false
    /// Steps that wait for a vote, and news of why.
    var waiting: [(step: Step, words: String)] = []
  }

  /// Begins what may begin with so many running at once.
  ///
  /// A count of votes takes a place while it is under way, so that the step it is made for can begin
  /// at once; between two counts a waiting step takes none.
  mutating func begin(atMost parallelism: Int, now: Duration = .zero) -> Turn {
    guard stopping == nil else { return Turn() }
    var turn = Turn()
    var left: [Int] = []
    var rest = ready[...]
    while runningCount + (votes.isCounting ? 1 : 0) < parallelism, let position = rest.popFirst() {
      guard let claim = QuorumLedger.Claim(steps[position]) else {
        run(position)
        turn.begun.append(steps[position])
        continue
      }
      switch votes.ask(for: claim, at: position, now: now) {
      case .goesAhead:
        votes.grant(claim, to: position)
        run(position)
        turn.begun.append(steps[position])
        continue
      case .counts: turn.countsVotes = true
      case .waits(let blame):
        let words = "until \"\(steps[blame].title)\" has ended"
        if votes.isNews(words, of: position) { turn.waiting.append((steps[position], words)) }
      case .waitsForCount: break
      }
      left.append(position)
    }
    ready = left + rest
    return turn
  }

  /// What a count of the votes leads to.
  struct Tally {
    /// Marked as running.
    var begun: Step?
    var waiting: [(step: Step, words: String)] = []
    /// Steps that have waited long enough, and those that are skipped for them.
    var failed: [(step: Step, diagnostic: Diagnostic)] = []
    var skipped: [(step: Step, blame: StepID)] = []
  }

  /// Takes in what the servers said; at most one step begins, since the next one needs a count of
  /// its own.
  mutating func take(_ words: [HostName: QuorumWord], now: Duration) -> Tally {
    votes.take(words, at: now)
    guard stopping == nil else {
      votes.pause(hasGranted: false, now: now)
      return Tally()
    }
    var tally = Tally()
    var left: [Int] = []
    var rest = ready[...]
    while tally.begun == nil, let position = rest.popFirst() {
      guard let claim = QuorumLedger.Claim(steps[position]) else {
        left.append(position)
        continue
      }
      switch votes.decide(claim, at: position, now: now, isIdle: runningCount == 0) {
      case .granted:
        votes.grant(claim, to: position)
        run(position)
        tally.begun = steps[position]
      case .waits(let words):
        left.append(position)
        if votes.isNews(words, of: position) { tally.waiting.append((steps[position], words)) }
      case .failed(let words, let patience):
        let diagnostic = noVote(for: steps[position], words, patience)
        states[position] = .ended(.failed(diagnostic))
        tally.failed.append((steps[position], diagnostic))
      }
    }
    ready = left + rest
    votes.pause(hasGranted: tally.begun != nil, now: now)
    for (step, _) in tally.failed {
      tally.skipped += positions[step.id].map { release(from: $0) } ?? []
    }
    return tally
  }

  private mutating func run(_ position: Int) {
    states[position] = .running
    runningCount += 1
    votes.startOver()
  }

  private func spends(_ position: Int) -> Bool { steps[position].spends != nil }

  /// Notes how a running step ended.
  ///
  /// - Returns: the steps that are skipped for it, each with the step to blame.
  mutating func end(_ id: StepID, _ outcome: StepOutcome) -> [(step: Step, blame: StepID)] {
    guard let position = positions[id], case .running = states[position] else { return [] }
    runningCount -= 1
    votes.startOver()
    votes.release(position, outcome)
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
    if spends(position) { votes.hurry() }
    var low = 0
    var high = ready.count
    while low < high {
      let middle = (low + high) / 2
      if ready[middle] < position { low = middle + 1 } else { high = middle }
    }
    ready.insert(position, at: low)
  }

  private func noVote(for step: Step, _ words: String, _ patience: Int?) -> Diagnostic {
    Diagnostic(
      "the step \"\(step.title)\" was not begun: etcd could spare no vote"
        + (patience.map { " within \($0) s" } ?? ""),
      reason: words, remedy: "bring the servers back that are not well, then run apply again",
      at: .resource(step.id.address))
  }
}
