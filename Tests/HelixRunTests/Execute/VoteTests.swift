import HelixModel
import HelixPlan
import Synchronization
import Testing

@testable import HelixRun

private let fine: ScriptedShell.Answer = { _ in CommandOutput(status: 0) }

@Suite("steps wait for a vote")
struct VoteTests {
  /// Servers that all say the same of a cluster in which some voters are down.
  private func servers(
    _ count: Int, down: @escaping @Sendable () -> Set<Int> = { [] },
    _ rules: [(String, ScriptedShell.Answer)] = []
  ) -> [ScriptedShell] {
    (1...count).map { number in
      let word: ScriptedShell.Answer = { _ in
        let down = down()
        let voters = (1...count).map { "voter m\($0) \(down.contains($0) ? "Unknown" : "True")" }
        let own = down.contains(number) ? ["etcd unhealthy"] : ["etcd healthy", "ready", "voters"]
        let lines = own + (down.contains(number) ? [] : voters) + ["whole"]
        return CommandOutput(status: 0, output: lines.joined(separator: "\n") + "\n")
      }
      return ScriptedShell(
        HostName("m\(number)"), [("count-votes", word)] + rules + [("do-", fine)])
    }
  }

  private func quorum(_ count: Int, patience: Int = 60) -> QuorumGuard {
    QuorumGuard(
      seats: (1...count).map { .init(host: HostName("m\($0)"), node: "m\($0)") },
      script: "count-votes", patience: patience)
  }

  private func restart(_ number: Int) -> Step {
    let host = HostName("m\(number)")
    return Step(
      id("m\(number)"), title: "restart m\(number)", host: host,
      instructions: [.run(script: "do-m\(number);")], spends: .voter(host))
  }

  private func apply(
    _ run: TestRun, _ steps: [Step], _ quorum: QuorumGuard, stop: StopRequest = StopRequest()
  ) async throws -> RunSummary {
    let plan = Plan(changes: [], graph: try StepGraph(steps), quorum: quorum)
    return await Executor(ports: run.ports, parallelism: run.parallelism, events: run.log)
      .run(plan, stop: stop)
  }

  private func waits(_ run: TestRun) -> [String] {
    run.log.events.compactMap { event in
      guard case .stepWaiting(let waiting) = event else { return nil }
      return "\(waiting.step.name): \(waiting.words)"
    }
  }

  @Test("five servers let two go at once and never three", .timeLimit(.minutes(5)))
  func twoOfFive() async throws {
    let gauge = Gauge()
    let meeting = Meeting(of: 2)
    let first: ScriptedShell.Answer = { _ in
      await meeting.join()
      await gauge.stay()
      return CommandOutput(status: 0)
    }
    let staying: ScriptedShell.Answer = { _ in
      await gauge.stay()
      return CommandOutput(status: 0)
    }
    let shells = servers(5, [("do-m1;", first), ("do-m2;", first), ("do-", staying)])
    let run = TestRun(shells: shells, clock: PausingClock())
    let summary = try await apply(run, (1...5).map(restart), quorum(5))
    #expect(summary.verdict == .done)
    #expect(gauge.most <= 2)
    #expect(waits(run).contains("m3: until \"restart m1\" has ended"))
  }

  @Test("a step waits with the arithmetic until a server is back, and others go on meanwhile")
  func waitsUntilBack() async throws {
    let asked = Atomic(0)
    let shells = servers(
      3, down: { asked.add(1, ordering: .relaxed).newValue > 6 ? [] : [2] },
      [("do-other;", fine)])
    let run = TestRun(shells: shells, clock: PausingClock(), parallelism: 1)
    let other = Step(
      id("other"), title: "other", host: "m3", instructions: [.run(script: "do-other;")])
    let summary = try await apply(run, [restart(1), other], quorum(3))
    #expect(summary.verdict == .done)
    #expect(run.log.begun == [id("other"), id("m1")].map(\.description))
    #expect(
      waits(run).first
        == "m1: of 3 voters 2 are well, not m2; without m1 1 would be left, and a majority is 2")
  }

  @Test("a step that waited long enough fails with the arithmetic, and what needs it is skipped")
  func patience() async throws {
    let run = TestRun(shells: servers(3, down: { [2] }), clock: PausingClock())
    var next = step("next", after: ["m1"])
    next.host = "m3"
    let summary = try await apply(run, [restart(1), next], quorum(3, patience: 20))
    let told = failure(summary, "m1")
    #expect(
      told?.summary == "the step \"restart m1\" was not begun: etcd could spare no vote within 20 s"
    )
    #expect(told?.reason?.contains("a majority is 2") == true)
    #expect(summary.ends.map(\.outcome.word) == ["failed", "skipped"])
    #expect(run.log.begun.isEmpty)
  }

  @Test("asked to stop, a step that waits for a vote is not begun, and the run ends at once")
  func stop() async throws {
    let clock = ManualClock()
    let stop = StopRequest()
    let run = TestRun(shells: servers(3, down: { [2] }), clock: clock)
    let applying = Task { try await apply(run, [restart(1)], quorum(3), stop: stop) }
    await eventually("waiting") { !waits(run).isEmpty }
    stop.ask()
    #expect(try await applying.value.ends.map(\.outcome) == [.notBegun])
  }

  @Test("a server that cannot be asked counts as one that is not well")
  func silentServer() async throws {
    let run = TestRun(shells: Array(servers(3).prefix(2)), clock: PausingClock())
    let summary = try await apply(run, [restart(1)], quorum(3, patience: 10))
    #expect(failure(summary, "m1")?.reason?.contains("not m3") == true)
  }

  /// A restart that fails on the first of three servers while the third goes down, for so many looks,
  /// and that another restart undoes.
  private struct FailingRestart {
    let run: TestRun
    let step: Step
    let shell: ScriptedShell

    /// What the first server was told to do.
    var commands: [String] {
      shell.commands.map(\.wholeText).filter { !$0.contains("count-votes") }
    }
  }

  private func failing(for looks: Int, clock: any RunClock = PausingClock()) -> FailingRestart {
    let hasFailed = Atomic(false)
    let looked = Atomic(0)
    let fails: ScriptedShell.Answer = { _ in
      hasFailed.store(true, ordering: .relaxed)
      return CommandOutput(status: 7)
    }
    let shells = servers(
      3,
      down: {
        guard hasFailed.load(ordering: .relaxed) else { return [] }
        return looked.add(1, ordering: .relaxed).newValue > looks ? [] : [3]
      }, [("undo-m1;", fine), ("do-m1;", fails)])
    var step = restart(1)
    step.undo = [.run(script: "undo-m1;")]
    return FailingRestart(
      run: TestRun(shells: shells, clock: clock), step: step, shell: shells[0])
  }

  @Test("a failed restart is undone by another one only when a majority is there without it")
  func undoWaits() async throws {
    let failing = failing(for: 9)
    let summary = try await apply(failing.run, [failing.step], quorum(3))
    #expect(failure(summary, "m1")?.reason == "what the step had done was undone")
    #expect(failing.commands.count == 2)
    #expect(
      waits(failing.run) == [
        "m1: it failed, and is undone later: of 3 voters 2 are well, not m3; without m1 1 would be"
          + " left, and a majority is 2"
      ])
  }

  @Test("where no vote can be spared to undo it, the server stays as it is, and that is told")
  func undoneNever() async throws {
    let failing = failing(for: .max)
    let summary = try await apply(failing.run, [failing.step], quorum(3, patience: 20))
    let told = failure(summary, "m1")
    let why = "it was not undone, since etcd could spare no vote: of 3 voters"
    #expect(told?.reason?.hasPrefix(why) == true)
    #expect(told?.remedy == "bring the servers back that are not well, then run apply again")
    #expect(failing.commands.count == 1)
  }

  @Test(
    "asked to stop twice, or cancelled, a run leaves what waits to be undone, and says so",
    arguments: [true, false])
  func stoppedBeforeUndo(isAsked: Bool) async throws {
    let failing = failing(for: .max, clock: ManualClock())
    let stop = StopRequest()
    let applying = Task { try await apply(failing.run, [failing.step], quorum(3), stop: stop) }
    await eventually("waiting to be undone") { !waits(failing.run).isEmpty }
    if isAsked {
      stop.ask()
      stop.ask()
    } else {
      applying.cancel()
    }
    let told = failure(try await applying.value, "m1")
    #expect(told?.reason == "it was not undone: the run was stopped")
    #expect(failing.commands.count == 1)
  }
}
