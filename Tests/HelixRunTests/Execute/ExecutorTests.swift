import HelixModel
import HelixPlan
import Testing

@testable import HelixRun

private let fine: ScriptedShell.Answer = { _ in CommandOutput(status: 0) }
private let broken: ScriptedShell.Answer = { _ in
  CommandOutput(status: 7, output: "one\n", errors: "\u{1B}[31mno space left\u{1B}[0m\n")
}

@Suite("the executor walks the plan")
struct ExecutorTests {
  /// One step at a time, of which `a` takes ten minutes.
  private func slowRun(_ clock: ManualClock) -> TestRun {
    let slow: ScriptedShell.Answer = { _ in
      try await clock.sleep(for: .seconds(600))
      return CommandOutput(status: 0)
    }
    return TestRun(
      shells: [ScriptedShell("web-1", [("do-a;", slow)])], clock: clock, parallelism: 1)
  }

  @Test("a failed step stops only what waits for it, and the skipped name it")
  func failureAndSkip() async throws {
    let run = TestRun(shells: [ScriptedShell("web-1", [("do-b;", broken), ("do-", fine)])])
    let summary = try await run.apply([
      step("a"), step("b"), step("c", after: ["b"]), step("d", after: ["c"]),
      step("e", after: ["a"]), step("f", follows: ["d"]),
    ])
    let outcomes = Dictionary(uniqueKeysWithValues: summary.ends.map { ($0.step, $0.outcome) })
    #expect(outcomes[id("a")] == .done)
    #expect(outcomes[id("c")] == .skipped(blame: id("b")))
    #expect(outcomes[id("d")] == .skipped(blame: id("b")))
    #expect(outcomes[id("e")] == .done)
    #expect(outcomes[id("f")] == .done)
    #expect(summary.verdict == .partlyDone)
    #expect(summary.counts == ["done": 3, "failed": 1, "skipped": 2])
    #expect(
      summary.advice?.summary == "not everything was done; of 6 steps: 3 done, 1 failed, 2 skipped")
    #expect(run.log.endings.count == 6)
  }

  @Test("a failure says where, what ran, its last lines, why and what to do")
  func diagnostic() async throws {
    let run = TestRun(shells: [ScriptedShell("web-1", [("do-b;", broken)])])
    let summary = try await run.apply([step("b")])
    #expect(summary.verdict == .failed)
    #expect(
      failure(summary, "b")
        == Diagnostic(
          "the step \"do b\" failed with exit status 7",
          remedy: "mend what the last lines say, then run apply again",
          at: .host("web-1", address: "10.0.0.7"),
          evidence: .init(command: "run do-b;", status: 7, lastLines: ["one", "no space left"])))
  }

  @Test("an unreachable host fails its steps with the connection's own words")
  func unreachable() async throws {
    let run = TestRun(shells: [ScriptedShell("web-2")])
    let summary = try await run.apply([step("a")])
    #expect(failure(summary, "a")?.summary == "no host named \"web-1\"")
    #expect(failure(summary, "a")?.remedy == "did you mean \"web-2\"?")
  }

  @Test("a marker without a host needs nobody, and begins when all before it ended")
  func marker() async throws {
    let run = TestRun(shells: [ScriptedShell("web-1", [("do-a;", broken), ("do-b;", fine)])])
    var marker = step("marker", follows: ["a"], instructions: [])
    marker.host = nil
    let summary = try await run.apply([step("a"), marker, step("b", after: ["marker"])])
    #expect(summary.ends.map(\.outcome.word) == ["failed", "done", "done"])
  }

  @Test("no more steps than allowed run at once", arguments: [1, 4])
  func parallelism(most: Int) async throws {
    let gauge = Gauge()
    let shell = ScriptedShell(
      "web-1",
      [
        (
          "do-",
          { _ in
            await gauge.stay(); return .init(status: 0)
          }
        )
      ])
    let run = TestRun(shells: [shell], parallelism: most)
    let summary = try await run.apply((0..<30).map { step("\($0)") })
    #expect(summary.verdict == .done)
    #expect(gauge.most <= most)
    #expect(gauge.most > (most == 1 ? 0 : 1))
  }

  @Test("steps that spend the quorum run one by one, on any graph", arguments: 1...20)
  func quorum(seed: UInt64) async throws {
    var generator = SeededGenerator(seed: seed)
    let gauge = Gauge()
    let shell = ScriptedShell(
      "web-1",
      [
        (
          "do-q",
          { _ in
            await gauge.stay(); return .init(status: 0)
          }
        ), ("do-", fine),
      ])
    let run = TestRun(shells: [shell])
    let steps = (0..<25).map { number in
      let earlier = (0..<number).filter { _ in Int.random(in: 0..<8, using: &generator) == 0 }
      let isServer = { (number: Int) in number % 3 == 0 }
      let name = { (number: Int) in (isServer(number) ? "q" : "p") + String(number) }
      return step(
        name(number), follows: earlier.map(name), spends: isServer(number) ? .membership : nil)
    }
    let summary = try await run.apply(steps)
    #expect(summary.verdict == .done)
    #expect(gauge.most == 1)
  }

  @Test("a step that takes too long fails, by the run's clock")
  func timeout() async throws {
    let clock = ManualClock()
    let shell = ScriptedShell(
      "web-1",
      [
        (
          "do-slow;",
          { _ in
            try await Task.sleep(for: .seconds(600)); return .init(status: 0)
          }
        )
      ])
    let run = TestRun(shells: [shell], clock: clock)
    let applying = Task { try await run.apply([step("slow", timeout: 30)]) }
    await clock.hasSleepers(1)
    clock.advance(by: .seconds(51))
    let summary = try await applying.value
    #expect(failure(summary, "slow")?.summary == "the step \"do slow\" did not end within 30 s")
    #expect(shell.commands.first?.timeout == .seconds(30))
  }

  @Test("asked to stop, running steps end in peace and no other begins")
  func stop() async throws {
    let stop = StopRequest()
    let shell = ScriptedShell(
      "web-1",
      [
        (
          "do-a;",
          { _ in
            stop.ask(); await Gauge().stay(); return .init(status: 0)
          }
        )
      ])
    let run = TestRun(shells: [shell], parallelism: 1)
    let summary = try await run.apply([step("a"), step("b"), step("c", after: ["a"])], stop: stop)
    #expect(summary.ends.map(\.outcome) == [.done, .notBegun, .notBegun])
    #expect(summary.verdict == .interrupted)
    #expect(summary.advice?.remedy == "run apply again")
    #expect(run.log.begun == [id("a").description])
  }

  @Test("asked twice, running steps are interrupted")
  func stopAtOnce() async throws {
    let clock = ManualClock()
    let stop = StopRequest()
    let run = slowRun(clock)
    let applying = Task { try await run.apply([step("a"), step("b")], stop: stop) }
    await clock.hasSleepers(2)
    stop.ask()
    await eventually("told") {
      run.log.events.contains { if case .runStopping = $0 { true } else { false } }
    }
    stop.ask()
    #expect(try await applying.value.ends.map(\.outcome) == [.interrupted, .notBegun])
  }

  @Test("asked to stop, a step may take all the time that it has")
  func noGrace() async throws {
    let clock = ManualClock()
    let stop = StopRequest()
    let run = slowRun(clock)
    let applying = Task { try await run.apply([step("a", timeout: 900), step("b")], stop: stop) }
    await clock.hasSleepers(2)
    stop.ask()
    await eventually("told") {
      run.log.events.contains { if case .runStopping = $0 { true } else { false } }
    }
    clock.advance(by: .seconds(599))
    await clock.hasSleepers(2)
    clock.advance(by: .seconds(1))
    #expect(try await applying.value.ends.map(\.outcome) == [.done, .notBegun])
  }

  @Test("cancelling the task is like asking twice")
  func cancelled() async throws {
    let clock = ManualClock()
    let run = slowRun(clock)
    let applying = Task { try await run.apply([step("a"), step("b")]) }
    await clock.hasSleepers(2)
    applying.cancel()
    #expect(try await applying.value.ends.map(\.outcome) == [.interrupted, .notBegun])
  }

  @Test("events come in the order in which things happen")
  func eventOrder() async throws {
    let run = TestRun(shells: [ScriptedShell("web-1", [("do-", fine)])])
    _ = try await run.apply([step("a"), step("b", after: ["a"])])
    let words = run.log.events.map { event in
      switch event {
      case .runStarted: "run started"
      case .stepStarted(let started): "\(started.step.name) started"
      case .instructionStarted(let started): "\(started.step.name) \(started.words)"
      case .stepEnded(let ended): "\(ended.step.name) ended"
      case .runEnded: "run ended"
      default: "something else"
      }
    }
    #expect(
      words == [
        "run started", "a started", "a run do-a;", "a ended", "b started", "b run do-b;",
        "b ended", "run ended",
      ])
  }
}
