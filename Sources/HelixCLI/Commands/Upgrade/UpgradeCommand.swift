import ArgumentParser

/// Everything about upgrades that is no plan.
struct UpgradeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upgrade", abstract: "See how an upgrade of the cluster goes.",
    subcommands: [UpgradeStatusCommand.self])
}
