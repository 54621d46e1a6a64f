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

  @Test(
    "a plan that planning lets pass never fails for want of a vote unless something goes wrong",
    arguments: 0..<20)
  func votesAreThere(hundred: Int) throws {
    var (passed, refused) = (0, 0)
    for number in 0..<1000 {
      let seed = UInt64(hundred * 1000 + number)
      var random = SplitMix64(seed: seed)
      let setup = RandomSetup.make(&random, patience: 600)
      // Where no majority answers, who is well is not known before it does.
      let cluster = SimulatedCluster(setup)
      guard cluster.voters == 0 || cluster.up >= cluster.majority else { continue }
      var votes = QuorumLedger(seats: try #require(setup.quorum).seats)
      votes.take(cluster.words(at: 0), at: .zero)
      let refusals = Set(QuorumForecast(setup.graph, votes: votes).refusals.map(\.step.id))
      if refusals.isEmpty { passed += 1 } else { refused += 1 }
      var simulation = Simulation(
        setup, parallelism: random.number(1...16), seed: seed, faults: [])
      let result = simulation.run()
      let isDone = result.ends.allSatisfy { $0.outcome == .done }
      let isRefused = result.ends.allSatisfy {
        $0.outcome != .done || !refusals.contains($0.step.id)
      }
      guard result.violations.isEmpty, isDone || !refusals.isEmpty,
        isRefused || !setup.isStrict
      else {
        let ends = result.ends.map { "\($0.step.id) \($0.outcome.word)" }.joined(separator: ", ")
        Issue.record("seed \(seed), refused \(refusals.sorted()): \(ends)")
        return
      }
    }
    #expect(passed > 500 && refused > 20, "\(passed) passed, \(refused) refused")
  }

  @Test("the same seed tells the same story", arguments: 0..<50)
  func sameSeed(seed: UInt64) {
    let tell = {
      var random = SplitMix64(seed: seed)
      let setup = RandomSetup.make(&random)
      var simulation = Simulation(setup, parallelism: 4, seed: seed, isTelling: true)
      return (setup.graph.steps.isEmpty, simulation.run().story)
    }
    let (hasNothingToDo, story) = tell()
    #expect(hasNothingToDo || !story.isEmpty)
    #expect(tell().1 == story)
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

extension SimulationSetup {
  /// Whether a step that gets no vote is nothing that others wait to see the end of, and no step
  /// brings back whoever is down.
  fileprivate var isStrict: Bool {
    graph.steps.allSatisfy { $0.follows.isEmpty }
  }
}
