package import HelixModel
package import HelixPlan

/// Walks a plan's step graph: begins every step whose waits are over, as many at once as allowed,
/// and says how each ended.
package struct Executor: Sendable {
  private let ports: RunPorts
  private let parallelism: Int
  private let grace: Duration
  private let confidential: [SecretName]
  private let events: any EventSink

  /// An executor of so many steps at once; after somebody asked to stop, running steps may go on
  /// for `grace`, and `confidential` are secrets to keep out of messages beyond those of the plan.
  package init(
    ports: RunPorts, parallelism: Int, grace: Duration = .seconds(60),
    confidential: [SecretName] = [], events: any EventSink
  ) {
    self.ports = ports
    self.parallelism = max(1, parallelism)
    self.grace = grace
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
    var alarm: Duration?
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
      while await advance(&walk, runner, votes, &alarm, stop, &group) {}
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
    case ended(Step, StepOutcome, seconds: Double)
    /// What every server said of the votes.
    case counted([HostName: QuorumWord])
    /// Time for steps that wait for a vote to ask again.
    case timeToCount
    case askedToStop
    case mustStop
  }

  /// Begins what may begin, then takes in the next thing that happens.
  ///
  /// - Returns: whether anything is still under way.
  private func advance(
    _ walk: inout GraphWalk, _ runner: StepRunner, _ votes: VoteCount?,
    _ alarm: inout Duration?, _ stop: StopRequest, _ group: inout TaskGroup<Happening>
  ) async -> Bool {
    if !stop.isAsked, !Task.isCancelled {
      let turn = walk.begin(atMost: parallelism, now: ports.clock.now)
      await tellWaiting(turn.waiting)
      for step in turn.begun { await begin(step, runner, &group) }
      if turn.countsVotes, let votes { group.addTask { .counted(await votes.words()) } }
      setAlarm(walk, &alarm, &group)
    }
    guard !walk.isOver, let happening = await group.next() else { return false }
    switch happening {
    case .ended(let step, let outcome, let seconds):
      await end(step, outcome, seconds: seconds, &walk)
    case .counted(let words):
      // Whoever asked to stop meanwhile wants nothing more to begin.
      guard !stop.isAsked, !Task.isCancelled else { return true }
      let tally = walk.take(words, now: ports.clock.now)
      if let step = tally.begun { await begin(step, runner, &group) }
      await tell(tally)
    case .timeToCount: alarm = nil
    case .askedToStop:
      guard walk.stop(.afterRunning) else { return true }
      await events.report(.runStopping(.init(running: walk.running, atOnce: false)))
      group.addTask {
        try? await ports.clock.sleep(for: grace)
        return .mustStop
      }
    case .mustStop:
      guard walk.stop(.atOnce) else { return true }
      await events.report(.runStopping(.init(running: walk.running, atOnce: true)))
      group.cancelAll()
    }
    return true
  }

  private func begin(
    _ step: Step, _ runner: StepRunner, _ group: inout TaskGroup<Happening>
  ) async {
    await events.report(
      .stepStarted(.init(step: step.id, title: step.title, host: step.host)))
    group.addTask { await timed(step, runner) }
  }

  /// Sees to it that the walk is woken when votes are to be counted again.
  private func setAlarm(
    _ walk: GraphWalk, _ alarm: inout Duration?, _ group: inout TaskGroup<Happening>
  ) {
    let now = ports.clock.now
    guard let next = walk.nextCount(after: now), alarm.map({ next < $0 }) ?? true else { return }
    alarm = next
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

  private func tell(_ tally: GraphWalk.Tally) async {
    await tellWaiting(tally.waiting)
    for (step, diagnostic) in tally.failed {
      await events.report(
        .stepEnded(.init(step: step.id, outcome: .failed(diagnostic), seconds: 0)))
    }
    await tell(skipped: tally.skipped)
  }

  private func tell(skipped: [(step: Step, blame: StepID)]) async {
    for (step, blame) in skipped {
      await events.report(
        .stepEnded(.init(step: step.id, outcome: .skipped(blame: blame), seconds: 0)))
    }
  }

  private func timed(_ step: Step, _ runner: StepRunner) async -> Happening {
    let start = ports.clock.now
    let outcome = await runner.run(step)
    return .ended(step, outcome, seconds: (ports.clock.now - start).seconds)
  }

  private func end(
    _ step: Step, _ outcome: StepOutcome, seconds: Double, _ walk: inout GraphWalk
  ) async {
    await events.report(.stepEnded(.init(step: step.id, outcome: outcome, seconds: seconds)))
    await tell(skipped: walk.end(step.id, outcome))
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
