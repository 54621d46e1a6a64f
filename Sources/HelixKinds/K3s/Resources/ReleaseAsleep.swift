import HelixModel
import HelixPlan

/// Another release for a cluster that nobody answers for: it waits, and members are started with the
/// one they have.
///
/// A resource of its own, since whatever stood behind one that is held back would not be started.
struct ReleaseAsleep: Resource {
  let cluster: K3sCluster

  var address: Address { Address(.cluster, kind: "release") }
  var location: SourceLocation? { cluster.version.location }
  var questions: [Question] { cluster.facts.survey }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let round = try UpgradeRound.read(cluster, &sight)
    let shown = round.staying.prefix(5).map(\.rawValue).joined(separator: ", ")
    let rest = round.staying.count > 5 ? " and \(round.staying.count - 5) more" : ""
    return .heldBack(
      Diagnostic(
        "\(round.target) waits until a server of \(cluster.name) answers",
        reason: "nobody could save a snapshot or take pods off a node, so the release stays on"
          + " \(shown)\(rest)",
        remedy: "start the cluster first: apply this plan, then apply again",
        at: cluster.version.location))
  }
}

extension K3sArtifact {
  /// What becomes of a node's release while nobody answers for its cluster; nil where a file must be
  /// put there all the same, because there is none that runs.
  func whileAsleep(_ installed: InstalledBinary?, _ view: NodeView) -> Verdict? {
    guard view.survey.isAsleep else { return nil }
    let target = view.round.target
    if view.entry.isMember {
      guard let version = installed?.version, version != target else { return nil }
      return .unchanged(reason: "\(version) stays, since no server answers")
    }
    guard
      let holder = view.survey.holders.first(where: {
        view.survey.versions[$0.host].map { $0 != target } ?? false
      }), let version = view.survey.versions[holder.host]
    else { return nil }
    return .heldBack(
      Diagnostic(
        "\(node.host) joins when \(node.cluster.name) answers again",
        reason: "\(holder.host) has \(version), and no node joins with another release",
        remedy: "start the cluster first: apply this plan, then apply again",
        at: .host(node.host, address: node.member.address)))
  }
}
