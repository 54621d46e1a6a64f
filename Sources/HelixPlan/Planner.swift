package import HelixModel

/// Turns desired state and observation into a plan; pure, so the same input gives the same bytes.
///
/// Every resource is looked at once. What came of it is laid out as steps, and these are walked with
/// the votes of etcd that were seen: a change whose steps could never get the vote they cost is
/// refused, and the rest is laid out anew without it.
package struct Planner {
  private var sight: Sight
  /// As the first resource told of it that has steps which cost a vote.
  private var quorum: Quorum?

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
        quorum: layout.steps.contains { $0.spends != nil } ? planner.quorum?.counting : nil,
        warnings: warnings + layout.warnings)
    }
  }
}

extension Planner {
  /// Changes with a step that could never get the vote it costs, and why.
  private func refusals(
    in graph: StepGraph, of changes: [Change]
  ) -> [Address: Diagnostic] {
    guard let quorum else { return [:] }
    let refused = QuorumForecast(graph, votes: quorum.seen).refusals
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
    let verdict = counted(verdict(of: resource), of: resource)
    return Look(
      resource: resource, verdict: verdict, relied: sight.takeReliances(), isFound: isFound)
  }

  /// Nothing that costs a vote comes into a plan whose votes nobody can count.
  private mutating func counted(_ verdict: Verdict, of resource: any Resource) -> Verdict {
    guard quorum == nil, case .change(let work) = verdict,
      let step = work.steps.first(where: { $0.spends != nil })
    else { return verdict }
    do throws(Diagnostic) {
      quorum = try resource.quorum(&sight)
    } catch {
      return .refused(error)
    }
    guard quorum == nil else { return verdict }
    return .refused(
      Diagnostic(
        "nobody could count the votes that this may cost: \(step.title)",
        reason: "\(resource.address.kind) does not tell of the cluster's quorum",
        remedy: "report it: this is a fault of helix-infra", at: .resource(resource.address)))
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
