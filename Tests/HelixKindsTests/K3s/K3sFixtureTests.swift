import Foundation
import HelixModel
import HelixPlan
import Testing

@testable import HelixKinds

@Suite("k3s fixtures")
struct K3sFixtureTests {
  @Test("a cluster in a given state gives the recorded plan", arguments: K3sCase.all)
  func recordedPlan(_ fixture: K3sCase) throws {
    let plan = try plan(fixture.cluster, fixture.observation())
    try expectRecorded(words(of: plan), at: fixture.folder.appending(path: "plan.txt"))
    let refused = fixture.folder.appending(path: "refused.txt")
    if plan.refusals.isEmpty {
      #expect(!FileManager.default.fileExists(atPath: refused.path), "nothing was refused")
    } else {
      try expectRecorded(words(of: plan.refusals), at: refused)
    }
    let steps = fixture.folder.appending(path: "steps.json")
    if FileManager.default.fileExists(atPath: steps.path) {
      try expectRecorded(json(plan.graph), at: steps)
    }
  }

  @Test("every case has a plan of its own")
  func thereAreCases() {
    #expect(K3sCase.all.count >= 17)
  }

  @Test("the same facts give the same bytes", arguments: K3sCase.all)
  func samePlanSameBytes(_ fixture: K3sCase) throws {
    let observation = try fixture.observation()
    #expect(
      try json(plan(fixture.cluster, observation)) == json(plan(fixture.cluster, observation)))
  }

  private func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }
}

/// Compares with a recording; `HELIX_RECORD=1` rewrites it and fails all the same.
func expectRecorded(_ text: String, at file: URL) throws {
  if ProcessInfo.processInfo.environment["HELIX_RECORD"] == "1" {
    try text.write(to: file, atomically: true, encoding: .utf8)
    Issue.record("recorded \(file.lastPathComponent)")
    return
  }
  let recorded = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
  let difference = unifiedDiff(from: recorded, to: text)
  #expect(recorded == text, "\(file.path) differs:\n\(difference)")
}
