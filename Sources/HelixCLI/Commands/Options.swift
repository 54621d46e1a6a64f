import ArgumentParser
import Foundation
import HelixModel

/// When to use colours.
enum ColourChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never
}

/// What every command understands.
struct CommonOptions: ParsableArguments {
  @Option(help: "Colours: auto, always or never. NO_COLOR counts as never.")
  var color: ColourChoice = .auto

  /// The style for text on a stream: colours only where a person reads.
  func style(for descriptor: Int32) -> Style {
    switch color {
    case .always: .coloured
    case .never: .plain
    case .auto:
      environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
        && isatty(descriptor) == 1 ? .coloured : .plain
    }
  }

  private var environment: [String: String] { ProcessInfo.processInfo.environment }
}

/// Which inventory.
struct InventoryOptions: ParsableArguments {
  @Option(
    name: [.customShort("i"), .customLong("inventory")], help: "The inventory folder.",
    completion: .directory)
  var folder = ProjectOptions.defaultInventory
}

/// Which inventory and playbooks, and how much of them.
struct ProjectOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "The inventory folder.")
  var inventory = Self.defaultInventory

  @Option(help: "Only these hosts, as an Ansible host pattern.")
  var limit: String?

  @Option(help: "Only resources whose address matches, for example 'worker-*/k3s-*'; repeatable.")
  var target: [String] = []

  @Option(help: "Only tasks and roles with one of these tags, comma separated; repeatable.")
  var tags: [String] = []

  @Option(help: "No tasks and roles with one of these tags, comma separated; repeatable.")
  var skipTags: [String] = []

  @Option(
    name: [.customShort("e"), .long],
    help: "A variable that outweighs all others, as key=value; repeatable.")
  var extraVars: [String] = []

  static let defaultInventory = "inventory"
  static let defaultPlaybook = "playbooks/site.yaml"

  /// What is asked for without any option.
  static let standardRequest = PlanRequest(
    inventory: defaultInventory, playbooks: [defaultPlaybook])

  func request(playbooks: [String]) -> PlanRequest {
    PlanRequest(
      inventory: inventory, playbooks: playbooks.isEmpty ? [Self.defaultPlaybook] : playbooks,
      limit: limit, targets: target, tags: words(tags), skipTags: words(skipTags),
      extraVariables: extraVars)
  }

  /// Whether an argument names a playbook rather than a saved plan.
  static func isPlaybook(_ path: String) -> Bool {
    path.hasSuffix(".yaml") || path.hasSuffix(".yml")
  }

  private func words(_ lists: [String]) -> [String] {
    lists.flatMap { $0.split(separator: ",").map(String.init) }
  }
}

/// How hosts are reached.
struct ConnectionOptions: ParsableArguments {
  @Flag(
    help: "Trust and remember the key of a host that has none on record. Changed keys are refused.")
  var acceptNewHostKeys = false

  @Flag(
    name: [.customShort("k"), .long],
    help: "Ask once for the password of the login, for hosts that the inventory gives none.")
  var askPass = false

  @Flag(
    name: [.customShort("K"), .long],
    help: "Ask once for the password of sudo, for hosts that the inventory gives none.")
  var askBecomePass = false

  @Option(help: "What the connections log on stderr: debug tells every command sent.")
  var logLevel: LogLevel = .warning

  @Option(
    help: ArgumentHelp(
      "Leave the connections open in a small process for so long, such as 10m; 0 ends what is kept.",
      discussion: "HELIX_KEEP_CONNECTIONS stands for it where it is not given."))
  var keepConnections: KeepTime?

  func validate() throws { _ = try keepTime }

  /// How long connections are to be kept, from the command line or the environment; nil is silence.
  var keepTime: KeepTime? {
    get throws {
      if let keepConnections { return keepConnections }
      guard let text = ProcessInfo.processInfo.environment[KeepTime.variable], !text.isEmpty else {
        return nil
      }
      guard let time = KeepTime(argument: text) else {
        throw ValidationError("\(KeepTime.variable) is \"\(text)\", and \(KeepTime.form)")
      }
      return time
    }
  }
}

/// Where the secrets are that plans speak of.
struct SecretsOptions: ParsableArguments {
  @Option(help: "The folder of secrets, one file each, readable by you alone.")
  var secrets = "secrets"
}

/// How much is done at once; asking is not bounded by it.
struct ParallelismOptions: ParsableArguments {
  @Option(help: "How many steps are done, or hosts run a command, at once.")
  var parallelism = 10

  func validate() throws {
    guard (1...1000).contains(parallelism) else {
      throw ValidationError("--parallelism takes a number from 1 to 1000")
    }
  }
}
