import ArgumentParser
import HelixInventory

/// Prints the JSON Schema of a document.
struct SchemaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print the JSON Schema of a document, for editors and tools.",
    discussion: """
      For an editor: helix-infra schema cluster > .schemas/cluster.json, and in cluster.yaml the \
      first line  # yaml-language-server: $schema=../.schemas/cluster.json
      """)

  enum Document: String, ExpressibleByArgument, CaseIterable {
    case cluster, linode, aws, plan, events, facts, exec, status, lock, simulate
    case upgradeStatus = "upgrade-status"
  }

  @Argument(
    help: """
      cluster, linode, aws (inventory files), plan (--json), events (apply --json), facts (--json), \
      exec (--json), status (--json), lock (unlock --json), simulate (--json), upgrade-status \
      (upgrade status --json).
      """)
  var document: Document

  @OptionGroup var common: CommonOptions

  func run() async throws {
    Console(common).answer(schema + "\n")
  }

  private var schema: String {
    switch document {
    case .cluster, .linode, .aws: DocumentSchemas.schema(of: "\(document.rawValue).yaml") ?? ""
    case .plan: PlanSchema.text
    case .events: EventSchema.text
    case .facts: FactsSchema.text
    case .exec: ExecSchema.text
    case .status: StatusSchema.text
    case .lock: LockSchema.text
    case .simulate: SimulationSchema.text
    case .upgradeStatus: UpgradeStatusSchema.text
    }
  }
}
