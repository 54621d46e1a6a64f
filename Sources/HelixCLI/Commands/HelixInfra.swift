package import ArgumentParser
import HelixModel

/// The root of the command tree; `helix-infra` itself only calls `main()`.
package struct HelixInfra: AsyncParsableCommand {
  package static let version = "0.1.0"

  package static let configuration = CommandConfiguration(
    commandName: "helix-infra",
    abstract: "Plan and apply k3s estates over SSH.",
    discussion: """
      Reads an Ansible inventory and playbooks, asks every machine what is so, shows the exact \
      difference, and applies it as an ordered graph of steps.

      Exit status: 0 fine, 1 failed, 2 changes pending (--detailed-exitcode), 3 partly applied, \
      4 refused for safety, 5 another run holds the lock, 64 usage or invalid input, \
      130 interrupted.
      """,
    version: version,
    subcommands: [
      PlanCommand.self, ApplyCommand.self, ValidateCommand.self, InventoryCommand.self,
      StatusCommand.self, FactsCommand.self, ExecCommand.self, SecretsCommand.self,
      ShowCommand.self, GraphCommand.self, SimulateCommand.self, HistoryCommand.self,
      UnlockCommand.self,
      SchemaCommand.self, ConnectionsCommand.self, KeepConnectionsCommand.self,
    ])

  package init() {}
}
