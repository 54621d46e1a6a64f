import HelixModel

extension UpgradeLints {
  /// UpgradePlans of others that go by the name of ours, and so by its label on nodes.
  ///
  /// The label is made of the name alone; another controller works in another namespace.
  func namesakes(_ role: K3sRoleOfNode) -> [Diagnostic] {
    let name = UpgradePlanObject.name(role)
    return foreign.filter { $0.name == name }.compactMap { plan in
      let nodes = rollout.nodes(role).filter { plan.selects($0) }
      guard !nodes.isEmpty else { return nil }
      return Diagnostic(
        "the UpgradePlan \(plan.namespace)/\(plan.name) goes by the name of ours",
        reason: "both go by the label \(NodeLabels.plan(name)): each takes the other's mark for its"
          + " own, or does a node again that the other has done",
        remedy: "write it anew under another name, then kubectl -n \(plan.namespace) delete plan"
          + " \(plan.name)",
        at: .resource(UpgradePlanResource.address(role)),
        severity: rollout.pending(role).isEmpty ? .warning : .error)
    }
  }

  /// Two UpgradePlans of others that select the same node.
  var pairs: [Diagnostic] {
    foreign.indices.flatMap { first in
      foreign[(first + 1)...].compactMap { pair(foreign[first], $0) }
    }
  }

  private func pair(_ one: LiveUpgradePlan, _ other: LiveUpgradePlan) -> Diagnostic? {
    let nodes = rollout.view.nodes.filter { one.selects($0) && other.selects($0) }.map(\.name)
    guard !nodes.isEmpty, let (what, why, fix) = clash(one, other) else { return nil }
    let shown = nodes.prefix(5).joined(separator: ", ")
    let rest = nodes.count > 5 ? " and \(nodes.count - 5) more" : ""
    return Diagnostic(
      "the UpgradePlans \(one.namespace)/\(one.name) and \(other.namespace)/\(other.name) \(what)"
        + " \(shown)\(rest)",
      reason: why, remedy: fix, severity: .warning)
  }

  private func clash(
    _ one: LiveUpgradePlan, _ other: LiveUpgradePlan
  ) -> (what: String, why: String, fix: String)? {
    if one.name == other.name {
      let isSame = !one.latestHash.isEmpty && one.latestHash == other.latestHash
      return (
        "share the label \(NodeLabels.plan(one.name)) on",
        isSame
          ? "they have one hash, so what one has done counts as done by the other"
          : "their hashes differ, so each does again what the other has done, for ever",
        "give one of them another name"
      )
    }
    guard [one, other].allSatisfy({ $0.image.contains("k3s-upgrade") }) else { return nil }
    return one.wants == other.wants
      ? (
        "both upgrade", "each node is cordoned or drained once for each of them",
        "make their nodeSelectors differ, or delete one"
      )
      : (
        "bring to different releases",
        "they lead to \(one.wants) and to \(other.wants), and"
          + " k3s-upgrade refuses to go back: the job of the older one fails",
        "make their nodeSelectors differ, or delete one"
      )
  }
}
