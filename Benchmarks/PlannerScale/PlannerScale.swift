import Foundation
import HelixCLI
import HelixModel
import HelixPlan
import HelixSecrets

/// Plans an estate of many hosts from the recorded answers of a few, and tells what it took.
///
/// usage: planner-scale ANSWERS PLAYBOOKS HOSTS...
/// ANSWERS is what `helix-infra plan --keep-answers` wrote for this repository's own inventory.
@main
enum PlannerScale {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count >= 3, let answers = arguments.first else {
      say("usage: planner-scale ANSWERS PLAYBOOKS HOSTS...")
      exit(64)
    }
    let folder = arguments[arguments.startIndex + 1]
    let recorded = try JSONDecoder().decode(
      Observation.self, from: Data(contentsOf: URL(fileURLWithPath: answers)))
    say("hosts  resources   steps   load s   plan s  render s  total s  us/resource  peak MiB")
    for count in arguments.dropFirst(2).compactMap({ Int($0) }) {
      try measure(hosts: count, recorded: recorded, playbooks: folder)
    }
  }

  private static func measure(hosts: Int, recorded: Observation, playbooks: String) throws {
    let estate = LargeEstate(hosts: hosts, recorded: recorded, playbooks: playbooks)
    let observation = estate.observation
    let clock = ContinuousClock()
    let request = PlanRequest(inventory: "inventory", playbooks: ["playbooks/site.yaml"])

    let start = clock.now
    let project = try Project.load(request, reader: estate)
    let loaded = clock.now
    let plan = try Planner.plan(
      project.desired, observation: observation, fingerprints: estate.fingerprints)
    let planned = clock.now
    let text = PlanText().render(plan, declared: [], hostCount: project.hosts.count)
    let rendered = clock.now

    guard plan.refusals.isEmpty, plan.heldBack.isEmpty, !text.isEmpty else {
      say("the plan is not whole: \(plan.refusals.first?.summary ?? "changes are held back")")
      exit(1)
    }
    let resources = plan.changes.count
    let total = seconds(rendered - start)
    say(
      [
        padded("\(hosts)", 5), padded("\(resources)", 10), padded("\(plan.graph.steps.count)", 7),
        padded(decimal(seconds(loaded - start)), 8), padded(decimal(seconds(planned - loaded)), 8),
        padded(decimal(seconds(rendered - planned)), 9), padded(decimal(total), 8),
        padded(decimal(total * 1e6 / Double(resources)), 12), padded("\(peakMemory())", 9),
      ].joined(separator: " "))
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  private static func decimal(_ number: Double) -> String {
    let hundredths = Int((number * 100).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  /// The largest resident size so far, in MiB.
  private static func peakMemory() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") }.map { $0 / 1024 }
      ?? 0
  }

  private static func say(_ text: String) {
    FileHandle.standardOutput.write(Data("\(text)\n".utf8))
  }
}
