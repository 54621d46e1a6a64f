import ArgumentParser
import HelixPlan

/// Shows a saved plan.
struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a saved plan.")

  @Argument(help: "A file that plan --out wrote.", completion: .file())
  var plan: String

  @Flag(help: "Print it as JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "Also list what needs nothing, and why.")
  var verbose = false

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      let saved = try SavedPlan.read(path: plan)
      guard !json else { return console.answer(try saved.jsonDocument()) }
      console.report(saved.plan.warnings)
      console.answer(
        PlanText(style: console.output, isVerbose: verbose)
          .render(saved.plan, declared: [], hostCount: saved.hosts.count))
    }
  }
}
