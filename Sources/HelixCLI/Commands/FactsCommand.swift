import ArgumentParser
import HelixKinds
import HelixModel
import HelixPlan
import HelixRun

/// Tells what is so of the hosts, whatever they are for.
struct FactsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "facts", abstract: "Tell what the hosts are: system, hardware, network, k3s.",
    discussion: """
      Asks all hosts at once, as plan does, and changes nothing. Needs no playbook. Exits with 1 when \
      a host does not answer; the others are told all the same.
      """)

  @Argument(help: "Which hosts, as an Ansible host pattern.")
  var pattern = "all"

  @OptionGroup var inventory: InventoryOptions
  @OptionGroup(title: "Hosts") var connection: ConnectionOptions
  @OptionGroup var common: CommonOptions

  @Flag(help: "Print them as JSON; `helix-infra schema facts` describes it.")
  var json = false

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      let selection = try HostSelection.read(pattern, in: inventory)
      console.report(selection.inventory.warnings)
      let report = FactsReport(
        try await observe(selection, Progress(console)), of: selection.names)
      console.report(report.unread)
      if json {
        console.answer(try report.jsonDocument())
      } else {
        console.answer(FactsText(style: console.output).render(report))
      }
      guard report.isWhole else { throw ExitStatus.failed.exit }
    }
  }

  private func observe(
    _ selection: HostSelection, _ progress: Progress
  ) async throws -> Observation {
    let reach = try await Reach(
      selection.inventory.hosts, connection,
      secrets: SecretsDesk(selection.inventory.cluster?.secrets).store(folder: "secrets"))
    // These facts show no fingerprints, so there is nothing that a lasting key would be for.
    let observer = Observer(
      shells: reach.shells, key: SecretValue(randomNonce()), events: progress)
    let observation = try await observer.observe(
      Dictionary(
        selection.names.map { ($0, HostFacts.requests) }, uniquingKeysWith: { first, _ in first }))
    await progress.finish()
    await reach.close()
    return observation
  }
}
