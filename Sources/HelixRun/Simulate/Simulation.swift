import HelixModel
package import HelixPlan

/// A run in virtual time: the walk and the arithmetic of a real run, and hosts that only pretend.
///
/// Everything comes from the seed, so that a story can be told again. What is checked all along:
/// etcd keeps its majority as far as it is in our hands, the run ends, no step is done twice, and
/// none begins before its time.
package struct Simulation {
  /// A moment worth telling.
  package struct Line: Hashable, Sendable {
    package let milliseconds: Int
    package let text: String
  }

  /// How a run went.
  package struct Result: Sendable {
    package let ends: [(step: Step, outcome: StepOutcome)]
    package let milliseconds: Int
    /// The fewest voters that were ever up, and of how many; nil where there are none.
    package let fewestVoters: (up: Int, of: Int)?
    /// What must never be; empty when all is well.
    package let violations: [String]
    /// Empty unless the story was asked for.
    package let story: [Line]
  }

  let setup: SimulationSetup
  let parallelism: Int
  var random: SplitMix64
  var walk: GraphWalk
  var cluster: SimulatedCluster
  var queue = SimulatedTime()
  var now = 0
  /// What goes wrong with a step, by its place in the graph.
  var fates: [Int: SimulatedFault.Kind] = [:]
  /// What happens elsewhere while a step runs.
  var companions: [Int: [SimulatedFault]] = [:]
  var lostHosts: Set<HostName> = []
  /// Running steps and the number of the event that will end each.
  var running: [Int: Int] = [:]
  /// How those steps failed that are to be undone, or are being so.
  var failures: [Int: SimulatedTime.End] = [:]
  var states: [SimulationChecks.State]
  var checks = SimulationChecks()
  var isStopping = false
  private var alarm = -1
  /// Shared on purpose: telling changes nothing of what is told about.
  private let story: Story?

  /// A run of a setup in which the given faults happen, or random ones when there are none given.
  package init(
    _ setup: SimulationSetup, parallelism: Int, seed: UInt64, faults: [SimulatedFault]? = nil,
    isTelling: Bool = false
  ) {
    self.setup = setup
    self.parallelism = max(1, parallelism)
    story = isTelling ? Story() : nil
    random = SplitMix64(seed: seed)
    walk = GraphWalk(setup.graph, quorum: setup.quorum)
    cluster = SimulatedCluster(setup)
    states = setup.graph.steps.map { _ in .waiting }
    if let faults { place(faults) } else { placeRandomFaults() }
  }

  /// Plays it to its end.
  package mutating func run() -> Result {
    while checks.violations.isEmpty {
      beginSteps()
      if walk.isOver { break }
      guard let (time, happening) = queue.next(), queue.count < SimulationChecks.mostEvents else {
        checks.violate("the run does not end: nothing happens any more")
        break
      }
      now = time
      take(happening)
    }
    // What steps have left behind on hosts goes on after the run.
    while checks.violations.isEmpty, let (time, happening) = queue.next() {
      now = time
      if case .host(let event) = happening { take(event) }
    }
    checkEnds()
    return Result(
      ends: walk.outcomes, milliseconds: now, fewestVoters: cluster.fewest,
      violations: checks.violations, story: story?.lines ?? [])
  }

  func tell(_ text: @autoclosure () -> String) {
    if let story { story.lines.append(Line(milliseconds: now, text: text())) }
  }

  private final class Story { var lines: [Line] = [] }
}

// MARK: - The walk

extension Simulation {
  private var time: Duration { .milliseconds(now) }

  private mutating func beginSteps() {
    let turn = walk.begin(atMost: parallelism, now: time)
    for (step, words) in turn.waiting { tell("\(step.title) waits: \(words)") }
    for (step, _) in turn.undone { undo(step, countedAt: now) }
    for step in turn.begun { begin(step, countedAt: now) }
    if turn.countsVotes { beginCount() }
    guard let next = walk.nextCount(after: time) else { return }
    let wake = Int(next.inMilliseconds)
    guard alarm <= now || wake < alarm else { return }
    alarm = wake
    queue.add(.wake, at: wake)
  }

  /// The servers say what is so now; it is heard a little later.
  private mutating func beginCount() {
    let delay = random.number(100...(cluster.hasSilent ? 10_000 : 3000))
    queue.add(.counted(cluster.words(at: now), since: now), at: now + delay)
  }

  private mutating func take(_ happening: SimulatedTime.Happening) {
    switch happening {
    case .wake: break
    case .counted(let words, let since): take(words, since)
    case .ends(let position, let number, let end):
      if running[position] == number { self.end(position, end) }
    case .host(let event): take(event)
    case .fault(let fault): strike(fault)
    case .mustStop:
      guard walk.stop(.atOnce) else { return }
      tell("the operator asks again: running steps are ended")
      take(walk.leaveUndone())
      for position in running.keys.sorted() { end(position, failures[position] ?? .interrupted) }
    }
  }

  private mutating func take(_ words: [HostName: QuorumWord], _ since: Int) {
    let tally = walk.take(words, now: time)
    take(tally)
    if let (step, _) = tally.undone { undo(step, countedAt: since) }
    if let step = tally.begun { begin(step, countedAt: since) }
  }

  private mutating func take(_ tally: GraphWalk.Tally) {
    for (step, words) in tally.waiting { tell("\(step.title) waits: \(words)") }
    for (step, diagnostic) in tally.failed {
      tell("\(step.title) is given up: \(diagnostic.reason ?? diagnostic.summary)")
      note(step.id, .failed)
    }
    skip(tally.skipped)
  }

  private mutating func begin(_ step: Step, countedAt moment: Int) {
    guard let position = setup.positions[step.id] else { return }
    tell("\(step.title) begins")
    checkBegin(position, countedAt: moment)
    states[position] = .running
    play(position)
    for fault in companions.removeValue(forKey: position) ?? [] {
      queue.add(.fault(fault), at: now + random.number(0...5000))
    }
  }

  private mutating func undo(_ step: Step, countedAt moment: Int) {
    guard let position = setup.positions[step.id] else { return }
    tell("\(step.title) is undone")
    checkUndo(position, countedAt: moment)
    playUndo(position)
  }

  private mutating func end(_ position: Int, _ end: SimulatedTime.End) {
    running[position] = nil
    let step = setup.graph.steps[position]
    let outcome: StepOutcome
    switch end {
    case .done:
      outcome = .done
      tell("\(step.title) is done")
    case .failed:
      outcome = .failed(
        Diagnostic("it failed", evidence: .init(command: "", status: 1, lastLines: [])))
      tell("\(step.title) fails")
    case .adrift:
      outcome = .failed(Diagnostic("nobody saw how it ended"))
      tell("\(step.title) fails: nobody saw how it ended")
    case .interrupted:
      outcome = .interrupted
      tell("\(step.title) is interrupted")
    }
    guard let skipped = walk.end(step.id, outcome) else {
      failures[position] = end
      return
    }
    note(step.id, end == .done ? .done : end == .interrupted ? .interrupted : .failed)
    skip(skipped)
  }

  private mutating func skip(_ skipped: [(step: Step, blame: StepID)]) {
    for (step, blame) in skipped {
      tell("\(step.title) is skipped, since \(blame) failed")
      note(step.id, .skipped)
      checkBlame(step.id, blame)
    }
  }

  private mutating func note(_ id: StepID, _ state: SimulationChecks.State) {
    guard let position = setup.positions[id] else { return }
    states[position] = state
    failures[position] = nil
  }
}
