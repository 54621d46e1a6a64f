import ArgumentParser

/// Makes it so: plans, shows, asks, and walks the step graph.
struct ApplyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Make it so: plan, show, ask, apply.",
    discussion: """
      Given a saved plan, applies exactly that plan, or refuses, naming the fact that has moved since \
      it was made. Ctrl-C lets the steps under way finish; a second one ends them. Applying again \
      goes on where the last run ended.
      """)

  @Argument(
    help: "A saved plan, or playbooks in order (default: \(ProjectOptions.defaultPlaybook)).",
    completion: .file())
  var plans: [String] = []

  @OptionGroup var options: ApplyOptions

  func run() async throws { try await Application(plans: plans, options: options).run() }
}
