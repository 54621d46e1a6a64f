import ArgumentParser
import HelixModel
import HelixPlan
import HelixRun

/// Shows who holds the lock of the cluster, and takes it away from runs that have ended.
struct UnlockCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unlock",
    abstract: "Tell who holds the cluster's lock, and remove it.",
    discussion: """
      Asks every server who holds its copy, since when, and whether that run is alive, by the server's \
      own uptime. What has expired is removed. A lock that is alive is only removed after "yes" or \
      with --force; its run can then do no more on any host that answers. A run that was killed loses \
      its lock by itself.

      Exit status: 0 nobody holds the lock any more, 5 a run that is alive still does, 1 servers could \
      not be asked.
      """)

  @OptionGroup var inventory: InventoryOptions
  @OptionGroup(title: "Hosts") var connection: ConnectionOptions
  @OptionGroup var secrets: SecretsOptions
  @OptionGroup var common: CommonOptions

  @Flag(help: "Remove the lock of a run that is alive, too, without asking.")
  var force = false

  @Flag(help: "Print it as JSON; `helix-infra schema lock` describes it.")
  var json = false

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      let inventory = try Project.inventory(
        of: PlanRequest(inventory: self.inventory.folder, playbooks: []))
      try Project.checkConnections(of: inventory)
      guard let cluster = inventory.cluster, !cluster.k3s.servers.isEmpty else {
        throw Failure(
          .invalidInput,
          [
            Diagnostic(
              "the inventory has no cluster, so there is no lock on hosts",
              reason:
                "a run without one locks only its working folder, for as long as it lives")
          ])
      }
      let reach = try await Reach(
        inventory.hosts, connection,
        secrets: SecretsDesk(cluster.secrets).store(folder: secrets.secrets))
      let lock = ClusterLock(
        cluster: cluster.name.value, servers: cluster.k3s.servers, agents: cluster.k3s.agents,
        others: inventory.hosts.map(\.name), shells: reach.shells, run: .here("unlock"))
      try await unlock(lock, of: cluster.name.value, console)
      await reach.close()
    }
  }

  private func unlock(_ lock: ClusterLock, of cluster: String, _ console: Console) async throws {
    let report = try await lock.look()
    console.report(report.silences)
    let text = LockText(cluster: cluster, style: console.output)
    if !json { console.answer(text.render(report)) }
    let mayRemove = try await mayRemove(report, console)
    var removed: [HostName] = []
    var faults: [Diagnostic] = []
    if mayRemove, !report.holders.isEmpty {
      (removed, faults) = await lock.remove(report)
    }
    console.report(faults)
    if json {
      console.answer(try LockDocument(cluster: cluster, report, removed: removed).jsonDocument())
    } else if !removed.isEmpty {
      console.answer(text.removed(removed))
    }
    if !mayRemove, let holder = report.living { throw Failure(.locked, [alive(holder)]) }
    guard !report.isOutOfReach, !faults.contains(where: { $0.severity == .error }) else {
      throw ExitStatus.failed.exit
    }
  }

  private func mayRemove(_ report: LockReport, _ console: Console) async throws -> Bool {
    guard report.living != nil, !force else { return true }
    guard console.canAsk else { return false }
    do {
      try await console.awaitApproval(
        of: "Take the lock away from a run that is alive?", otherwise: "say --force")
      return true
    } catch is Failure {
      return false
    }
  }

  private func alive(_ holder: LockHolder) -> Diagnostic {
    Diagnostic(
      "the lock was left to \(holder.words)",
      reason: "that run is alive: it renewed the lock \(holder.renewed) s ago",
      remedy: "wait until it has ended, or take the lock away with --force")
  }
}
