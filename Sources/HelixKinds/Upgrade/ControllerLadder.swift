import HelixModel
import HelixPlan

/// What an upgrade through the controller leaves for a later run: releases that follow this hop,
/// nodes that cannot be drained, and agents that are off.
struct ControllerLadder: Resource {
  let door: ClusterDoor
  let spec: UpgradeSpec
  let release: ControllerRelease?

  var address: Address { UpgradeLadder.address }
  var location: SourceLocation? { spec.location }
  var questions: [Question] { UpgradePlanResource.questions(door, spec) }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    guard case .open(let host) = try door.way(&sight),
      let rollout = try UpgradeRollout.read(door, spec, release, on: host, &sight)
    else { return .unchanged(reason: "nothing to say before the cluster answers") }
    // Where nothing else is to be done, the UpgradePlan says itself who is blocked.
    let blocked = K3sRoleOfNode.inOrder.flatMap { role in
      rollout.pending(role).isEmpty ? [] : rollout.blocked(role)
    }
    if let block = blocked.first.flatMap(rollout.block) { return .heldBack(block) }
    let absent = rollout.absent
    guard case .hop(let hop) = rollout.next, !hop.isLast else {
      return absent.isEmpty
        ? .unchanged(reason: "nothing is left for a later run") : .heldBack(off(absent))
    }
    guard !absent.isEmpty else { return .heldBack(hop.later(at: door.cluster.version.location)) }
    var why = off(absent)
    why.reason = "\(hop.words): no hop begins before every node has made the one before"
    return .heldBack(why)
  }

  private func off(_ nodes: [UpgradeNode]) -> Diagnostic {
    let told = nodes.map { "\($0.name) (\($0.version?.description ?? "an unknown release"))" }
    return Diagnostic(
      "off, and left as it is: \(told.joined(separator: ", "))",
      reason: "the cluster does not hear its kubelet",
      remedy: "bring it back and apply again, or delete its node if it is gone for good",
      at: .resource(address))
  }
}
