import ArgumentParser
import Foundation
import HelixAge
import HelixKinds
import HelixModel
import HelixPlan
import HelixRun
import HelixSOPS
import HelixSecrets

/// Tells why something does not decrypt, here or in the cluster.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Compare keys, rules, files and the cluster's Secret.",
    discussion: """
      Shows which identities this machine has and where from, which rules there are, what files are \
      for whom, and what the cluster's Secret holds, as public keys; then everything that does not fit \
      together, each with its fix. Changes nothing. Exits with 1 when something is wrong.
      """)

  @Argument(help: "Files whose rule is to be explained.", completion: .file())
  var files: [String] = []

  @Flag(help: "Do not ask the cluster.")
  var offline = false

  @OptionGroup(title: "Hosts") var connection: ConnectionOptions
  @OptionGroup var inventory: EstateOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await Console.ofSecrets(common).atDesk(inventory) { console, desk in
      let search = try desk.config()
      for path in files { _ = try GuardedFile.given(path) }
      let scan = desk.scan(files, config: search.config)
      let (cluster, silence) = try await clusterKeys(desk, Progress(console))
      let reading = DoctorReading(
        findings: desk.findings, estateIdentity: desk.estateIdentity, config: search.config,
        scan: scan, cluster: cluster)
      console.answer(DoctorText(explaining: files).render(reading))
      let problems = search.warnings + Doctor(reading).problems() + silence
      console.report(problems)
      guard problems.allSatisfy({ $0.severity != .error }) else { throw ExitStatus.failed.exit }
    }
  }

  /// What the cluster's Secret holds, or why it could not be asked.
  private func clusterKeys(
    _ desk: SecretsDesk, _ progress: Progress
  ) async throws -> (ClusterKeys?, [Diagnostic]) {
    guard !offline, let bootstrap = desk.spec?.bootstrap else { return (nil, []) }
    let estate = try Project.inventory(
      of: PlanRequest(inventory: inventory.folder, playbooks: []))
    let servers = Set(estate.cluster?.k3s.servers ?? [])
    let fact = AgeKeysReading.fact(name: bootstrap.name.value)
    let fingerprints = KeyedFingerprinter(
      // Only compared within this run, so there is nothing that a lasting key would be for.
      key: SecretValue(randomNonce() + randomNonce()), secrets: desk.store(folder: ""))
    let reach = try await Reach(
      estate.hosts.filter { servers.contains($0.name) }, connection,
      secrets: desk.store(folder: "secrets"))
    let observation = try await Observer(
      shells: reach.shells, key: fingerprints.key, events: progress
    ).observe(
      Dictionary(uniqueKeysWithValues: servers.map { ($0, [fact.request]) }))
    await progress.finish()
    await reach.close()
    for server in servers.sorted() {
      guard let answer = observation.answer(fact.request.id, on: server),
        let reading = try fact.parse(answer)
      else { continue }
      return (try keys(reading, bootstrap, desk, fingerprints), [])
    }
    return (nil, [unasked(servers.sorted().compactMap(observation.silence))])
  }

  private func keys(
    _ reading: AgeKeysReading, _ bootstrap: BootstrapSpec, _ desk: SecretsDesk,
    _ fingerprints: KeyedFingerprinter
  ) throws -> ClusterKeys {
    var known: [String: [String]] = [:]
    for identity in desk.findings.flatMap(\.identities) {
      guard let text = identity.keyText else { continue }
      known[fingerprints.fingerprint(ofValue: text.reveal())] = identity.recipients
    }
    return ClusterKeys(
      namespace: bootstrap.namespace.value, name: bootstrap.name.value,
      entries: reading.entries.map { entry in
        ClusterKeys.Entry(
          namespace: entry.namespace, key: entry.key,
          recipients: entry.identities.flatMap { known[$0] ?? [] },
          unknown: entry.identities.count { known[$0] == nil })
      })
  }

  private func unasked(_ silences: [Diagnostic]) -> Diagnostic {
    Diagnostic(
      "the cluster could not be asked", reason: silences.first?.summary ?? "no server answers",
      remedy: "bring a server back, or look at the rest alone: --offline", severity: .warning)
  }
}
