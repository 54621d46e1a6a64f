import ArgumentParser
import Foundation
import HelixInventory
import HelixKinds
import HelixModel
import HelixPlan
import HelixRun

/// Tells how the cluster is: in one screen, or as one document.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Tell how the cluster is, in one screen; exits with 1 when not well.",
    discussion: """
      Asks all hosts at once, each with one question, and changes nothing. Needs no playbook. Works \
      when the cluster is down, too: disks, services and etcd's own words still tell.

      Exits with 0 when the cluster is healthy, warnings or not, and with 1 when it is not.
      """)

  @OptionGroup var inventory: InventoryOptions

  @Option(
    help: "Show only these hosts, as an Ansible host pattern; servers are asked all the same.")
  var limit = "all"

  @OptionGroup(title: "Hosts") var connection: ConnectionOptions
  @OptionGroup var common: CommonOptions

  @Flag(help: "Print it as JSON; `helix-infra schema status` describes it.")
  var json = false

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      let selection = try HostSelection.read(limit, in: inventory)
      console.report(selection.inventory.warnings)
      guard let cluster = selection.inventory.cluster else { throw Diagnostics(noCluster) }
      let inquiry = try StatusInquiry(
        cluster, inventory: selection.inventory, shown: selection.names)
      let observation = try await observe(inquiry, selection.inventory, Progress(console))
      let report = inquiry.report(
        observation, now: Int(Date().timeIntervalSince1970), hasEnded: \.isGone)
      if json {
        console.answer(try report.jsonDocument())
      } else {
        console.answer(StatusText(style: console.output).render(report))
      }
      guard report.isHealthy else { throw ExitStatus.failed.exit }
    }
  }

  private func observe(
    _ inquiry: StatusInquiry, _ inventory: Inventory, _ progress: Progress
  ) async throws -> Observation {
    let reach = try await Reach(
      inventory.hosts, connection,
      secrets: SecretsDesk(inventory.cluster?.secrets).store(folder: "secrets"))
    // No fingerprint is shown or kept, so there is nothing that a lasting key would be for.
    let observer = Observer(
      shells: reach.shells, key: SecretValue(randomNonce()), events: SilenceToldLater(progress))
    let observation = try await observer.observe(inquiry.questions)
    await progress.finish()
    await reach.close()
    return observation
  }

  private var noCluster: Diagnostic {
    Diagnostic(
      "there is no cluster to tell of", reason: "the inventory has no cluster.yaml",
      remedy: "write one with cluster: and k3s:, or see what the hosts are: helix-infra facts",
      at: SourceLocation(file: "\(inventory.folder)/cluster.yaml", line: 1, column: 1))
  }
}

/// Passes events on, but for why a host is silent: the answer says that in its place.
private struct SilenceToldLater: EventSink {
  private let sink: any EventSink

  init(_ sink: any EventSink) { self.sink = sink }

  func report(_ event: Event) async {
    if case .hostSilent = event { return }
    await sink.report(event)
  }
}
