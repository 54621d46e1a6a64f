import HelixModel
import HelixPlan

/// Where a walk through a step graph stands: which steps may begin, which run, how the others ended.
///
/// It only decides; the executor does, and the simulation pretends to. Among steps that may begin, the
/// first in the plan goes first. A step that spends votes begins only on a count of them that was
/// made for it; without a guard there is nobody to ask, and such steps go one by one. To undo a
/// failed step may stop the voter once more: it waits for a count of its own, since long may have
/// passed.
struct GraphWalk {
  /// How the walk comes to its early end.
  enum Stopping {
    case afterRunning, atOnce
  }

  enum State {
    case waiting
    case running
    /// It has failed, and waits for the vote that undoing it may cost.
    case toUndo(Diagnostic)
    /// It has failed so, and is being undone.
    case undoing(Diagnostic)
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
  /// Positions of failed steps that are still to be undone, in the order in which they failed.
  private var toUndo: [Int] = []
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
    steps.indices.filter { position in
      switch states[position] {
      case .running, .toUndo, .undoing: true
      case .waiting, .ended: false
      }
    }.map { steps[$0].id }
  }

  /// How every step ended; a step that did not begin says so.
  var outcomes: [(step: Step, outcome: StepOutcome)] {
    zip(steps, states).map { step, state in
      switch state {
      case .ended(let outcome): (step, outcome)
      case .toUndo(let diagnostic), .undoing(let diagnostic): (step, .failed(diagnostic))
      case .waiting, .running: (step, .notBegun)
      }
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
    guard votes.nextCount > now else { return nil }
    let isAwaited =
      toUndo.contains(where: spends) || stopping == nil && ready.contains(where: spends)
    return isAwaited ? votes.nextCount : nil
  }

  /// What may be done now.
  struct Turn {
    /// Marked as running.
    var begun: [Step] = []
    /// Failed steps to undo now, and why they failed.
    var undone: [(step: Step, failure: Diagnostic)] = []
    /// Somebody must count the votes now and hand them to `take`.
    var countsVotes = false
    /// Steps that wait for a vote, and news of why.
    var waiting: [(step: Step, words: String)] = []
  }

  /// Begins what may begin with so many running at once; none at all once somebody asked to stop.
  ///
  /// What has failed may be undone all the same. A count of votes takes a place while it is under
  /// way, so that the step it is made for can begin at once; between two counts a waiting step takes
  /// none.
  mutating func begin(atMost parallelism: Int, now: Duration = .zero) -> Turn {
    var turn = Turn()
    beginToUndo(&turn, now)
    guard stopping == nil else { return turn }
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
    /// To be undone now, and why it failed.
    var undone: (step: Step, failure: Diagnostic)?
    var waiting: [(step: Step, words: String)] = []
    /// Steps that have waited long enough, and those that are skipped for them.
    var failed: [(step: Step, diagnostic: Diagnostic)] = []
    var skipped: [(step: Step, blame: StepID)] = []
  }

  /// Takes in what the servers said; at most one step begins or is undone, since the next one needs a
  /// count of its own.
  mutating func take(
    _ words: [HostName: QuorumWord], now: Duration, mayBegin: Bool = true
  ) -> Tally {
    votes.take(words, at: now)
    var tally = Tally()
    undoByVotes(&tally, now)
    if stopping == nil, mayBegin, tally.undone == nil { beginByVotes(&tally, now) }
    votes.pause(hasGranted: tally.begun != nil || tally.undone != nil, now: now)
    return tally
  }

  private mutating func beginByVotes(_ tally: inout Tally, _ now: Duration) {
    var left: [Int] = []
    var refused: [Int] = []
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
        refused.append(position)
      }
    }
    ready = left + rest
    for position in refused { tally.skipped += release(from: position) }
  }

  private mutating func run(_ position: Int) {
    states[position] = .running
    runningCount += 1
    votes.startOver()
  }

  private func spends(_ position: Int) -> Bool { steps[position].spends != nil }

  /// Notes how a running step ended, or how undoing it did.
  ///
  /// - Returns: the steps that are skipped for it, each with the step to blame; nil when it has not
  ///   come to its end, since it is to be undone.
  mutating func end(_ id: StepID, _ outcome: StepOutcome) -> [(step: Step, blame: StepID)]? {
    guard let position = positions[id] else { return [] }
    switch (states[position], outcome) {
    case (.running, .failed(let failure)) where !steps[position].undo.isEmpty:
      states[position] = .toUndo(failure)
      toUndo.append(position)
      votes.startOver()
      votes.hurry()
      return nil
    case (.running, _), (.undoing, _): return settle(position, outcome)
    case (.waiting, _), (.toUndo, _), (.ended, _): return []
    }
  }

  private mutating func settle(
    _ position: Int, _ outcome: StepOutcome
  ) -> [(step: Step, blame: StepID)] {
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
      reason: words, remedy: votes.remedy,
      at: .resource(step.id.address))
  }
}

// MARK: - Undoing

extension GraphWalk {
  /// Begins to undo what costs no vote; for the rest the votes are to be counted.
  private mutating func beginToUndo(_ turn: inout Turn, _ now: Duration) {
    for position in toUndo {
      if let claim = QuorumLedger.Claim(steps[position]) {
        switch votes.ask(for: claim, at: position, now: now) {
        case .goesAhead: break
        case .counts:
          turn.countsVotes = true
          continue
        case .waits, .waitsForCount: continue
        }
      }
      if let begun = undo(position) { turn.undone.append(begun) }
    }
  }

  private mutating func undoByVotes(_ tally: inout Tally, _ now: Duration) {
    let isIdle = runningCount == toUndo.count
    for position in toUndo where tally.undone == nil {
      guard let claim = QuorumLedger.Claim(steps[position]) else { continue }
      switch votes.decide(claim, at: position, now: now, isIdle: isIdle) {
      case .granted: tally.undone = undo(position)
      case .waits(let words):
        guard votes.isNews(words, of: position) else { continue }
        tally.waiting.append((steps[position], "it failed, and is undone later: \(words)"))
      case .failed(let words, _):
        let remedy = votes.remedy
        leave(position, &tally) { failure, _ in
          failure.notUndone(forWantOfVotes: words, remedy: remedy)
        }
      }
    }
  }

  private mutating func undo(_ position: Int) -> (step: Step, failure: Diagnostic)? {
    guard case .toUndo(let failure) = states[position] else { return nil }
    toUndo.removeAll { $0 == position }
    states[position] = .undoing(failure)
    return (steps[position], failure)
  }

  /// Ends failed steps that are still to be undone: a run that must end at once leaves them so.
  mutating func leaveUndone() -> Tally {
    var tally = Tally()
    for position in toUndo {
      leave(position, &tally) { failure, step in
        failure.notUndone(step.undo, "it was not undone: the run was stopped", on: step.host)
      }
    }
    return tally
  }

  private mutating func leave(
    _ position: Int, _ tally: inout Tally, telling words: (Diagnostic, Step) -> Diagnostic
  ) {
    guard case .toUndo(let failure) = states[position] else { return }
    toUndo.removeAll { $0 == position }
    let diagnostic = words(failure, steps[position])
    tally.failed.append((steps[position], diagnostic))
    tally.skipped += settle(position, .failed(diagnostic))
  }
}
