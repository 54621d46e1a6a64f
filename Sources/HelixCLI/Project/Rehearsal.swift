import Foundation
import HelixModel
import HelixPlan
import HelixRun

/// Many simulated runs of one plan, and what they come to.
struct Rehearsal {
  let setup: SimulationSetup
  /// Nil when every run draws its own.
  let faults: [SimulatedFault]?
  let parallelism: Int
  let seed: UInt64
  let runs: Int

  /// The whole of it; the story is the first run's that went wrong, or the one where the fewest
  /// voters were up.
  var report: SimulationReport {
    var report = SimulationReport(runs: runs, seed: seed, steps: setup.graph.steps.count)
    var told = seed
    var fewest = 1
    for number in 0..<runs {
      let seed = seed &+ UInt64(number)
      let result = play(seed, isTelling: false)
      if let voters = result.fewestVoters, voters.up - voters.of < fewest {
        fewest = voters.up - voters.of
        report.fewestVoters = .init(up: voters.up, of: voters.of)
        if report.violations.isEmpty { told = seed }
      }
      report.outcomes[verdict(of: result), default: 0] += 1
      guard !result.violations.isEmpty else { continue }
      if report.violations.isEmpty { told = seed }
      report.violations += result.violations.prefix(1).map { .init(seed: seed, text: $0) }
    }
    report.tell(play(told, isTelling: true), seed: told)
    return report
  }

  private func play(_ seed: UInt64, isTelling: Bool) -> Simulation.Result {
    var simulation = Simulation(
      setup, parallelism: parallelism, seed: seed, faults: faults, isTelling: isTelling)
    return simulation.run()
  }

  private func verdict(of result: Simulation.Result) -> String {
    let words = Set(result.ends.map(\.outcome.word))
    if words.contains("interrupted") || words.contains("not-begun") { return "interrupted" }
    guard words.contains("failed") else { return "done" }
    return words.contains("done") ? "partly-done" : "failed"
  }
}

/// What `simulate --json` prints.
struct SimulationReport: Codable {
  struct Voters: Codable {
    var up: Int
    var of: Int
  }

  struct Violation: Codable {
    var seed: UInt64
    var text: String
  }

  struct Moment: Codable {
    var seconds: Double
    var text: String
  }

  struct End: Codable {
    var step: StepID
    var title: String
    var outcome: String
    var reason: String?
  }

  /// One run told from beginning to end.
  struct Story: Codable {
    var seed: UInt64
    var moments: [Moment] = []
    var ends: [End] = []
  }

  var format = "helix-infra/simulation"
  var runs: Int
  var seed: UInt64
  var steps: Int
  /// How many runs ended in each way.
  var outcomes: [String: Int] = [:]
  var fewestVoters: Voters?
  var violations: [Violation] = []
  var story: Story

  init(runs: Int, seed: UInt64, steps: Int) {
    self.runs = runs
    self.seed = seed
    self.steps = steps
    story = Story(seed: seed)
  }

  mutating func tell(_ result: Simulation.Result, seed: UInt64) {
    story = Story(
      seed: seed,
      moments: result.story.map {
        Moment(seconds: Double($0.milliseconds) / 1000, text: $0.text)
      },
      ends: result.ends.map { step, outcome in
        End(
          step: step.id, title: step.title, outcome: outcome.word, reason: outcome.whyLeftUndone)
      })
  }
}

extension StepOutcome {
  fileprivate var whyLeftUndone: String? {
    switch self {
    case .failed(let why): why.reason ?? why.summary
    case .skipped(let blame): "\(blame) failed"
    case .done, .interrupted, .notBegun: nil
    }
  }
}
