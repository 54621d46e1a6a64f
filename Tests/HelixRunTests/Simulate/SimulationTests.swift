import HelixModel
import HelixPlan
import Testing

@testable import HelixRun

@Suite("simulated runs")
struct SimulationTests {
  @Test(
    "etcd keeps its majority, every run ends, and no step is done twice or too early",
    arguments: 0..<100)
  func laws(hundred: Int) {
    for number in 0..<1000 {
      let seed = UInt64(hundred * 1000 + number)
      var random = SplitMix64(seed: seed)
      let setup = RandomSetup.make(&random)
      var simulation = Simulation(
        setup, parallelism: random.number(1...16), seed: seed)
      let result = simulation.run()
      guard result.violations.isEmpty else {
        Issue.record("seed \(seed): \(result.violations.joined(separator: "; "))")
        return
      }
    }
  }

  @Test("the same seed tells the same story", arguments: 0..<50)
  func sameSeed(seed: UInt64) {
    let tell = {
      var random = SplitMix64(seed: seed)
      let setup = RandomSetup.make(&random)
      var simulation = Simulation(setup, parallelism: 4, seed: seed, isTelling: true)
      return simulation.run().story
    }
    let story = tell()
    #expect(!story.isEmpty)
    #expect(tell() == story)
  }

  @Test("a voter that is broken by one step keeps the next ones from theirs")
  func brokenVoter() throws {
    let steps = (1...3).map { number in
      Step(
        StepID(Address(host: HostName("server-\(number)"), kind: "test"), "restart"),
        title: "restart \(number)", host: HostName("server-\(number)"), instructions: [],
        spends: .voter(HostName("server-\(number)")))
    }
    let quorum = QuorumGuard(
      seats: steps.map { .init(host: $0.host ?? "", node: $0.host?.rawValue ?? "") }, script: "")
    let setup = SimulationSetup(try StepGraph(steps), quorum: quorum, additions: [])
    var simulation = Simulation(
      setup, parallelism: 10, seed: 7, faults: [SimulatedFault(.broken, step: steps[0].id)],
      isTelling: true)
    let result = simulation.run()
    #expect(result.violations == [])
    #expect(result.ends.map(\.outcome.word) == ["failed", "failed", "failed"])
    #expect(result.fewestVoters?.up == 2)
    #expect(result.story.contains { $0.text.contains("a majority is 2") })
  }
}
