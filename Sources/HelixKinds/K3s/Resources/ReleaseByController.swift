import HelixModel
import HelixPlan

extension K3sArtifact {
  /// What there is to say of a member's release where the cluster upgrades itself; nil where this
  /// role sees to the binary as ever.
  func verdictByController(_ sight: inout Sight) throws(Diagnostic) -> Verdict? {
    let cluster = node.cluster
    guard let upgrade = cluster.upgrade, upgrade.strategy == .controller,
      let installed = try sight.read(InstalledBinary.fact, on: node.host)?.version
    else { return nil }
    let survey = try ClusterSurvey.read(cluster, &sight)
    guard survey.isMember(node, try sight.read(NodeState.fact, on: node.host)) else { return nil }
    let wanted = cluster.version.value
    if upgrade.channel != nil { return .unchanged(reason: "\(installed) runs, by the channel") }
    let round = try UpgradeRound.read(cluster, &sight)
    if installed == wanted {
      return round.target == wanted ? nil : .unchanged(reason: "already \(wanted)")
    }
    if wanted < installed { return .refused(downgrade(from: installed)) }
    if let why = waitsForRole(from: installed) { return .heldBack(why) }
    return .unchanged(
      reason: "\(installed) runs; system-upgrade-controller brings it to \(wanted)")
  }

  /// Why nothing of a member is changed before the cluster has been upgraded: a file would lie there
  /// for a restart that is held back, and a crash would take it up.
  func waitsForUpgrade(_ sight: inout Sight) throws(Diagnostic) -> Diagnostic? {
    guard case .heldBack(let why) = try verdictByController(&sight) else { return nil }
    return why
  }

  private func waitsForRole(from installed: K3sVersion) -> Diagnostic? {
    node.cluster.givenRoles.contains(SystemUpgradeRole.role.name)
      ? nil : nobodyUpgrades(from: installed)
  }

  private func nobodyUpgrades(from installed: K3sVersion) -> Diagnostic {
    Diagnostic(
      "\(node.host) runs \(installed), and cluster.yaml says \(node.cluster.version.value)",
      reason: "upgrade.strategy is controller, and this run does not give"
        + " \(SystemUpgradeRole.role.name)",
      remedy: "apply the playbook that has the role as well, such as playbooks/upgrade.yaml; both"
        + " may go in one run. Or write strategy: ssh", at: node.cluster.version.location)
  }
}
