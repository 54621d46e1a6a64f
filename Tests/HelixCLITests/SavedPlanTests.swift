import HelixModel
import HelixPlan
import Testing

@testable import HelixCLI

@Suite("a saved plan is applied exactly or not at all")
struct SavedPlanTests {
  private static let address = Address(host: "master-1", kind: "file", name: "/etc/motd")

  private func plan(
    writing text: String?, follows: [StepID] = [], beside others: [Step] = []
  ) throws -> Plan {
    guard let text else {
      return Plan(
        changes: [Change(address: Self.address, action: .none, reason: "the same")], graph: .empty)
    }
    let step = Step(
      StepID(Self.address, "write"), title: "write", host: "master-1", follows: follows,
      instructions: [.write(FileWrite(path: "/etc/motd", content: TemplateText(text)))])
    return Plan(
      changes: [
        Change(address: Self.address, action: .update, reason: "it differs", steps: [step.id])
      ], graph: try StepGraph(others + [step]))
  }

  private func saved(_ plan: Plan) -> SavedPlan {
    SavedPlan(
      request: PlanRequest(inventory: "inventory", playbooks: []), sources: [:], hosts: [],
      plan: plan)
  }

  @Test("a change that would be made in the same way is applied, whatever stands before it")
  func sameWork() throws {
    let other = Step(
      StepID(Address(host: "master-2", kind: "swap"), "off"), title: "off", host: "master-2",
      instructions: [])
    let now = try plan(writing: "hello", follows: [other.id], beside: [other])
    #expect(saved(try plan(writing: "hello")).changesMadeOtherwise(now: now) == [])
  }

  @Test(
    "a change that would be made otherwise, or is made already, is named", arguments: ["bye", nil])
  func otherWork(_ text: String?) throws {
    let now = try plan(writing: text)
    #expect(saved(try plan(writing: "hello")).changesMadeOtherwise(now: now) == [Self.address])
  }
}
