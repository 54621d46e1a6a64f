import Foundation
import HelixArtifacts
import HelixInventory
import HelixKinds
import HelixModel
import HelixPlan
import HelixRun
import HelixSecrets

/// The outside world of one command: hosts, secrets, artifacts.
struct Session {
  let project: Project
  let fingerprints: KeyedFingerprinter
  private let reach: Reach
  private let desk: SecretsDesk
  private let secrets: EstateSecretStore
  private let artifacts: ReleaseArtifactStore
  private let events: any EventSink

  /// - Throws: a `Diagnostic` when the fingerprint key cannot be read or made, or a password cannot
  ///   be asked for.
  init(
    _ project: Project, _ connection: ConnectionOptions, _ secrets: SecretsOptions,
    events: any EventSink
  ) async throws {
    let environment = ProcessInfo.processInfo.environment
    self.project = project
    self.events = events
    desk = SecretsDesk(project.inventory.cluster?.secrets)
    self.secrets = desk.store(folder: secrets.secrets)
    fingerprints = KeyedFingerprinter(
      key: try FingerprintKeyFile(environment: environment).key(), secrets: self.secrets)
    reach = try await Reach(project.inventory.hosts, connection, secrets: self.secrets)
    artifacts = try ReleaseArtifactStore(
      origin: project.inventory.cluster?.k3s.artifacts ?? .releases,
      cache: ReleaseArtifactStore.defaultCache(environment: environment))
  }

  /// Asks every host, and the release lists for what the hosts' machines need.
  func observe() async throws -> Observation {
    let observer = Observer(shells: reach.shells, key: fingerprints.key, events: events)
    var observation = try await observer.observe(project.desired.questions)
    let needed = project.desired.artifacts(observation, fingerprints: fingerprints)
    for artifact in needed.sorted(by: { ($0.release, $0.file) < ($1.release, $1.file) }) {
      do {
        observation.checksums[artifact] = try await artifacts.checksum(of: artifact)
      } catch var why as Diagnostic {
        why.place = why.place ?? project.inventory.cluster?.place(of: artifact.release)
        throw why
      }
    }
    if project.desired.needsIdentityProof {
      observation.identities = try desk.identityProof(fingerprints)
    }
    return observation
  }

  /// The plan of the project as things are now; the answers are kept in a file if one is named.
  func plan(keepingAnswersAt path: String? = nil) async throws -> Plan {
    let observation = try await observe()
    if let path { try OwnerFile.write(try JSONEncoder().encode(observation), to: path) }
    return try Planner.plan(
      project.desired, observation: observation, fingerprints: fingerprints,
      warnings: project.warnings)
  }

  /// The lock of the cluster that the project is about; nil when it is about none.
  func clusterLock(for run: RunIdentity) -> ClusterLock? {
    guard project.isAboutCluster, let cluster = project.inventory.cluster else { return nil }
    return ClusterLock(
      cluster: cluster.name.value, servers: cluster.k3s.servers, agents: cluster.k3s.agents,
      others: project.hosts, shells: reach.shells, run: run)
  }

  /// Carries a plan out, behind the fence that came with the cluster's lock.
  func apply(
    _ plan: Plan, as run: RunIdentity, fence: Fence?, parallelism: Int, stop: StopRequest,
    events: any EventSink
  ) async -> RunSummary {
    let ports = RunPorts(
      shells: reach.shells, secrets: secrets, artifacts: artifacts, kubeconfigs: KubeconfigMerger(),
      diagnoses: Catalogue.diagnoses, home: NSHomeDirectory(),
      run: run, fence: fence)
    // A restart writes no secret, and what a host says when it fails may hold one all the same.
    let confidential = project.confidential
    return await Executor(
      ports: ports, parallelism: parallelism, confidential: confidential, events: events
    ).run(plan, stop: stop)
  }

  /// Ends all sessions.
  func close() async { await reach.close() }
}

extension ClusterSpec {
  /// Where a release is written down.
  func place(of release: String) -> Diagnostic.Place? {
    let written = [k3s.version] + (upgrade?.through ?? [])
    return written.first { $0.value.description == release }.map { .source($0.location) }
  }
}
