import HelixModel
import HelixPlan

/// Pods kept off a node for the time of its upgrade, and taken off it if cluster.yaml says so.
struct K3sDrain: K3sResource {
  static let kind = "k3s-drain"
  let node: K3sNode

  var after: [Address] {
    [node.address(K3sHost.kind)] + (node.role == .server ? [ClusterSnapshot.address] : [])
  }

  private var drain: NodeDrain {
    NodeDrain(
      node: node, purpose: "upgrade", drain: node.cluster.upgradePlan(for: node.role)?.drain)
  }

  var ownQuestions: [Question] {
    let evictions =
      drain.drain?.minds == true
      ? node.cluster.servers.map { Question(EvictionView.fact, on: $0.host) } : []
    return K3sService(node: node).ownQuestions + evictions
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let round = try UpgradeRound.read(node.cluster, &sight)
    guard round.changes[node.host] != nil else {
      return .unchanged(reason: "no other release comes to it")
    }
    if let obstacle = try obstacle(&sight) { return obstacle }
    return try node.judge(&sight) { (sight, view) throws(Diagnostic) in
      guard let witness = self.witness(view.survey) else {
        return .unchanged(reason: "no server answers who could be told")
      }
      if let blocked = try self.blocked(by: witness, &sight) { return .heldBack(blocked) }
      return .change(self.work(witness, view))
    }
  }

  /// A node is not emptied for an upgrade that is held back or refused.
  private func obstacle(_ sight: inout Sight) throws(Diagnostic) -> Verdict? {
    let service = K3sService(node: node)
    for part in service.parts + [service] {
      let verdict = try part.verdict(&sight)
      switch verdict {
      case .heldBack, .refused: return verdict
      case .unchanged, .change: continue
      }
    }
    return nil
  }

  private func blocked(
    by witness: HostName, _ sight: inout Sight
  ) throws(Diagnostic) -> Diagnostic? {
    guard drain.drain?.minds == true else { return nil }
    return drain.obstacle(try sight.read(EvictionView.fact, on: witness))
  }

  private func work(_ witness: HostName, _ view: NodeView) -> Work {
    let verb = drain.drain == nil ? "cordon" : "drain"
    let release = view.release.map { "\($0.from) goes to \($0.to)" } ?? "another release comes"
    let waits = view.survey.waitsForTurn(of: node, in: view.round)
    return Work(
      .update, fields: [drain.field(view.survey.nodes[node.name])], reason: release,
      disruption: drain.disruption,
      after: waits.after, behind: waits.behind, leadsTo: [ClusterSurvey.service(node.host)],
      steps: [
        Step(
          StepID(address, verb), title: "\(verb) \(node.name), on \(witness)", on: witness,
          drain.away, undo: [drain.back])
      ])
  }
}

extension K3sResource {
  /// Who is told about the node: another server, or itself where there is no other.
  func witness(_ survey: ClusterSurvey) -> HostName? {
    survey.speaker(for: node)?.host ?? survey.living.first?.host
  }
}
