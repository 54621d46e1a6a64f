package import HelixModel

/// Turns desired state and observation into a plan; pure, so the same input gives the same bytes.
package struct Planner {
  private var sight: Sight
  private var changes: [Change] = []
  private var steps: [Step] = []
  /// For every resource seen so far, the steps after which it is as it should be.
  private var ends: [Address: [StepID]] = [:]
  /// Resources that will not be as they should be after this plan, and why.
  private var blocked: [Address: Blockage] = [:]
  /// The resources of the latest item on each host.
  private var latest: [HostName: [Address]] = [:]
  private var problems: [Diagnostic] = []
  private var quorumGuard: QuorumGuard?
  private var warnings: [Diagnostic] = []

  private var spending: [Step] { steps.filter { $0.spends != nil } }

  private struct Blockage {
    let blame: Address
    let diagnostic: Diagnostic
  }

  private init(sight: Sight) { self.sight = sight }

  /// - Throws: resources declared twice, waits for unknown resources, cycles.
  package static func plan(
    _ desired: DesiredState, observation: Observation, fingerprints: any Fingerprinter,
    warnings: [Diagnostic] = []
  ) throws(Diagnostics) -> Plan {
    var planner = Planner(
      sight: Sight(observation: observation, fingerprints: fingerprints))
    for (number, stage) in desired.stages.enumerated() {
      planner.add(stage, number: number + 1)
    }
    guard planner.problems.isEmpty else { throw Diagnostics(planner.problems) }
    return Plan(
      changes: planner.changes, graph: try StepGraph(planner.steps),
      quorum: planner.spending.isEmpty ? nil : planner.quorumGuard,
      warnings: warnings + planner.warnings)
  }
}

extension Planner {
  private mutating func add(_ stage: Stage, number: Int) {
    let barrier = StepID(Address(.cluster, kind: "play", name: String(number)), "begin")
    let before = steps.count
    for item in stage.items {
      var onHost: [HostName: [Address]] = [:]
      for resource in item.resources {
        add(resource, behind: before > 0 ? barrier : nil)
        for found in found(by: resource) { add(found, behind: before > 0 ? barrier : nil) }
        if let host = resource.address.host { onHost[host, default: []].append(resource.address) }
      }
      latest.merge(onHost) { _, new in new }
    }
    guard before > 0, steps.count > before else { return }
    steps.insert(
      Step(
        barrier, title: "begin play \(number): \(stage.title)", host: nil,
        follows: steps[..<before].map(\.id), instructions: []),
      at: before)
  }

  private mutating func add(_ resource: any Resource, behind barrier: StepID?) {
    let address = resource.address
    guard ends[address] == nil else {
      problems.append(declaredTwice(resource))
      return
    }
    let waits = waits(of: resource)
    let verdict = look(at: resource)
    let relied = sight.takeReliances()
    var change = Change(address: address, action: .none, reason: "", relied: relied)
    ends[address] = uniqued(waits.flatMap { ends[$0] ?? [] })
    switch verdict {
    case .unchanged(let reason):
      change.reason = reason
      // What it waits for may still be amiss, and so everything behind it.
      blocked[address] = blockage(among: waits)
    case .change(let work):
      change.action = work.action
      change.fields = work.fields
      change.reason = work.reason
      change.disruption = work.disruption
      let waits = waits + declared(work.after, for: resource)
      ends[address] = uniqued(waits.flatMap { ends[$0] ?? [] })
      if let blockage = blockage(among: waits) {
        block(&change, .heldBack(waitsFor(blockage)), blockage)
      } else {
        take(work, of: resource, into: &change, waits: ends[address] ?? [], behind: barrier)
      }
    case .heldBack(let diagnostic):
      let blockage = Blockage(blame: address, diagnostic: diagnostic)
      block(&change, .heldBack(diagnostic), blockage)
    case .refused(let diagnostic):
      let blockage = Blockage(blame: address, diagnostic: diagnostic)
      block(&change, .refused(diagnostic), blockage)
    }
    changes.append(change)
  }

  /// What cannot be read has been told by the resource's own verdict.
  private mutating func found(by resource: any Resource) -> [any Resource] {
    let found = (try? resource.found(&sight)) ?? []
    _ = sight.takeReliances()
    return found
  }

  private mutating func look(at resource: any Resource) -> Verdict {
    if let host = resource.address.host, let silence = sight.observation.silence(of: host) {
      return resource.verdict(whenSilent: silence)
    }
    do throws(Diagnostic) {
      return try resource.verdict(&sight)
    } catch {
      return .refused(error)
    }
  }

  /// The resources it waits for: those it names, and the line before it on its host.
  private mutating func waits(of resource: any Resource) -> [Address] {
    let onHost = resource.address.host.flatMap { latest[$0] } ?? []
    return declared(resource.after, for: resource) + onHost
  }

  private mutating func declared(_ after: [Address], for resource: any Resource) -> [Address] {
    for address in after where ends[address] == nil {
      problems.append(
        Diagnostic(
          "\(resource.address) waits for \(address), which is not declared before it",
          at: .resource(resource.address)))
    }
    return after
  }

  private func blockage(among waits: [Address]) -> Blockage? {
    for address in waits {
      if let blockage = blocked[address] { return blockage }
    }
    return nil
  }

  private mutating func take(
    _ work: Work, of resource: any Resource, into change: inout Change, waits: [StepID],
    behind barrier: StepID?
  ) {
    let address = resource.address
    let own = Set(work.steps.map(\.id))
    let follows = uniqued(declared(work.follows, for: resource).flatMap { ends[$0] ?? [] })
    for warning in work.warnings where !warnings.contains(warning) { warnings.append(warning) }
    var awaited: Set<StepID> = []
    for var step in work.steps {
      if !step.after.contains(where: own.contains) {
        step.after = uniqued(step.after + waits)
        if let barrier { step.follows.append(barrier) }
        step.follows += follows.filter { !step.after.contains($0) }
      }
      awaited.formUnion(step.after)
      steps.append(step)
    }
    change.steps = work.steps.map(\.id)
    quorumGuard = quorumGuard ?? resource.quorumGuard
    let last = change.steps.filter { !awaited.contains($0) }
    if !last.isEmpty { ends[address] = last }
  }

  private mutating func block(_ change: inout Change, _ standing: Standing, _ blockage: Blockage) {
    change.standing = standing
    blocked[change.address] = blockage
  }

  private func waitsFor(_ blockage: Blockage) -> Diagnostic {
    var diagnostic = blockage.diagnostic
    diagnostic.reason = "it waits for \(blockage.blame): \(diagnostic.summary)"
    diagnostic.summary = "held back"
    return diagnostic
  }

  private func declaredTwice(_ resource: any Resource) -> Diagnostic {
    Diagnostic(
      "\(resource.address) is declared twice",
      reason: "two declarations of one thing would undo each other on every run",
      remedy: "keep one of them",
      at: resource.location.map { .source($0) } ?? .resource(resource.address))
  }
}

/// The elements without repeats, first ones kept.
private func uniqued(_ ids: [StepID]) -> [StepID] {
  guard ids.count > 1 else { return ids }
  var seen: Set<StepID> = []
  return ids.filter { seen.insert($0).inserted }
}
