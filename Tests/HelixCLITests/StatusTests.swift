import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixCLI
@testable import HelixKinds

@Suite("how a cluster is, for people and programs")
struct StatusTests {
  @Test(
    "what hosts answered gives the recorded screen, document and exit", arguments: StatusCase.all)
  func recorded(_ fixture: StatusCase) throws {
    let report = try fixture.report()
    let screen = "exit \(report.isHealthy ? 0 : 1)\n" + StatusText().render(report)
    try expectRecorded(screen, at: fixture.folder.appending(path: "screen.txt"))
    let document = String(decoding: try report.jsonDocument(), as: UTF8.self)
    try expectRecorded(document, at: fixture.folder.appending(path: "status.json"))
  }

  @Test("there are cases of all that can be wrong")
  func casesAreFound() { #expect(StatusCase.all.count >= 23) }

  @Test(
    "every document is as its schema says",
    .enabled(if: JSONSchemaOracle.isThere))
  func schema() throws {
    let documents = StatusCase.all.map { $0.folder.appending(path: "status.json") }
    let checked = try JSONSchemaOracle.check(documents, against: StatusSchema.text)
    #expect(checked.status == 0, "\(checked.all)")
  }

  @Test("colours change no word", arguments: StatusCase.all)
  func coloursOnly(_ fixture: StatusCase) throws {
    let report = try fixture.report()
    let coloured = StatusText(style: .coloured).render(report)
    #expect(coloured.replacing(/\u{1B}\[[0-9;]*m/, with: "") == StatusText().render(report))
  }

  @Test("the table is no wider than a screen", arguments: StatusCase.all)
  func width(_ fixture: StatusCase) throws {
    let lines = StatusTable(style: .plain).render(try fixture.report()).split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 100 })
  }

  @Test("what a host or a pod calls itself cannot move the cursor")
  func escapes() throws {
    var report = try healthy()
    report.nodes[0].name = "a\u{1B}[2J"
    report.pods = .init(
      notReady: 1,
      first: [
        .init(
          namespace: "x", name: "y\u{1B}[2J", ready: "0/1", reason: "Error", node: nil,
          isYoung: false)
      ])
    let text = StatusText().render(report)
    #expect(!text.contains("\u{1B}"))
    #expect(text.contains("y\\u{1b}[2J"))
  }

  @Test("of a hundred agents only those are told one by one that have something to say")
  func manyAgents() throws {
    var report = try healthy()
    let agent = try #require(report.nodes.last)
    for number in 5...100 {
      var more = agent
      more.name = "worker-\(number)"
      more.ready = number != 77
      report.nodes.append(more)
    }
    let text = StatusText().render(report)
    #expect(text.contains("worker-77"))
    #expect(!text.contains("worker-78"))
    #expect(text.contains("  and 99 more that are ready\n"))
  }

  @Test("a run of this machine whose process has ended holds nobody up")
  func endedRun() throws {
    let held = try #require(StatusCase.all.first { $0.testDescription == "lock-held" })
    #expect(try held.report().lock?.state == .live)
    let report = try held.report(hasEnded: { $0.run.user == "alice" })
    #expect(report.lock?.state == .gone)
    #expect(
      StatusText().render(report).contains(
        "  lock      left behind by alice on laptop (apply, process 4711), whose process is gone\n")
    )
  }

  @Test("that nobody holds the lock only a majority of the servers can tell")
  func unknownLock() throws {
    #expect(try healthy().lock == .init(state: .free, copies: 3))
    let down = try #require(StatusCase.all.first { $0.testDescription == "two-servers-silent" })
    #expect(try down.report().lock == nil)
  }

  private func healthy() throws -> StatusReport {
    try #require(StatusCase.all.first { $0.testDescription == "healthy" }).report()
  }
}

/// Compares with a recording; `HELIX_RECORD=1` rewrites it and fails all the same.
private func expectRecorded(_ text: String, at file: URL) throws {
  if ProcessInfo.processInfo.environment["HELIX_RECORD"] == "1" {
    try text.write(to: file, atomically: true, encoding: .utf8)
    Issue.record("recorded \(file.lastPathComponent)")
    return
  }
  let recorded = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
  #expect(recorded == text, "\(file.path) differs")
}
