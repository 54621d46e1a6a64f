import HelixModel
import HelixPlan

/// Which agents have something to update; like `UpgradeRound`, it looks at the answers themselves.
struct UpdateRound: Sendable {
  private let agents: [HostName]

  static func read(
    _ node: K3sNode, _ spec: OSUpdateSpec, _ sight: inout Sight
  ) throws(Diagnostic) -> UpdateRound {
    let survey = try ClusterSurvey.read(node.cluster, &sight)
    return try sight.shared(UpdateRound.self) { (sight) throws(Diagnostic) in
      let observation = sight.observation
      let agents = node.cluster.agents.filter { agent in
        guard let answer = observation.answer(PendingPackages.fact.request.id, on: agent.host),
          let packages = try? PendingPackages.fact.parse(answer)
        else { return false }
        return packages.need(spec) != nil
          && !isHeld(agent, spec, survey: survey, observation: observation)
      }
      return UpdateRound(agents: agents.map(\.host))
    }
  }

  private static func isHeld(
    _ agent: K3sCluster.Member, _ spec: OSUpdateSpec, survey: ClusterSurvey,
    observation: Observation
  ) -> Bool {
    guard spec.drain?.minds == true, let speaker = survey.speaker(for: agent.nodeName, .agent),
      let answer = observation.answer(EvictionView.fact.request.id, on: speaker.host),
      let evictions = try? EvictionView.fact.parse(answer)
    else { return false }
    return !evictions.obstacles(on: agent.nodeName).isEmpty
  }

  /// The agents that a node waits for, so that `concurrency` go at once.
  func agents(before node: K3sNode, _ concurrency: Int) -> [HostName] {
    window(of: node.host, in: agents.filter { node.cluster.managed.contains($0) }, concurrency)
  }
}

/// Whom one of a row waits for, so that `concurrency` go at once and each begins only when all that
/// stand so many places before it have ended.
func window(of host: HostName, in row: [HostName], _ concurrency: Int) -> [HostName] {
  guard let place = row.firstIndex(of: host), place >= concurrency else { return [] }
  return Array(row[max(0, place - 2 * concurrency + 1)...(place - concurrency)])
}

extension PendingPackages {
  /// What is to be done on a host, once its lists are fresh.
  struct Need: Sendable, Hashable {
    var updates: Bool
    var reboots: Bool
  }

  /// Nil when there is nothing to do, or it cannot be told yet.
  func need(_ spec: OSUpdateSpec) -> Need? {
    guard listsAreFresh, trouble == nil else { return nil }
    let reboots =
      switch spec.reboot {
      case .whenRequired: asksForReboot
      case .always: asksForReboot || !isNothing
      case .never: false
      }
    return isNothing && !reboots ? nil : Need(updates: !isNothing, reboots: reboots)
  }
}
