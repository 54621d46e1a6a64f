import HelixModel
import HelixPlan

/// The releases of a ladder that follow the hop of this run, each in a run of its own.
struct ClusterLadder: Resource {
  let cluster: K3sCluster

  var address: Address { Address(.cluster, kind: "ladder") }
  var location: SourceLocation? { cluster.version.location }
  var questions: [Question] { cluster.facts.survey }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let round = try UpgradeRound.read(cluster, &sight)
    guard let hop = round.hop, !hop.isLast else {
      return .unchanged(reason: "no release comes after this one")
    }
    let survey = try ClusterSurvey.read(cluster, &sight)
    let rest = hop.then.map(\.description).joined(separator: ", then ")
    let left = left(behind: hop, round, survey)
    let told = left.map { "\($0.name) runs \($0.version) and stays there in this run" }
    return .heldBack(
      Diagnostic(
        "\(rest) follows when every node runs \(hop.to)",
        reason: told.isEmpty
          ? "\(hop.words): one run makes one hop, and looks at what nodes run before the next"
          : told.joined(separator: "; "),
        remedy: told.isEmpty
          ? "apply this plan, then apply again"
          : "bring \(left.map(\.name).joined(separator: ", ")) back, or take it out of the"
            + " inventory and delete its node",
        at: cluster.version.location))
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
