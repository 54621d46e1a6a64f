import Foundation
import HelixModel
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
    let document = String(decoding: try report.encodedDocument(), as: UTF8.self)
    try expectRecorded(document, at: fixture.folder.appending(path: "status.json"))
  }

  @Test("there are cases of all that can be wrong")
  func casesAreFound() { #expect(StatusCase.all.count >= 18) }

  @Test(
    "every document is as its schema says",
    .enabled(if: (try? run("python3", ["-c", "import jsonschema"]).status) == 0))
  func schema() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "helix-status-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try StatusSchema.text.write(
      to: folder.appending(path: "schema"), atomically: true, encoding: .utf8)
    let documents = StatusCase.all.map { $0.folder.appending(path: "status.json").path }
    let program = """
      import json, jsonschema, sys
      schema = json.load(open("schema"))
      for path in sys.argv[1:]: jsonschema.validate(json.load(open(path)), schema)
      """
    let checked = try run("python3", ["-c", program] + documents, in: folder)
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

  @Test("who applies now is told")
  func lock() throws {
    var report = try healthy()
    report.lock = .init(holder: "alice@laptop, pid 4711", since: 1_700_000_000)
    #expect(
      StatusText().render(report).contains(
        "  applying  alice@laptop, pid 4711 since 2023-11-14T22:13:20Z\n"))
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
