import ArgumentParser
import HelixModel
import HelixPlan

/// Shows which step waits for which.
struct GraphCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Print a plan's step graph in Graphviz's language.",
    discussion: """
      Of a saved plan, or of a fresh one of the playbooks. For a picture: \
      helix-infra graph | dot -Tsvg > graph.svg
      """)

  @Argument(help: "A saved plan, or playbooks in order.", completion: .file())
  var plans: [String] = []

  @OptionGroup(title: "What") var project: ProjectOptions
  @OptionGroup(title: "Hosts") var connection: ConnectionOptions
  @OptionGroup var secrets: SecretsOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      console.answer(GraphText.render(try await plan(console).graph))
    }
  }

  private func plan(_ console: Console) async throws -> Plan {
    if let first = plans.first, plans.count == 1, !ProjectOptions.isPlaybook(first) {
      return try SavedPlan.read(path: first).plan
    }
    let project = try Project.load(self.project.request(playbooks: plans))
    let session = try await Session(project, connection, secrets, events: Progress(console))
    let plan = try await session.plan()
    await session.close()
    return plan
  }
}
