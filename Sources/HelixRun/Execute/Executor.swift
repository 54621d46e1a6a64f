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
    var walk = GraphWalk(plan.graph)
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
      while await advance(&walk, runner, stop, &group) {}
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
    case askedToStop
    case mustStop
  }

  /// Begins what may begin, then takes in the next thing that happens.
  ///
  /// - Returns: whether anything is still under way.
  private func advance(
    _ walk: inout GraphWalk, _ runner: StepRunner, _ stop: StopRequest,
    _ group: inout TaskGroup<Happening>
  ) async -> Bool {
    let mayBegin = !stop.isAsked && !Task.isCancelled
    for step in mayBegin ? walk.begin(atMost: parallelism) : [] {
      await events.report(
        .stepStarted(.init(step: step.id, title: step.title, host: step.host)))
      group.addTask { await timed(step, runner) }
    }
    guard walk.runningCount > 0, let happening = await group.next() else { return false }
    switch happening {
    case .ended(let step, let outcome, let seconds):
      await end(step, outcome, seconds: seconds, &walk)
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

  private func timed(_ step: Step, _ runner: StepRunner) async -> Happening {
    let start = ports.clock.now
    let outcome = await runner.run(step)
    return .ended(step, outcome, seconds: (ports.clock.now - start).seconds)
  }

  private func end(
    _ step: Step, _ outcome: StepOutcome, seconds: Double, _ walk: inout GraphWalk
  ) async {
    await events.report(.stepEnded(.init(step: step.id, outcome: outcome, seconds: seconds)))
    for (skipped, blame) in walk.end(step.id, outcome) {
      await events.report(
        .stepEnded(.init(step: skipped.id, outcome: .skipped(blame: blame), seconds: 0)))
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
    return steps.flatMap(\.instructions).compactMap(\.content).flatMap(\.confidential)
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
