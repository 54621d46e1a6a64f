import ArgumentParser
import HelixInventory
import HelixModel

/// Shows the inventory as Ansible would.
struct InventoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inventory", abstract: "Show hosts, groups and variables.",
    discussion: "--list and --host print what ansible-inventory prints.")

  enum Form: EnumerableFlag {
    case list, graph

    static func help(for form: Form) -> ArgumentHelp? {
      switch form {
      case .list: "All groups, hosts and their variables as JSON."
      case .graph: "The groups and hosts as a tree (the default)."
      }
    }
  }

  @Flag var form: Form = .graph

  @Option(help: "One host's variables as JSON.")
  var host: String?

  @OptionGroup var inventory: InventoryOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      let inventory = try Project.inventory(
        of: PlanRequest(inventory: self.inventory.folder, playbooks: []))
      console.report(inventory.warnings)
      if let host {
        console.answer(try variables(of: host, in: inventory) + "\n")
      } else {
        switch form {
        case .list: console.answer(InventoryListing.list(inventory) + "\n")
        case .graph:
          console.answer(try InventoryListing.graph(inventory) + "\n" + EstateText.cloud(inventory))
        }
      }
    }
  }

  private func variables(of host: String, in inventory: Inventory) throws(Diagnostics) -> String {
    do {
      return try InventoryListing.host(HostName(host), in: inventory)
    } catch {
      throw Diagnostics(error)
    }
  }
}
