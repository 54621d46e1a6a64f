import HelixModel
import HelixPlan
import Synchronization
import Testing

@testable import HelixRun

/// Answers in turn; the last answer is repeated.
private func inTurn(_ outputs: [CommandOutput?]) -> ScriptedShell.Answer {
  let rest = Mutex(outputs)
  return { _ in
    let next = rest.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? nil }
    guard let next else { throw Diagnostic("connection lost", reason: "broken pipe") }
    return next
  }
}

private let no = CommandOutput(status: 1, output: "NotReady\n")
private let yes = CommandOutput(status: 0)

private let joining = Diagnosis(
  name: "joining", script: "read-journal;",
  signs: [
    .init("token mismatch", cause: "the token is another cluster's", remedy: "fix it", fatal: true),
    .init("connection refused", cause: "the server is not up", remedy: "look at the server"),
  ])

@Suite("waits")
struct WaitTests {
  private let clock = EagerClock()

  private func wait(
    _ rules: [(String, ScriptedShell.Answer)], timeout: Int = 60, diagnosis: String? = "joining"
  ) async throws -> TestRun {
    let run = TestRun(
      shells: [ScriptedShell("web-1", rules)], diagnoses: ["joining": joining], clock: clock)
    try await run.perform(
      .wait(
        Wait(
          "web-1 is ready", script: "is-ready;", timeout: timeout, interval: 2,
          diagnosis: diagnosis)))
    return run
  }

  private func failure(
    _ rules: [(String, ScriptedShell.Answer)], timeout: Int = 60, diagnosis: String? = "joining"
  ) async -> Diagnostic? {
    await #expect(throws: Diagnostic.self) {
      _ = try await wait(rules, timeout: timeout, diagnosis: diagnosis)
    }
  }

  @Test("it ends as soon as the condition is so")
  func soon() async throws {
    _ = try await wait([("is-ready;", inTurn([no, no, yes]))])
    #expect(clock.now == .seconds(4))
  }

  @Test("asking and looking for the cause change nothing on the host")
  func questions() async throws {
    let shell = ScriptedShell(
      "web-1",
      [
        ("is-ready;", inTurn([no, no, no, no, no, yes])),
        ("read-journal;", { _ in CommandOutput(status: 0) }),
      ])
    let run = TestRun(shells: [shell], diagnoses: ["joining": joining], clock: clock)
    try await run.perform(
      .wait(Wait("ready", script: "is-ready;", timeout: 60, diagnosis: "joining")))
    #expect(shell.commands.count == 7)
    #expect(shell.commands.allSatisfy { $0.effect == .question })
  }

  @Test("out of time, it tells the cause that the newest telling line names")
  func outOfTime() async throws {
    let journal = CommandOutput(
      status: 0, output: "token mismatch\ndial: connection refused\nsomething else\n")
    let error = await failure([("is-ready;", inTurn([no])), ("read-journal;", inTurn([journal]))])
    #expect(
      error
        == Diagnostic(
          "\"web-1 is ready\" did not come true within 60 s", reason: "the server is not up",
          remedy: "look at the server",
          evidence: .init(
            command: "wait until web-1 is ready", status: 1,
            lastLines: ["token mismatch", "dial: connection refused", "something else"])))
  }

  @Test("the script of a diagnosis is given what it is of, as one word each")
  func subject() {
    #expect(joining.script(of: nil) == "read-journal;")
    #expect(
      joining.script(of: ["server-plan", "it's"]) == #"""
        set -- server-plan 'it'\''s'
        read-journal;
        """#)
  }

  @Test("the cause is looked for where the wait's subject is")
  func asksOfSubject() async throws {
    let run = TestRun(
      shells: [
        ScriptedShell(
          "web-1",
          [
            ("is-ready;", inTurn([no])),
            (
              "set -- server-plan master-1\nread-journal;",
              inTurn([CommandOutput(status: 0, output: "token mismatch")])
            ),
          ])
      ], diagnoses: ["joining": joining], clock: clock)
    let error = await #expect(throws: Diagnostic.self) {
      try await run.perform(
        .wait(
          Wait(
            "ready", script: "is-ready;", timeout: 60, interval: 2, diagnosis: "joining",
            of: ["server-plan", "master-1"])))
    }
    #expect(error?.reason == "the token is another cluster's")
  }

  @Test("without a diagnosis the last answer is the evidence")
  func noDiagnosis() async throws {
    let error = await failure([("is-ready;", inTurn([no]))], diagnosis: nil)
    #expect(error?.evidence?.lastLines == ["NotReady"])
    #expect(error?.reason == nil)
    #expect(error?.remedy != nil)
  }

  @Test("a fatal cause seen twice in a row ends the wait early")
  func fatal() async throws {
    let journal = CommandOutput(status: 0, output: "level=fatal token mismatch\n")
    let error = await failure(
      [("is-ready;", inTurn([no])), ("read-journal;", inTurn([journal]))], timeout: 600)
    #expect(error?.summary == "\"web-1 is ready\" will not come true; gave up after 18 s")
    #expect(error?.reason == "the token is another cluster's")
  }

  @Test("a fatal cause that goes away again does not end it")
  func fatalOnce() async throws {
    let fatal = CommandOutput(status: 0, output: "token mismatch\n")
    let calm = CommandOutput(status: 0, output: "connection refused\n")
    let answers = [CommandOutput](repeating: no, count: 24) + [yes]
    _ = try await wait(
      [
        ("is-ready;", inTurn(answers)),
        ("read-journal;", inTurn([fatal, calm, fatal, calm])),
      ], timeout: 600)
  }

  @Test("a dropped connection is made anew, more patiently each time")
  func reconnect() async throws {
    let run = try await wait([("is-ready;", inTurn([no, nil, nil, nil, no, yes]))])
    #expect(
      run.log.notes
        == ["2 s", "4 s", "8 s"].map { "no answer while waiting, asking again in \($0)" })
    #expect(clock.now == .seconds(2 + 2 + 4 + 8 + 2))
  }

  @Test("a host that never answers again is told with its last words")
  func neverBack() async throws {
    let error = await failure([("is-ready;", inTurn([nil])), ("read-journal;", inTurn([nil]))])
    #expect(error?.evidence?.lastLines == ["connection lost: broken pipe"])
  }

  @Test("a wait never outlives its step")
  func withinStep() async throws {
    let run = TestRun(shells: [ScriptedShell("web-1", [("is-ready;", inTurn([no]))])], clock: clock)
    let wait = Wait("web-1 is ready", script: "is-ready;", timeout: 600)
    let error = await #expect(throws: Diagnostic.self) {
      try await run.perform(.wait(wait), timeout: 30)
    }
    #expect(error?.summary == "\"web-1 is ready\" did not come true within 30 s")
  }
}
