import HelixModel
import HelixPlan

/// Clears the way for a node that joins anew: what an earlier machine of its name left in the
/// cluster would turn it away.
struct K3sMember: K3sResource {
  static let kind = "k3s-member"
  let node: K3sNode

  /// Last before the join, so that nothing is taken out for a node that cannot be prepared.
  var after: [Address] {
    [K3sArtifact.kind, K3sToken.kind, K3sConfig.kind, K3sUnit.kind].map(node.address)
  }

  var ownQuestions: [Question] { [Question(MachineFacts.fact, on: node.host)] }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let machine = try sight.read(MachineFacts.fact, on: node.host)
    return try node.judge(&sight) { (_, view) throws(Diagnostic) in
      if view.entry.isMember { return self.asMember(view) }
      guard let stale = view.survey.nodes[self.node.name] else {
        return .unchanged(reason: "the cluster knows no node of this name")
      }
      if stale.isHeard, !stale.machineID.isEmpty, stale.machineID != machine.machineID {
        return .refused(self.nameIsTaken(stale))
      }
      guard let speaker = view.survey.speaker(for: self.node) else {
        return .heldBack(Diagnostic("no server answers for \(self.node.cluster.name)"))
      }
      return .change(self.work(stale, speaker, view))
    }
  }

  /// A member is in its place, unless the cluster holds on to the password of a machine before it.
  private func asMember(_ view: NodeView) -> Verdict {
    guard view.state.passwordIsRejected, let speaker = view.survey.speaker(for: node) else {
      return .unchanged(reason: "a member of the cluster")
    }
    let title = "take the old password of \(node.name) out of the cluster, on \(speaker.host)"
    return .change(
      Work(
        .replace,
        fields: [
          FieldChange("\(node.name).node-password.k3s", before: "of another machine")
        ],
        reason: "the cluster knows \(node.name) with another password than the host has",
        steps: [
          Step(
            StepID(address, "forget"), title: title, host: speaker.host,
            instructions: [.run(script: forgetPassword)])
        ]))
  }

  private func work(
    _ stale: LiveNode, _ speaker: K3sCluster.Member, _ view: NodeView
  ) -> Work {
    let isVoter = stale.isVoter != nil
    let votes = view.survey.votes(around: node)
    let arithmetic =
      isVoter
      ? "; without it \(votes.voters - 1) voters are left, \(votes.wellOthers) of them well" : ""
    let title = "take the old \(node.name) out of the cluster, on \(speaker.host)"
    let waits = view.survey.waitsForService(of: node, view.entry)
    return Work(
      .replace,
      fields: [
        FieldChange("node", before: "of machine \(short(stale.machineID))", after: "joins anew"),
        FieldChange("\(node.name).node-password.k3s", before: "of the old machine"),
      ],
      reason: "\(node.host) holds nothing of the cluster, which still knows a \(node.name)"
        + arithmetic,
      disruption: isVoter ? "removes the etcd member of the old \(node.name)" : nil,
      after: waits.after, behind: waits.behind,
      steps: [
        Step(
          StepID(address, "forget"), title: title, host: speaker.host,
          instructions: [
            .run(script: forget(stale)),
            .wait(
              Wait(
                "the old \(node.name) is gone", script: isGone, timeout: 120, interval: 2)),
          ],
          spends: isVoter ? .membership : nil, timeout: 300)
      ])
  }

  private func nameIsTaken(_ stale: LiveNode) -> Diagnostic {
    Diagnostic(
      "a living node \(node.name) runs on another machine",
      reason:
        "the cluster still hears \(node.name), whose machine-id begins with \(short(stale.machineID)); two nodes cannot have one name",
      remedy:
        "rename one of them; if it is the same host, reinstalled, wait a minute until the old one is forgotten",
      at: .host(node.host, address: node.member.address))
  }
}

// MARK: - The scripts

extension K3sMember {
  private var machineIDOfNode: String {
    "timeout 20 \(K3sPaths.binary) kubectl get node \(shellQuoted(node.name)) --ignore-not-found"
      + #" -o jsonpath='{.status.nodeInfo.machineID}'"#
  }

  /// Only the node that was seen is deleted: one that joined meanwhile has another machine-id, or
  /// holds a password that is in use.
  private func forget(_ stale: LiveNode) -> String {
    let name = shellQuoted(node.name)
    return """
      set -e
      found=$(\(machineIDOfNode))
      case $found in
      \(shellQuoted(stale.machineID)))
        timeout 100 \(K3sPaths.binary) kubectl delete node \(name) --ignore-not-found ;;
      '') ;;
      *) echo \(shellQuoted("another machine is \(node.name) now")) >&2; exit 1 ;;
      esac
      \(forgetPassword)
      """
  }

  private var forgetPassword: String {
    "timeout 20 \(K3sPaths.binary) kubectl -n kube-system delete secret "
      + "\(shellQuoted("\(node.name).node-password.k3s")) --ignore-not-found"
  }

  private var isGone: String {
    """
    found=$(timeout 20 \(K3sPaths.binary) kubectl get node \(shellQuoted(node.name)) \\
      --ignore-not-found -o jsonpath='{.metadata.name}') && [ -z "$found" ]
    """
  }
}
