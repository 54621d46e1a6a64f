import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixCLI
@testable import HelixRun

@Suite("who holds the lock, for programs")
struct LockDocumentTests {
  private static let holder = """
    run run-12
    number 12
    user alice
    host laptop
    pid 4711
    command apply
    started 2026-11-21T05:45:32Z
    process elsewhere
    ttl 60
    boot boot-1
    taken 100
    renewed 280
    """

  private static func sight(_ state: String, _ holder: String = holder) throws -> LockReport.Sight {
    let end = "uptime 284\nnow-boot boot-1\nfence 12\nhighest 12"
    return .seen(try ServerLock("helix-lock seen \(state)\n\(holder)\n\(end)"))
  }

  /// A process of this machine that surely has ended.
  private static func ended() throws -> String {
    let child = try run("sh", ["-c", "echo $$"])
    let pid = child.output.split(separator: "\n").first.map(String.init) ?? ""
    let mark = try #require(LocalProcess.mark(of: getpid()))
    let words = mark.split(separator: " ")
    return holder.replacingOccurrences(of: "pid 4711", with: "pid \(pid)")
      .replacingOccurrences(of: "process elsewhere", with: "process \(words[0]) \(words[1]) 1")
  }

  private static func document(removed: [HostName] = []) throws -> String {
    let silence = Diagnostic(
      "cannot connect to master-5", reason: "no route to host", remedy: "see whether it is on",
      at: .host("master-5", address: "192.0.2.15"))
    let report = LockReport(
      servers: [
        ("master-1", try sight("live")), ("master-2", try sight("expired")),
        ("master-3", try sight("free", "")), ("master-4", try sight("live", ended())),
        ("master-5", .silent(silence)),
      ], majority: 3, highest: 12)
    let document = LockDocument(cluster: "helix", report, removed: removed)
    return String(decoding: try document.jsonDocument(), as: UTF8.self)
  }

  @Test("every sort of copy is told by its word, with its holder")
  func states() throws {
    let text = try Self.document(removed: ["master-2"])
    let document = try #require(
      JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let servers = try #require(document["servers"] as? [[String: Any]])
    #expect(
      servers.map { $0["state"] as? String } == ["live", "expired", "free", "gone", "silent"])
    #expect(servers.map { $0["removed"] as? Bool } == [false, true, false, false, false])
    let holder = try #require(servers[0]["holder"] as? [String: Any])
    #expect(holder["heldSeconds"] as? Int == 184 && holder["renewedSeconds"] as? Int == 4)
    #expect(holder["process"] == nil && servers[2]["holder"] == nil)
  }

  @Test("the document is as its schema says", .enabled(if: JSONSchemaOracle.isThere))
  func schema() throws {
    #expect(try check(Self.document()).status == 0)
  }

  @Test(
    "the schema refuses what is no such document", .enabled(if: JSONSchemaOracle.isThere),
    arguments: [
      ("\"state\" : \"free\"", "\"state\" : \"live\""), ("\"pid\"", "\"process\""),
      ("\"version\" : 1", "\"version\" : 2"), ("\"state\" : \"silent\"", "\"state\" : \"free\""),
      ("\"removed\" : false,", ""), ("\"heldSeconds\" : 184", "\"heldSeconds\" : \"184\""),
    ])
  func refused(word: String, other: String) throws {
    let document = try Self.document()
    let spoiled = document.replacingOccurrences(of: word, with: other)
    #expect(spoiled != document)
    #expect(try check(spoiled).status != 0)
  }

  private func check(_ document: String) throws -> Ran {
    let file = FileManager.default.temporaryDirectory
      .appending(path: "helix-lock-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try document.write(to: file, atomically: true, encoding: .utf8)
    return try JSONSchemaOracle.check([file], against: LockSchema.text)
  }
}
