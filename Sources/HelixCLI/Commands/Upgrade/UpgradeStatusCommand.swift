import ArgumentParser
import Foundation
import HelixKinds
import HelixModel
import HelixPlan
import HelixRun

/// Tells of every node what it runs, what it should run, and what stands between.
struct UpgradeStatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Tell how far the upgrade is, node by node.",
    discussion: """
      Asks the servers and changes nothing. Exits with 0 when every node runs the wanted release and \
      is well, with 2 when nodes have yet to come to it, and with 1 when something is stuck or wrong. \
      With --watch it goes on until the upgrade is done, also while something is stuck or no server \
      answers.
      """)

  @OptionGroup var inventory: InventoryOptions
  @OptionGroup(title: "Hosts") var connection: ConnectionOptions
  @OptionGroup var common: CommonOptions

  @Flag(help: "Ask again every few seconds until the upgrade is done; Ctrl-C ends it.")
  var watch = false

  @Flag(help: "Print it as JSON; `helix-infra schema upgrade-status` describes it.")
  var json = false

  private static let pause: Duration = .seconds(5)
  private static let patience: Duration = .seconds(60)

  func validate() throws {
    guard !(watch && json) else {
      throw ValidationError("--json prints one document; leave --watch out")
    }
  }

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      let estate = try Project.inventory(
        of: PlanRequest(inventory: inventory.folder, playbooks: []))
      try Project.checkConnections(of: estate)
      let servers = Set(estate.cluster?.k3s.servers ?? [])
      let reach = try await Reach(
        estate.hosts.filter { servers.contains($0.name) }, connection,
        secrets: SecretsDesk(estate.cluster?.secrets).store(folder: "secrets"))
      let inquiry: Inquiry = { try await ask(estate, servers, reach, console) }
      let status = watch ? try await follow(inquiry, console) : try await once(inquiry, console)
      await reach.close()
      switch status.state {
      case .done: return
      case .underWay: throw ExitStatus.changesPending.exit
      case .stuck: throw ExitStatus.failed.exit
      }
    }
  }

  private typealias Inquiry = () async throws -> UpgradeStatus.Answer

  private func once(_ inquiry: Inquiry, _ console: Console) async throws -> UpgradeStatus {
    switch try await inquiry() {
    case .silence(let why): throw Failure(.failed, [why])
    case .told(let status):
      console.answer(
        json
          ? try UpgradeStatusDocument(status).jsonDocument()
          : Data(UpgradeStatusText(style: console.output).render(status).utf8))
      console.report(status.problems)
      return status
    }
  }

  private func follow(
    _ inquiry: @escaping Inquiry, _ console: Console
  ) async throws -> UpgradeStatus {
    var isFirst = true
    return try await UpgradeWatch(
      ask: inquiry,
      show: { answer in
        switch answer {
        case .silence(let why): console.report([why])
        case .told(let status):
          let text = UpgradeStatusText(style: console.output).render(status)
          console.answer(isFirst || !isTerminal ? text : Self.home + text)
          console.report(status.problems)
          isFirst = false
        }
      },
      pause: { try await Task.sleep(for: Self.pause) }
    ).run()
  }

  private var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  /// Back to the top of a cleared screen.
  private static let home = "\u{1B}[H\u{1B}[2J"

  private func ask(
    _ estate: Inventory, _ servers: Set<HostName>, _ reach: Reach, _ console: Console
  ) async throws -> UpgradeStatus.Answer {
    let progress = Progress(console)
    // No answer shows a fingerprint, so there is nothing that a lasting key would be for.
    let observation = try await Observer(
      shells: reach.shells, key: SecretValue(randomNonce()), timeout: Self.patience,
      events: watch ? EventFan([]) : progress
    ).observe(
      Dictionary(uniqueKeysWithValues: servers.map { ($0, UpgradeStatus.requests) }))
    await progress.finish()
    do {
      return try UpgradeStatus.read(observation, inventory: estate)
    } catch {
      // What was written down was read before; this is what the cluster said, or did not.
      throw Failure(.failed, error.all)
    }
  }
}

/// The document that `upgrade status --json` prints.
private struct UpgradeStatusDocument: Encodable {
  private enum Key: String, CodingKey { case format, version }

  let status: UpgradeStatus

  init(_ status: UpgradeStatus) { self.status = status }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode("helix-infra/upgrade-status", forKey: .format)
    try container.encode(1, forKey: .version)
    try status.encode(to: encoder)
  }
}
