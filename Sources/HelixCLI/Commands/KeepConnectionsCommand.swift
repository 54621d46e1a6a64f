import ArgumentParser
import HelixSSH

/// The process that keeps connections; runs start it themselves.
struct KeepConnectionsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keep-connections", abstract: "Keep connections for later runs.",
    shouldDisplay: false)

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = Console(common)
    try await console.guarding { try await Keeper.serveStandardInput() }
  }
}
