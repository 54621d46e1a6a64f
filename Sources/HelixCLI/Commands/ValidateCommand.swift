import ArgumentParser
import HelixModel
import HelixPlan

/// Reads everything and connects to nothing.
struct ValidateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate", abstract: "Read inventory and playbooks, and say what is wrong.",
    discussion: "Connects to nothing. Exits with 64 when anything is wrong.")

  @Argument(help: "Playbooks, in order (default: \(ProjectOptions.defaultPlaybook)).")
  var playbooks: [String] = []

  @OptionGroup(title: "What") var project: ProjectOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      let project = try Project.load(self.project.request(playbooks: playbooks))
      console.report(project.warnings)
      let resources = Array(project.desired.resources)
      console.answer(
        "Valid: \(project.inventory.hosts.count) hosts, \(project.plays.count) plays, "
          + "\(resources.count) resources.\n")
    }
  }
}
