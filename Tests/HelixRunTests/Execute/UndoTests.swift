import HelixModel
import HelixPlan
import Testing

@testable import HelixRun

private let fine: ScriptedShell.Answer = { _ in CommandOutput(status: 0) }
private let broken: ScriptedShell.Answer = { _ in CommandOutput(status: 7, errors: "no\n") }

@Suite("a failed step is undone")
struct UndoTests {
  private func undoable(_ scripts: String...) -> Step {
    var step = step("a")
    step.undo = scripts.map { .run(script: $0) }
    return step
  }

  @Test("its undo runs in order, is told, and the step stays failed")
  func undone() async throws {
    let shell = ScriptedShell("web-1", [("do-a;", broken), ("undo-", fine)])
    let run = TestRun(shells: [shell])
    let summary = try await run.apply([undoable("undo-1;", "undo-2;")])
    #expect(summary.ends.map(\.outcome.word) == ["failed"])
    #expect(failure(summary, "a")?.reason == "what the step had done was undone")
    #expect(failure(summary, "a")?.evidence?.status == 7)
    #expect(run.log.notes == ["undo: run undo-1;", "undo: run undo-2;"])
    #expect(shell.commands.count == 3)
  }

  @Test("an undo that fails too says what is left to be done by hand")
  func notUndone() async throws {
    let shell = ScriptedShell(
      "web-1", [("do-a;", broken), ("undo-2;", broken), ("undo-", fine)])
    let run = TestRun(shells: [shell])
    let told = failure(try await run.apply([undoable("undo-1;", "undo-2;", "undo-3;")]), "a")
    #expect(
      told?.reason
        == "undoing it failed too: the step \"do a\" failed with exit status 7")
    #expect(
      told?.remedy
        == "undo it by hand on web-1: run undo-2;, run undo-3;; then mend what the last lines say, then run apply again"
    )
  }

  @Test("an undo that fails too is told with its cause")
  func cause() async throws {
    let cut: ScriptedShell.Answer = { _ in throw Diagnostic("line cut", reason: "broken pipe") }
    let shell = ScriptedShell("web-1", [("do-a;", broken), ("undo-1;", cut)])
    let told = failure(try await TestRun(shells: [shell]).apply([undoable("undo-1;")]), "a")
    #expect(told?.reason?.hasSuffix("failed too: line cut: broken pipe") == true, "\(told as Any)")
  }

  @Test("where all was put back and is not well, nothing is left to undo by hand")
  func notWell() {
    let wait = Instruction.wait(Wait("web-1 runs", script: "", timeout: 60, interval: 2))
    let failure = Diagnostic("it failed", remedy: "mend it")
    #expect(
      failure.notUndone([wait], "", on: "web-1").remedy
        == "all was put back on web-1, and it is not well; see why, then run apply again")
    #expect(
      failure.notUndone([.run(script: "undo;"), wait], "", on: "web-1").remedy
        == "undo it by hand on web-1: run undo;; then mend it")
  }

  @Test("a step that is done or interrupted is not undone")
  func leftAlone() async throws {
    let clock = ManualClock()
    let stop = StopRequest()
    let slow: ScriptedShell.Answer = { _ in
      try await clock.sleep(for: .seconds(600))
      return CommandOutput(status: 0)
    }
    let run = TestRun(shells: [ScriptedShell("web-1", [("do-a;", slow)])], clock: clock)
    let applying = Task { try await run.apply([undoable("undo-1;")], stop: stop) }
    await clock.hasSleepers(2)
    stop.ask()
    stop.ask()
    #expect(try await applying.value.ends.map(\.outcome) == [.interrupted])
    #expect(run.log.notes.isEmpty)
    let other = TestRun(shells: [ScriptedShell("web-1", [("do-a;", fine)])])
    #expect(try await other.apply([undoable("undo-1;")]).verdict == .done)
  }
}
