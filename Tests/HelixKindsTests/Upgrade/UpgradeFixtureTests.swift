import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

@Suite("upgrades through the controller")
struct UpgradeFixtureTests {
  private func plan(_ fixture: UpgradeCase) throws -> Plan {
    let desired = try fixture.desired()
    var observation = try fixture.observation()
    for artifact in desired.artifacts(observation, fingerprints: PlainFingerprints()) {
      observation.checksums[artifact] = "sha256-of-\(artifact.release)"
    }
    let plan = try Planner.plan(
      desired, observation: observation, fingerprints: PlainFingerprints())
    // What the k3s role does has fixtures of its own.
    return Plan(
      changes: plan.changes.filter { !$0.address.kind.hasPrefix("k3s-") },
      graph: try StepGraph(
        plan.graph.steps.filter { !$0.id.address.kind.hasPrefix("k3s-") }.map { step in
          var step = step
          step.after.removeAll { $0.address.kind.hasPrefix("k3s-") }
          step.follows.removeAll { $0.address.kind.hasPrefix("k3s-") }
          return step
        }), warnings: plan.warnings)
  }

  @Test("a cluster in a given state gives the recorded plan", arguments: UpgradeCase.all)
  func recordedPlan(_ fixture: UpgradeCase) throws {
    let plan = try plan(fixture)
    let quiet = plan.changes.allSatisfy { $0.action == .none && $0.standing == .planned }
    let told = Plan(
      changes: plan.changes.filter { $0.address.kind != "object" || $0.action != .none },
      graph: plan.graph, warnings: plan.warnings)
    try expectRecorded(
      words(of: told) + (quiet ? "no changes\n" : ""),
      at: fixture.folder.appending(path: "plan.txt"))
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

  @Test("a cluster in a given state has the recorded status", arguments: UpgradeCase.all)
  func recordedStatus(_ fixture: UpgradeCase) throws {
    let file = fixture.folder.appending(path: "status.txt")
    guard FileManager.default.fileExists(atPath: file.path) else { return }
    guard case .told(let status) = try fixture.status() else {
      Issue.record("nobody answered")
      return
    }
    let rows = status.nodes.map { row in
      [
        row.node, row.from, row.to ?? "-", row.isReady ? "ready" : "not ready",
        row.cordoned ?? "-", row.mark, row.job ?? "-", row.reason ?? "-",
      ].joined(separator: " | ")
    }
    let problems = status.problems.map { "\($0.severity.rawValue): " + words(of: [$0]) }
    try expectRecorded(
      (["\(status.state.rawValue), \(status.hop) of \(status.wanted)"] + rows + problems)
        .joined(separator: "\n") + "\n", at: file)
  }

  @Test("every script of every plan is POSIX sh", arguments: UpgradeCase.all)
  func scriptsParse(_ fixture: UpgradeCase) throws {
    for instruction in try plan(fixture).graph.steps.flatMap(\.instructions) {
      let script: String
      switch instruction {
      case .run(let text): script = text
      case .wait(let wait): script = wait.script
      case .feed(let feed): script = feed.script
      case .launch(let launch): script = launch.script
      default: continue
      }
      let ran = try run("/bin/sh", ["-n", "-c", script])
      #expect(ran.status == 0, "\(script)\n\(ran.errors)")
    }
    let facts = UpgradeStatus.requests.map(\.command) + [UpgradeDiagnosis.diagnosis.script]
    for script in facts {
      let ran = try run("/bin/sh", ["-n", "-c", script])
      #expect(ran.status == 0, "\(script)\n\(ran.errors)")
    }
  }

  @Test("the same facts give the same bytes", arguments: UpgradeCase.all)
  func sameBytes(_ fixture: UpgradeCase) throws {
    #expect(try json(plan(fixture)) == json(plan(fixture)))
  }

  @Test("there are cases for every way an upgrade goes")
  func cases() { #expect(UpgradeCase.all.count >= 15) }

  private func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }
}
