package import HelixModel
package import HelixPlan

/// Walks a plan's step graph: begins every step whose waits are over, as many at once as allowed,
/// and says how each ended.
package struct Executor: Sendable {
  private let ports: RunPorts
  private let parallelism: Int
  private let confidential: [SecretName]
  private let events: any EventSink

  /// An executor of so many steps at once; `confidential` are secrets to keep out of messages beyond
  /// those of the plan.
  package init(
    ports: RunPorts, parallelism: Int, confidential: [SecretName] = [], events: any EventSink
  ) {
    self.ports = ports
    self.parallelism = max(1, parallelism)
    self.confidential = confidential
    self.events = events
  }

  /// Applies a plan; always returns, whatever fails.
  package func run(_ plan: Plan, stop: StopRequest = StopRequest()) async -> RunSummary {
    let start = ports.clock.now
    await events.report(
      .runStarted(
        .init(
          changes: Dictionary(
            plan.counts.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: +),
          steps: plan.graph.steps.count, parallelism: parallelism)))
    var walk = GraphWalk(plan.graph, quorum: plan.quorum)
    let votes = plan.quorum.map { VoteCount(ports: ports, quorum: $0) }
    var progress = Progress()
    let runner = StepRunner(
      ports: ports, learned: LearnedValues(),
      confidential: confidential.map { "\(secret: $0)" } + plan.graph.confidential,
      events: events)
    await withTaskGroup(of: Happening.self) { group in
      group.addTask {
        await stop.asked()
        return .askedToStop
      }
      group.addTask {
        await stop.askedTwice()
        return .mustStop
      }
      while await advance(&walk, runner, votes, &progress, stop, &group) {}
      group.cancelAll()
    }
    let summary = summary(of: walk, seconds: (ports.clock.now - start).seconds)
    await events.report(
      .runEnded(
        .init(verdict: summary.verdict, steps: summary.counts, seconds: summary.seconds)))
    return summary
  }
}

extension Executor {
  /// What the walk is woken by.
  private enum Happening: Sendable {
    case ended(Step, StepOutcome)
    /// What every server said of the votes.
    case counted([HostName: QuorumWord])
    /// Time for steps that wait for a vote to ask again.
    case timeToCount
    case askedToStop
    case mustStop
  }

  /// What is remembered from one turn to the next.
  private struct Progress {
    /// When the walk will be woken to count votes.
    var alarm: Duration?
    /// When each step began that has not ended.
    var starts: [StepID: Duration] = [:]

    /// How long a step took that ends now; none if it never began.
    mutating func seconds(of step: Step, until now: Duration) -> Double {
      starts.removeValue(forKey: step.id).map { (now - $0).seconds } ?? 0
    }
  }

  /// Begins what may begin, then takes in the next thing that happens.
  ///
  /// - Returns: whether anything is still under way.
  private func advance(
    _ walk: inout GraphWalk, _ runner: StepRunner, _ votes: VoteCount?,
    _ progress: inout Progress, _ stop: StopRequest, _ group: inout TaskGroup<Happening>
  ) async -> Bool {
    // Whoever asked to stop wants nothing more to begin; what failed is still undone.
    var mayBegin: Bool { !stop.isAsked && !Task.isCancelled }
    let turn = walk.begin(atMost: mayBegin ? parallelism : 0, now: ports.clock.now)
    await tellWaiting(turn.waiting)
    for (step, failure) in turn.undone { undo(step, failure, runner, &group) }
    for step in turn.begun { await begin(step, runner, &progress, &group) }
    if turn.countsVotes, let votes { group.addTask { .counted(await votes.words()) } }
    setAlarm(walk, &progress, &group)
    guard !walk.isOver, let happening = await group.next() else { return false }
    switch happening {
    case .ended(let step, let outcome): await end(step, outcome, &walk, &progress)
    case .counted(let words):
      let tally = walk.take(words, now: ports.clock.now, mayBegin: mayBegin)
      // What ended is told first: the step that begins may have waited for it.
      await tell(tally, &progress)
      if let (step, failure) = tally.undone { undo(step, failure, runner, &group) }
      if let step = tally.begun { await begin(step, runner, &progress, &group) }
    case .timeToCount: progress.alarm = nil
    case .askedToStop:
      guard walk.stop(.afterRunning) else { return true }
      // Each of them has a limit of its own; half a restart would be worse than a long wait.
      await events.report(.runStopping(.init(running: walk.running, atOnce: false)))
    case .mustStop:
      guard walk.stop(.atOnce) else { return true }
      await events.report(.runStopping(.init(running: walk.running, atOnce: true)))
      await tell(walk.leaveUndone(), &progress)
      group.cancelAll()
    }
    return true
  }

  private func begin(
    _ step: Step, _ runner: StepRunner, _ progress: inout Progress,
    _ group: inout TaskGroup<Happening>
  ) async {
    progress.starts[step.id] = ports.clock.now
    await events.report(
      .stepStarted(.init(step: step.id, title: step.title, host: step.host)))
    group.addTask { .ended(step, await runner.run(step)) }
  }

  private func undo(
    _ step: Step, _ failure: Diagnostic, _ runner: StepRunner,
    _ group: inout TaskGroup<Happening>
  ) {
    group.addTask { .ended(step, .failed(await runner.undo(step, after: failure))) }
  }

  /// Sees to it that the walk is woken when votes are to be counted again.
  private func setAlarm(
    _ walk: GraphWalk, _ progress: inout Progress, _ group: inout TaskGroup<Happening>
  ) {
    let now = ports.clock.now
    guard let next = walk.nextCount(after: now), progress.alarm.map({ next < $0 }) ?? true
    else { return }
    progress.alarm = next
    group.addTask {
      try? await ports.clock.sleep(for: next - now)
      return .timeToCount
    }
  }

  private func tellWaiting(_ waiting: [(step: Step, words: String)]) async {
    for (step, words) in waiting {
      await events.report(
        .stepWaiting(.init(step: step.id, title: step.title, host: step.host, words: words)))
    }
  }

  private func tell(_ tally: GraphWalk.Tally, _ progress: inout Progress) async {
    await tellWaiting(tally.waiting)
    for (step, diagnostic) in tally.failed {
      let seconds = progress.seconds(of: step, until: ports.clock.now)
      await events.report(
        .stepEnded(.init(step: step.id, outcome: .failed(diagnostic), seconds: seconds)))
    }
    await tell(skipped: tally.skipped)
  }

  private func tell(skipped: [(step: Step, blame: StepID)]) async {
    for (step, blame) in skipped {
      await events.report(
        .stepEnded(.init(step: step.id, outcome: .skipped(blame: blame), seconds: 0)))
    }
  }

  private func end(
    _ step: Step, _ outcome: StepOutcome, _ walk: inout GraphWalk, _ progress: inout Progress
  ) async {
    if let skipped = walk.end(step.id, outcome) {
      let seconds = progress.seconds(of: step, until: ports.clock.now)
      await events.report(.stepEnded(.init(step: step.id, outcome: outcome, seconds: seconds)))
      await tell(skipped: skipped)
    } else if walk.stopping == .atOnce {
      await tell(walk.leaveUndone(), &progress)
    }
  }

  private func summary(of walk: GraphWalk, seconds: Double) -> RunSummary {
    RunSummary(
      ends: walk.outcomes.map { step, outcome in
        RunSummary.End(step: step.id, title: step.title, host: step.host, outcome: outcome)
      },
      seconds: seconds)
  }
}

extension StepGraph {
  /// Every secret that it writes, as it is and in the forms in which it is written, each once.
  fileprivate var confidential: [TemplateText] {
    var seen: Set<TemplateText> = []
    return steps.flatMap { $0.instructions + $0.undo }.compactMap(\.content).flatMap(\.confidential)
      .filter { seen.insert($0).inserted }
  }
}

extension TemplateText {
  /// The parts that nobody may see, and the secrets in them.
  fileprivate var confidential: [TemplateText] {
    parts.filter { if case .literal = $0 { false } else { true } }.map { TemplateText(parts: [$0]) }
      + secrets.map { "\(secret: $0)" }
  }
}
