import HelixModel
import HelixPlan
import HelixRun
import Testing

@testable import HelixCLI

@Suite("a plan is played with faults")
struct SimulateTests {
  private func setup() throws -> SimulationSetup {
    let steps = (1...3).map { number in
      let host = HostName("master-\(number)")
      return Step(
        StepID(Address(host: host, kind: "k3s-service"), "restart"),
        title: "restart k3s on \(host)",
        host: host, instructions: [], spends: .voter(host))
    }
    let seats = steps.compactMap(\.host).map { QuorumGuard.Seat(host: $0, node: $0.rawValue) }
    let plan = Plan(
      changes: [], graph: try StepGraph(steps),
      quorum: QuorumGuard(seats: seats, script: "", patience: 60))
    return SimulationSetup(plan)
  }

  private func problem(_ fault: String) throws -> Diagnostic? {
    let setup = try setup()
    do throws(Diagnostics) {
      _ = try FaultRequest.place(FaultRequest.read([fault]), in: setup)
      return nil
    } catch {
      return error.all.first
    }
  }

  @Test("unknown hosts, steps and kinds are told with the nearest name")
  func unknown() throws {
    #expect(try problem("kind=lost,host=master-22")?.remedy == "did you mean \"master-2\"?")
    #expect(try problem("kind=los,host=master-2")?.remedy == "did you mean \"lost\"?")
    #expect(
      try problem("kind=fail,step=master-2/k3s-service#restar")?.remedy
        == "did you mean \"master-2/k3s-service#restart\"?")
    #expect(try problem("kind=lost")?.summary == "--fault \"kind=lost\" does not say where")
    #expect(try problem("hots=x")?.summary == "--fault \"hots=x\" cannot be read")
    #expect(try problem("kind=broken,host=master-2") == nil)
    #expect(try problem("kind=voter-dies,host=master-1,step=master-2/*") == nil)
  }

  @Test("a broken restart keeps the others from theirs, and the story says why")
  func story() throws {
    let setup = try setup()
    let faults = try FaultRequest.place(
      FaultRequest.read(["kind=broken,step=master-1/*"]), in: setup)
    let report = Rehearsal(setup: setup, faults: faults, parallelism: 10, seed: 1, runs: 1).report
    let text = SimulationText(style: .plain).render(report)
    #expect(report.violations.isEmpty)
    #expect(text.contains("restart k3s on master-1 fails"))
    #expect(text.contains("without master-2 1 would be left, and a majority is 2"))
    #expect(text.contains("master-2/k3s-service#restart  failed: "))
    #expect(
      text.hasSuffix(
        "Simulated 1 run of 3 steps: 1 failed. At least 2 of 3 voters were up. Nothing was done that must not be.\n"
      ))
  }

  @Test("random runs of the same seed come to the same")
  func sameSeed() throws {
    let setup = try setup()
    let report = {
      try Rehearsal(setup: setup, faults: nil, parallelism: 10, seed: 7, runs: 50).report
        .jsonDocument()
    }
    #expect(try report() == report())
  }
}
