import HelixModel
import HelixPlan

/// Pods let back on a node once its upgrade has ended, well or not.
struct K3sUncordon: K3sResource {
  static let kind = "k3s-uncordon"
  let node: K3sNode

  var after: [Address] { [node.address(K3sDrain.kind)] }

  /// Its own service stands before it in every plan that does something.
  var mayAwait: [Address] {
    node.cluster.managedServers.prefix { $0.host != node.host }
      .flatMap { node.cluster.turn(of: $0.host, .server) } + [ClusterSurvey.service(node.host)]
  }

  var ownQuestions: [Question] { K3sDrain(node: node).ownQuestions }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let drains: Bool
    if case .change = try K3sDrain(node: node).verdict(&sight) {
      drains = true
    } else {
      drains = false
    }
    return try node.judge(&sight) { (sight, view) throws(Diagnostic) in
      let live = view.survey.nodes[self.node.name]
      guard drains || live?.cordonedFor != nil, let witness = self.witness(view.survey) else {
        return .unchanged(reason: "no cordon of ours is on it")
      }
      let isOthers = live?.isCordoned == true && live?.cordonedFor == nil
      guard !isOthers else { return .unchanged(reason: "cordoned by somebody else, and stays so") }
      return .change(self.work(witness, drains: drains))
    }
  }

  /// After a restart that failed, too: with the kept binary the node is well again.
  private func work(_ witness: HostName, drains: Bool) -> Work {
    let service = [ClusterSurvey.service(node.host)]
    let drain = NodeDrain(node: node, purpose: "upgrade", drain: nil)
    var isReady = HealthGate(node: node).isReady
    isReady.timeout = 60
    return Work(
      .update, fields: [FieldChange("node", before: "cordoned", after: "takes pods")],
      reason: drains ? "the upgrade is over" : "an earlier run cordoned it and was cut short",
      after: drains ? [] : service, follows: drains ? service : [],
      steps: [
        Step(
          StepID(address, "uncordon"), title: "uncordon \(node.name), on \(witness)", on: witness,
          [.wait(isReady), drain.back])
      ])
  }
}
