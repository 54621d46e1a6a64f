import HelixModel
import HelixPlan

/// The releases of a ladder that follow the hop of this run, each in a run of its own, where nodes
/// are upgraded over SSH.
struct ClusterLadder: Resource {
  let cluster: K3sCluster

  var address: Address { UpgradeLadder.address }
  var location: SourceLocation? { cluster.version.location }
  var questions: [Question] { cluster.facts.survey }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let round = try UpgradeRound.read(cluster, &sight)
    guard let hop = round.hop, !hop.isLast else {
      return .unchanged(reason: "no release comes after this one")
    }
    let survey = try ClusterSurvey.read(cluster, &sight)
    var why = hop.later(at: cluster.version.location)
    let left = left(behind: hop, round, survey)
    guard !left.isEmpty else { return .heldBack(why) }
    let told = left.map { "\($0.name) runs \($0.version) and stays there in this run" }
    why.reason = told.joined(separator: "; ")
    why.remedy =
      "bring \(left.map(\.name).joined(separator: ", ")) back, or take it out of the"
      + " inventory and delete its node"
    return .heldBack(why)
  }

  /// Nodes that the ladder waits for and that this run does not bring on.
  private func left(
    behind hop: UpgradeLadder.Hop, _ round: UpgradeRound, _ survey: ClusterSurvey
  ) -> [(name: String, version: K3sVersion)] {
    (cluster.servers + cluster.agents).compactMap { member in
      guard let version = survey.nodes[member.nodeName]?.version, version < hop.to,
        round.changes[member.host] == nil || !cluster.managed.contains(member.host)
      else { return nil }
      return (member.nodeName, version)
    }
  }
}
