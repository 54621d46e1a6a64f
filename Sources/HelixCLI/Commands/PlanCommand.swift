import ArgumentParser
import Foundation
import HelixModel
import HelixPlan

/// Shows what apply would change; changes nothing.
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show what apply would change.",
    discussion: """
      Reads inventory and playbooks, asks every host, and prints the difference. Nothing on any host \
      is changed.
      """)

  @Argument(
    help: "Playbooks, in order (default: \(ProjectOptions.defaultPlaybook)).",
    completion: .file(extensions: ["yaml", "yml"]))
  var playbooks: [String] = []

  @OptionGroup(title: "What") var project: ProjectOptions
  @OptionGroup(title: "Hosts") var connection: ConnectionOptions
  @OptionGroup var secrets: SecretsOptions
  @OptionGroup var common: CommonOptions

  @Option(help: "Keep the plan in a file, to be applied exactly.", completion: .file())
  var out: String?

  @Option(
    help: "Keep what the hosts answered in a file, for a bug report; secrets are never in it.",
    completion: .file())
  var keepAnswers: String?

  @Flag(help: "Print the plan as JSON; `helix-infra schema plan` describes it.")
  var json = false

  @Flag(help: "Exit with 2 when there are changes, 0 when there are none.")
  var detailedExitcode = false

  @Flag(name: .shortAndLong, help: "Also list what needs nothing, and why.")
  var verbose = false

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      let project = try Project.load(self.project.request(playbooks: playbooks))
      let session = try await Session(project, connection, secrets, events: Progress(console))
      let plan = try await session.plan(keepingAnswersAt: keepAnswers)
      await session.close()
      let saved = SavedPlan(plan, of: project)
      console.report(plan.warnings)
      if json {
        console.answer(try saved.jsonDocument())
      } else {
        console.answer(
          PlanText(style: console.output, isVerbose: verbose)
            .render(plan, declared: project.declared, hostCount: project.hosts.count))
      }
      if let out { try saved.write(to: out) }
      guard plan.refusals.isEmpty else { throw ExitStatus.refused.exit }
      let isDone = plan.pending.isEmpty && plan.heldBack.isEmpty
      if detailedExitcode, !isDone { throw ExitStatus.changesPending.exit }
    }
  }
}

extension SavedPlan {
  init(_ plan: Plan, of project: Project) {
    self.init(
      request: project.request, sources: project.sources, hosts: project.hosts, plan: plan)
  }

  /// Writes the plan for its owner alone: it names hosts, files and what is on them.
  func write(to path: String) throws { try OwnerFile.write(try jsonDocument(), to: path) }
}
