import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

@Suite("host kinds: fixtures")
struct HostFixtureTests {
  @Test("a task and a host's answer give the recorded plan or refusal", arguments: HostCase.all)
  func recordedPlan(_ fixture: HostCase) throws {
    switch try outcome(of: fixture) {
    case .success(let plan):
      try expectRecording(HostPlanText.of(plan), "plan.txt", not: "refused.txt", of: fixture)
    case .failure(let refusal):
      try expectRecording(
        HostPlanText.of(refusal.all), "refused.txt", not: "plan.txt", of: fixture)
    }
  }

  @Test(
    "the kinds read their modules' arguments by the modules' own names", arguments: HostCase.all)
  func knownArguments(_ fixture: HostCase) throws {
    let demand = try fixture.demand()
    let module = try #require(Catalogue.specs.module(demand.module))
    let known = Set(module.parameters.map(\.name))
    #expect(Set(demand.arguments.keys).isSubset(of: known), "\(demand.arguments.keys)")
  }

  @Test(
    "every kind in the catalogue has cases", arguments: Catalogue.modules.map(HostCase.folderName))
  func everyKindHasCases(kind: String) throws {
    let type = try #require(Catalogue.modules.first { HostCase.folderName(of: $0) == kind })
    let cases = HostCase.cases(of: kind)
    #expect(cases.count >= 3, "Tests/HelixKindsTests/Fixtures/\(kind) has \(cases.count) cases")
    for fixture in cases {
      #expect(type.module.names.contains(try fixture.demand().module), "\(fixture.testDescription)")
    }
  }

  @Test("facts and steps are sh that every shell can read", arguments: HostCase.all)
  func scriptsAreShell(_ fixture: HostCase) throws {
    guard let resource = try? Catalogue.resource(for: fixture.demand()) else { return }
    let plan = try planOf(resource, fixture.observation(of: resource))
    var scripts = resource.questions.map(\.request.command)
    for case .run(let script) in plan.graph.steps.flatMap(\.instructions) { scripts.append(script) }
    for script in scripts {
      #expect(try run(script: script, in: "sh -n").status == 0, "\(script)")
    }
  }

  private func outcome(of fixture: HostCase) throws -> Result<Plan, Diagnostics> {
    let resource: any Resource
    do throws(Diagnostics) {
      resource = try Catalogue.resource(for: fixture.demandOrRecord())
    } catch {
      return .failure(error)
    }
    let plan = try planOf(resource, fixture.observation(of: resource))
    return plan.refusals.isEmpty ? .success(plan) : .failure(Diagnostics(plan.refusals))
  }

  /// Compares with a recording; `HELIX_RECORD=1` rewrites it and fails all the same.
  private func expectRecording(
    _ text: String, _ name: String, not other: String, of fixture: HostCase
  ) throws {
    let file = fixture.folder.appending(path: name)
    let otherFile = fixture.folder.appending(path: other)
    if ProcessInfo.processInfo.environment["HELIX_RECORD"] == "1" {
      try Data(text.utf8).write(to: file)
      try? FileManager.default.removeItem(at: otherFile)
      Issue.record("recorded \(fixture.testDescription)/\(name)")
      return
    }
    let recorded = (try? Data(contentsOf: file)) ?? Data()
    let before = String(decoding: recorded, as: UTF8.self)
    #expect(recorded == Data(text.utf8), "\(file.path):\n\(unifiedDiff(from: before, to: text))")
    #expect(!FileManager.default.fileExists(atPath: otherFile.path), "there is also \(other)")
  }
}

extension HostCase {
  /// The demand; a fixture that cannot be read fails the test and asks for nothing.
  fileprivate func demandOrRecord() -> TaskDemand {
    do { return try demand() } catch {
      Issue.record(error, "\(testDescription)")
      return demandOf("nothing", Mapping())
    }
  }
}
