import HelixModel
import HelixPlan

/// A snapshot of etcd before the first server comes to another release: the way back from an upgrade
/// is a restore.
struct ClusterSnapshot: Resource {
  static let address = Address(.cluster, kind: "snapshot")
  let cluster: K3sCluster

  var address: Address { Self.address }
  var location: SourceLocation? { cluster.version.location }

  var questions: [Question] {
    cluster.facts.survey + cluster.servers.map { Question(NodeState.fact, on: $0.host) }
      + DeprecatedAPIs.questions(cluster)
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
    let warning = try DeprecatedAPIs.warning(
      cluster, from: from, to: round.target, &sight)
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
}
