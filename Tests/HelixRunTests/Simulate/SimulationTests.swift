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

  @Test func debugStory() {
    guard let text = env("SIM_SEED"), let seed = UInt64(text) else { return }
    var random = SplitMix64(seed: seed)
    let setup = RandomSetup.make(&random)
    var simulation = Simulation(
      setup, parallelism: random.number(1...16), seed: seed, isTelling: true)
    let result = simulation.run()
    print("voters \(setup.voters) ghosts \(setup.ghosts) seats \(setup.quorum?.seats.count ?? 0)")
    for step in setup.graph.steps { print(step.id, step.host ?? "", step.spends ?? .membership, step.after, step.follows) }
    for line in result.story { print(line.milliseconds, line.text) }
    print(result.violations)
  }
}
import Glibc
func env(_ n: String) -> String? { getenv(n).map { String(cString: $0) } }
