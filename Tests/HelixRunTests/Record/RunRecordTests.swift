import Glibc
import HelixModel
import HelixPlan
import Synchronization
import Testing

@testable import HelixRun

@Suite("the run record")
struct RunRecordTests {
  private static let everyEvent: [Event] = [
    .hostAsked(.init(host: "web-1", facts: 3)),
    .hostAnswered(.init(host: "web-1", seconds: 0.25)),
    .hostSilent(
      .init(host: "web-1", diagnostic: Diagnostic("no", at: .host("web-1", address: "x")))),
    .runStarted(.init(changes: ["create": 2], steps: 4, parallelism: 10)),
    .stepStarted(.init(step: id("a"), title: "do a", host: "web-1")),
    .stepStarted(.init(step: id("m"), title: "marker", host: nil)),
    .instructionStarted(.init(step: id("a"), number: 1, of: 2, words: "run true")),
    .note(.init(step: id("a"), text: "uploading k3s")),
    .uploading(.init(step: id("a"), file: "k3s", sent: 10, total: 100)),
    .stepEnded(.init(step: id("a"), outcome: .done, seconds: 1.5)),
    .stepEnded(
      .init(
        step: id("b"),
        outcome: .failed(
          Diagnostic("no", evidence: .init(command: "run x", status: 1, lastLines: ["a\n/b"]))),
        seconds: 2)),
    .stepEnded(.init(step: id("c"), outcome: .skipped(blame: id("b")), seconds: 0)),
    .stepEnded(.init(step: id("d"), outcome: .interrupted, seconds: 0)),
    .stepEnded(.init(step: id("e"), outcome: .notBegun, seconds: 0)),
    .runStopping(.init(running: [id("a")], atOnce: false)),
    .runEnded(.init(verdict: .partlyDone, steps: ["done": 1, "failed": 1], seconds: 3)),
  ]

  @Test("what is written is read again, every event")
  func roundTrip() async throws {
    let scratch = try ScratchFolder()
    let record = try RunRecord(in: scratch("state"), clock: ManualClock())
    for event in Self.everyEvent { await record.report(event) }
    let reading = try RunHistory.read(record.path)
    #expect(reading.lines.map(\.event) == Self.everyEvent)
    #expect(reading.isComplete && !reading.isCut)
    #expect(await record.failure == nil)
  }

  @Test("of an upload only the tenths are kept")
  func milestones() async throws {
    let scratch = try ScratchFolder()
    let record = try RunRecord(in: scratch("state"), clock: ManualClock())
    for percent in 1...100 {
      await record.report(
        .uploading(
          .init(
            step: id("a"), file: "k3s", sent: percent, total: 100,
            isMilestone: percent.isMultiple(of: 10))))
    }
    #expect(try RunHistory.read(record.path).lines.count == 10)
  }

  @Test("a line is flat, versioned and dated, and only its owner may read it")
  func shape() async throws {
    let scratch = try ScratchFolder()
    let record = try RunRecord(in: scratch("state"), clock: ManualClock())
    await record.report(
      .stepEnded(.init(step: id("c"), outcome: .skipped(blame: id("b")), seconds: 0)))
    let name = "runs/20261121T054532Z-\(getpid()).jsonl"
    #expect(
      try scratch.text(of: "state/\(name)")
        == #"{"blame":"web-1/test#b","event":"step-ended","outcome":"skipped","seconds":0,"#
        + #""step":"web-1/test#c","time":"2026-11-21T05:45:32.120Z","version":1}"# + "\n")
    #expect(scratch.mode(of: "state") == "700")
    #expect(scratch.mode(of: "state/runs") == "700")
    #expect(scratch.mode(of: "state/\(name)") == "600")
  }

  @Test("every event is in the file before the run goes on")
  func flushed() async throws {
    let scratch = try ScratchFolder()
    let record = try RunRecord(in: scratch("state"), clock: ManualClock())
    let path = record.path
    let counts = Mutex<[Int]>([])
    let shell = ScriptedShell(
      "web-1",
      [
        (
          "do-",
          { _ in
            let lines = try contents(of: path)?.count { $0 == UInt8(ascii: "\n") }
            counts.withLock { $0.append(lines ?? 0) }
            return CommandOutput(status: 0)
          }
        )
      ])
    let run = TestRun(shells: [shell])
    _ = try await run.apply([step("a"), step("b", after: ["a"])], sink: record)
    // Run started, step started, instruction started; then the end of one and the start of another.
    #expect(counts.withLock { $0 } == [3, 6])
    #expect(try RunHistory.read(path).lines.map(\.event) == run.log.events)
  }

  @Test("a last line that breaks off is passed over, one in the middle is an error")
  func cut() async throws {
    let scratch = try ScratchFolder()
    let record = try RunRecord(in: scratch("state"), clock: ManualClock())
    for event in Self.everyEvent.prefix(3) { await record.report(event) }
    let text = String(decoding: try contents(of: record.path) ?? [], as: UTF8.self)
    for length in [text.count - 1, text.count - 20] {
      try scratch.write(String(text.prefix(length)), to: "cut.jsonl")
      let reading = try RunHistory.read(scratch("cut.jsonl"))
      #expect(reading.isCut == (length < text.count - 1))
      #expect(!reading.isComplete)
    }
    try scratch.write("{}\n" + text, to: "broken.jsonl")
    let error = #expect(throws: Diagnostic.self) { try RunHistory.read(scratch("broken.jsonl")) }
    #expect(error?.location?.line == 1)
  }

  @Test("records that are kept can be read for good")
  func kept() throws {
    let reading = try RunHistory.read(fixture("record-v1.jsonl"))
    #expect(reading.lines.count == 9)
    #expect(reading.isComplete)
    guard case .stepEnded(let failed) = reading.lines[6].event,
      case .failed(let diagnostic) = failed.outcome
    else {
      Issue.record("the seventh line is the end of a step that failed")
      return
    }
    #expect(diagnostic.place == .host("master-1", address: "10.77.0.11"))
  }

  @Test("a record of a later version says so")
  func newer() throws {
    let scratch = try ScratchFolder()
    try scratch.write(#"{"version":2,"time":"x","event":"new"}"# + "\n", to: "new.jsonl")
    let error = #expect(throws: Diagnostic.self) { try RunHistory.read(scratch("new.jsonl")) }
    #expect(error?.summary == "the record has version 2")
  }

  @Test("records are listed by age, other files are not records")
  func list() throws {
    let scratch = try ScratchFolder()
    for name in ["20270101T000000Z-9.jsonl", "20261121T054532Z-12.jsonl", "notes.txt", "x.jsonl"] {
      try scratch.write("", to: "state/runs/\(name)")
    }
    let list = RunHistory.list(in: scratch("state"))
    #expect(list.map(\.pid) == [12, 9])
    #expect(list.map(\.started) == ["20261121T054532Z", "20270101T000000Z"])
    #expect(RunHistory.list(in: scratch("nowhere")).isEmpty)
  }

  @Test(
    "times are UTC in the Gregorian calendar",
    arguments: zip(
      [0, 951_782_399_999, 951_868_800_000, 4_107_542_400_001, -1],
      [
        "1970-01-01T00:00:00.000Z", "2000-02-28T23:59:59.999Z", "2000-03-01T00:00:00.000Z",
        "2100-03-01T00:00:00.001Z", "1969-12-31T23:59:59.999Z",
      ]))
  func times(milliseconds: Int64, text: String) {
    #expect(UTCTime(milliseconds: milliseconds).text == text)
  }
}

@Suite("the run lock")
struct RunLockTests {
  @Test("a second run is refused with the holder's name, and may run when the first has ended")
  func second() async throws {
    let scratch = try ScratchFolder()
    let folder = scratch("state")
    let clock = ManualClock()
    try await RunLock.held(in: folder, clock: clock) {
      let error = await #expect(throws: RunLock.Taken.self) {
        try await RunLock.held(in: folder, clock: clock) {}
      }
      #expect(error?.holder?.pid == Int(getpid()))
      #expect(error?.diagnostic.reason?.contains("process \(getpid()) on ") == true)
      #expect(error?.diagnostic.reason?.hasSuffix("since 2026-11-21T05:45:32.120Z") == true)
    }
    let answer = try await RunLock.held(in: folder, clock: clock) { 42 }
    #expect(answer == 42)
  }

  @Test("the lock is given back when the work fails")
  func failing() async throws {
    let scratch = try ScratchFolder()
    let folder = scratch("state")
    await #expect(throws: Diagnostic.self) {
      try await RunLock.held(in: folder) { throw Diagnostic("no") }
    }
    try await RunLock.held(in: folder) {}
  }
}
