package import HelixModel

/// Turns desired state and observation into a plan; pure, so the same input gives the same bytes.
///
/// Every resource is looked at once. What came of it is laid out as steps, and these are walked with
/// the votes of etcd that were seen: a change whose steps could never get the vote they cost is
/// refused, and the rest is laid out anew without it.
package struct Planner {
  private var sight: Sight
  /// As the first resource saw the votes that has steps which cost one.
  private var votes: QuorumLedger?

  private init(sight: Sight) { self.sight = sight }

  /// - Throws: resources declared twice, waits for unknown resources, cycles.
  package static func plan(
    _ desired: DesiredState, observation: Observation, fingerprints: any Fingerprinter,
    warnings: [Diagnostic] = []
  ) throws(Diagnostics) -> Plan {
    var planner = Planner(
      sight: Sight(observation: observation, fingerprints: fingerprints))
    let stages = desired.stages.map { stage in
      LookedStage(title: stage.title, items: stage.items.map { planner.look(at: $0) })
    }
    var refusals: [Address: Diagnostic] = [:]
    while true {
      let layout = PlanLayout(stages, refusals: refusals)
      guard layout.problems.isEmpty else { throw Diagnostics(layout.problems) }
      let graph = try StepGraph(layout.steps)
      let found = planner.refusals(in: graph, of: layout.changes)
      guard found.isEmpty else {
        refusals.merge(found) { first, _ in first }
        continue
      }
      return Plan(
        changes: layout.changes, graph: graph,
        quorum: layout.steps.contains { $0.spends != nil } ? layout.quorumGuard : nil,
        warnings: warnings + layout.warnings)
    }
  }
}

extension Planner {
  /// Changes with a step that could never get the vote it costs, and why.
  private func refusals(
    in graph: StepGraph, of changes: [Change]
  ) -> [Address: Diagnostic] {
    guard let votes else { return [:] }
    let refused = QuorumForecast(graph, votes: votes).refusals
    guard !refused.isEmpty else { return [:] }
    var owners: [StepID: Address] = [:]
    for change in changes { for step in change.steps { owners[step] = change.address } }
    var refusals: [Address: Diagnostic] = [:]
    for refusal in refused {
      guard let owner = owners[refusal.step.id], refusals[owner] == nil else { continue }
      refusals[owner] = refusal.diagnostic
    }
    return refusals
  }

  private mutating func look(at item: Stage.Item) -> [Look] {
    var looks: [Look] = []
    for resource in item.resources {
      looks.append(look(at: resource, isFound: false))
      for found in found(by: resource) { looks.append(look(at: found, isFound: true)) }
    }
    return looks
  }

  private mutating func look(at resource: any Resource, isFound: Bool) -> Look {
    let verdict = verdict(of: resource)
    if votes == nil, case .change(let work) = verdict,
      work.steps.contains(where: { $0.spends != nil })
    {
      // Where they cannot be read, the resource's own verdict has told it.
      votes = (try? resource.votes(&sight)).flatMap(\.self)
    }
    return Look(
      resource: resource, verdict: verdict, relied: sight.takeReliances(), isFound: isFound)
  }

  /// What cannot be read has been told by the resource's own verdict.
  private mutating func found(by resource: any Resource) -> [any Resource] {
    let found = (try? resource.found(&sight)) ?? []
    _ = sight.takeReliances()
    return found
  }

  private mutating func verdict(of resource: any Resource) -> Verdict {
    if let host = resource.address.host, let silence = sight.observation.silence(of: host) {
      return resource.verdict(whenSilent: silence)
    }
    do throws(Diagnostic) {
      return try resource.verdict(&sight)
    } catch {
      return .refused(error)
    }
  }
}
