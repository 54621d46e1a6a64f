import HelixModel
import HelixPlan

/// A snapshot of etcd before the first server comes to another release: the way back from an upgrade
/// is a restore.
struct ClusterSnapshot: Resource {
  static let address = Address(.cluster, kind: "snapshot")
  let cluster: K3sCluster

  var address: Address { Self.address }
  var location: SourceLocation? { cluster.version.location }

  private var deprecated: Fact<DeprecatedAPIs> { DeprecatedAPIs.fact(cluster.version.value) }

  var questions: [Question] {
    cluster.facts.survey
      + cluster.servers.flatMap { server in
        [Question(NodeState.fact, on: server.host), Question(deprecated, on: server.host)]
      }
  }

  func found(_ sight: inout Sight) throws(Diagnostic) -> [any Resource] {
    let round = try UpgradeRound.read(cluster, &sight)
    return round.staying.isEmpty ? [] : [ReleaseAsleep(cluster: cluster)]
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let round = try UpgradeRound.read(cluster, &sight)
    let survey = try ClusterSurvey.read(cluster, &sight)
    let releases = cluster.managedServers.compactMap { round.changes[$0.host] }
    guard let from = releases.min() else {
      return .unchanged(reason: "no server comes to another release")
    }
    guard survey.silent.isEmpty else {
      let names = survey.silent.keys.sorted().map(\.rawValue).joined(separator: ", ")
      return .unchanged(reason: "no server is changed while \(names) cannot be asked")
    }
    guard let speaker = survey.living.first(where: { survey.states[$0.host]?.datastore == .etcd })
    else { return .unchanged(reason: "no etcd answers that could be saved") }
    let warning = try warning(from, round.target, survey, &sight)
    return .change(work(from, round.target, speaker.host, [warning].compactMap(\.self)))
  }

  private func work(
    _ from: K3sVersion, _ to: K3sVersion, _ host: HostName, _ warnings: [Diagnostic]
  ) -> Work {
    let step = Self.save(StepID(address, "save"), before: to, on: host)
    return Work(
      .create, fields: [FieldChange("snapshot", after: "\(Self.name(before: to))-… on \(host)")],
      reason: "servers go from \(from) to \(to)", warnings: warnings, steps: [step])
  }

  /// k3s adds the node's name and the time.
  private static func name(before release: K3sVersion?) -> String {
    "before-\(release?.imageTag ?? "upgrade")"
  }

  /// The step that saves a snapshot before servers come to a release; nil for one that is not known.
  static func save(_ id: StepID, before release: K3sVersion?, on host: HostName) -> Step {
    let launch = Launch(
      "save a snapshot of etcd",
      script: "\(K3sPaths.binary) etcd-snapshot save --name \(shellQuoted(name(before: release)))",
      timeout: 600, keepsResult: true)
    return Step(
      id, title: "save a snapshot of etcd on \(host)", on: host, [.launch(launch)])
  }

  /// Each server counts what it was asked for itself.
  private func warning(
    _ from: K3sVersion, _ to: K3sVersion, _ survey: ClusterSurvey, _ sight: inout Sight
  ) throws(Diagnostic) -> Diagnostic? {
    guard to.minor != from.minor else { return nil }
    var missing: Set<DeprecatedAPIs.API> = []
    for server in survey.living {
      missing.formUnion(try sight.read(deprecated, on: server.host).missing(in: to))
    }
    guard !missing.isEmpty else { return nil }
    let told = missing.map { "\($0.name) (gone in \($0.removedIn))" }.sorted()
    return Diagnostic(
      "\(to) does not have APIs that are still asked for: \(told.joined(separator: ", "))",
      reason: "whoever asks for them is refused after the upgrade",
      remedy: "bring manifests and clients to the newer API first",
      at: cluster.version.location, severity: .warning)
  }
}
