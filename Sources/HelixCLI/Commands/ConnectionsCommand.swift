import ArgumentParser
import HelixSSH

/// Lists the connections that are kept, or ends them.
struct ConnectionsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connections", abstract: "List the connections that are kept, or end them.",
    discussion: """
      Runs with --keep-connections leave a small process behind that holds their sessions, so that \
      the next run with the option needs no login.
      """)

  @Flag(help: "End them all, and the processes that hold them.")
  var close = false

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      let kept = KeptConnections()
      let connections = try await kept.list()
      if close { try await kept.end() }
      console.answer(KeptConnectionsText(isClosed: close).render(connections))
    }
  }
}
