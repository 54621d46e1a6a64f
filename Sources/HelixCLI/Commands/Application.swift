import ArgumentParser
import Foundation
import HelixModel
import HelixPlan
import HelixRun

/// What every command understands that applies a plan.
struct ApplyOptions: ParsableArguments {
  @OptionGroup(title: "What") var project: ProjectOptions
  @OptionGroup(title: "Hosts") var connection: ConnectionOptions
  @OptionGroup var parallelism: ParallelismOptions
  @OptionGroup var secrets: SecretsOptions
  @OptionGroup var common: CommonOptions

  @Flag(help: "Do not ask before applying.")
  var autoApprove = false

  @Flag(help: "Print every event as a line of JSON; `helix-infra schema events` describes them.")
  var json = false
}

/// One run that plans, shows, asks and applies.
struct Application {
  /// A saved plan, playbooks, or a native role by its name.
  let plans: [String]
  let options: ApplyOptions

  func run() async throws {
    let console = Console(options.common)
    try await console.guarding {
      do {
        try await RunLock.held { try await apply(console) }
      } catch let taken as RunLock.Taken {
        throw Failure(.locked, [taken.diagnostic])
      }
    }
  }

  private func apply(_ console: Console) async throws {
    let saved = try savedPlan()
    if saved != nil { try refuseIdleOptions() }
    let project = try Project.load(saved?.request ?? options.project.request(playbooks: plans))
    let progress = Progress(console)
    let session = try await Session(
      project, options.connection, options.secrets, events: progress)
    if let saved { try refuseChangedSources(of: saved, now: project.sources) }
    let giveUp = StopRequest()
    let signals = StopSignals(giveUp)
    defer { signals.end() }
    let run = RunIdentity.here(command)
    let lock = session.clusterLock(for: run)
    let held = try await unlessStopped(giveUp) { try await taking(lock, console) }
    let deciding = StopRequest()
    signals.turn(to: deciding)
    do {
      // Between two who are told, nobody was.
      if giveUp.isAsked { throw ExitStatus.interrupted.exit }
      let plan = try await unlessStopped(deciding) {
        try await approved(session, saved, console)
      }
      if deciding.isAsked { throw ExitStatus.interrupted.exit }
      if !plan.pending.isEmpty {
        try await carryOut(plan, session, run, held, progress, signals, console)
      }
      await held?.giveBack()
      await session.close()
      guard plan.heldBack.isEmpty else { throw ExitStatus.partlyApplied.exit }
    } catch {
      await held?.giveBack()
      throw error
    }
  }

  /// What the operator gave.
  private var command: String { plans.contains(where: Project.isRole) ? "bootstrap" : "apply" }

  /// Takes the lock of the cluster, if the project is about one.
  private func taking(_ lock: ClusterLock?, _ console: Console) async throws -> HeldLock? {
    do {
      let held = try await lock?.take()
      for holder in held?.overtaken ?? [] {
        console.note("took over the lock of \(holder.words), whose process is gone\n")
      }
      return held
    } catch let refusal as ClusterLock.Refusal {
      switch refusal {
      case .taken(let diagnostic): throw Failure(.locked, [diagnostic])
      case .outOfReach(let diagnostics): throw Failure(.refused, diagnostics)
      }
    }
  }

  /// The plan that is to be carried out, shown and approved.
  private func approved(
    _ session: Session, _ saved: SavedPlan?, _ console: Console
  ) async throws -> Plan {
    let present = try await session.plan()
    if let saved { try refuseMovedFacts(of: saved, now: present) }
    let plan = saved?.plan ?? present
    console.report(plan.warnings)
    show(plan, of: session.project, on: console)
    try refuseUnsafe(plan)
    if let saved { try refuseOtherWork(of: saved, now: present) }
    if !plan.pending.isEmpty, !options.autoApprove {
      try await console.awaitApproval(
        of: "Apply this plan?", otherwise: "apply a saved plan with --auto-approve")
    }
    return plan
  }

  /// The saved plan that was named, if one was.
  private func savedPlan() throws -> SavedPlan? {
    guard let first = plans.first, plans.count == 1, !ProjectOptions.isPlaybook(first),
      !Project.isRole(first)
    else {
      return nil
    }
    return try SavedPlan.read(path: first)
  }

  /// A saved plan says itself what it is about.
  private func refuseIdleOptions() throws {
    guard options.project.request(playbooks: []) == ProjectOptions.standardRequest else {
      throw Failure(
        .invalidInput,
        [
          Diagnostic(
            "a saved plan takes none of --inventory, --limit, --target, --tags, --skip-tags and -e",
            reason: "it is applied exactly, with the options it was made with",
            remedy: "leave them out, or plan again with them")
        ])
    }
  }

  private func refuseUnsafe(_ plan: Plan) throws {
    guard plan.refusals.isEmpty else { throw Failure(.refused, plan.refusals) }
  }

  /// What no fact's summary tells: another secret's value, a clone among the other hosts.
  private func refuseOtherWork(of saved: SavedPlan, now plan: Plan) throws {
    try refuseUnsafe(plan)
    let addresses = saved.changesMadeOtherwise(now: plan)
    guard addresses.isEmpty else {
      throw Failure(
        .refused,
        addresses.map { address in
          Diagnostic(
            "\(address) would be changed in another way now than the plan says",
            reason: "something it was worked out from has moved since the plan was made",
            remedy: "plan again, read it, and apply the new plan", at: .resource(address))
        })
    }
  }

  private func refuseChangedSources(of saved: SavedPlan, now: [String: String]) throws {
    let changed = saved.changedSources(now: now)
    guard changed.isEmpty else {
      throw Failure(
        .refused,
        changed.map { path in
          Diagnostic(
            "\(path) has changed since the plan was made",
            reason: "the plan was worked out from what it said then",
            remedy: "plan again, read it, and apply the new plan")
        })
    }
  }

  private func refuseMovedFacts(of saved: SavedPlan, now plan: Plan) throws {
    let moved = saved.movedFacts(now: plan)
    guard moved.isEmpty else { throw Failure(.refused, moved.map(\.diagnostic)) }
  }

  private func show(_ plan: Plan, of project: Project, on console: Console) {
    let text = PlanText(style: options.json ? console.errors : console.output)
      .render(plan, declared: project.declared, hostCount: project.hosts.count)
    // With --json, stdout belongs to the events.
    if options.json { console.note(text) } else { console.answer(text) }
  }

  private func carryOut(
    _ plan: Plan, _ session: Session, _ run: RunIdentity, _ held: HeldLock?,
    _ progress: Progress, _ signals: StopSignals, _ console: Console
  ) async throws {
    // While somebody thought about it, another run may have come.
    if let loss = await held?.loss { throw Failure(.locked, [loss]) }
    let record = try RunRecord()
    var sinks: [any EventSink] = [record]
    if options.json { sinks.append(EventLines(console)) } else { sinks.append(progress) }
    let stop = StopRequest()
    signals.turn(to: stop)
    await held?.whenLost { stop.ask() }
    let summary = await session.apply(
      plan, as: run, fence: held?.fence, parallelism: options.parallelism.parallelism, stop: stop,
      events: EventFan(sinks))
    await progress.finish()
    await held?.lookAgain(after: summary.failures.map(\.diagnostic))
    // Whoever waits for the lock need not wait for our last words.
    await held?.giveBack()
    try await conclude(summary, lost: held?.loss, record, console)
  }

  private func conclude(
    _ summary: RunSummary, lost: Diagnostic?, _ record: RunRecord, _ console: Console
  ) async throws {
    console.report(summary.failures.map(\.diagnostic))
    if let failure = await record.failure { console.report([failure]) }
    console.note(RunText(style: console.errors).summary(summary, record: record.path))
    if let advice = summary.advice { console.report([advice]) }
    if let lost, summary.verdict != .done { throw Failure(.locked, [lost]) }
    switch summary.verdict {
    case .done: return
    case .failed: throw ExitStatus.failed.exit
    case .partlyDone: throw ExitStatus.partlyApplied.exit
    case .interrupted: throw ExitStatus.interrupted.exit
    }
  }
}
