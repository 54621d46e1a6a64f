import HelixModel

/// A resource and what came of looking at it.
struct Look {
  let resource: any Resource
  let verdict: Verdict
  let relied: [Reliance]
  /// Whether nobody wrote it down.
  let isFound: Bool

  var address: Address { resource.address }
  var work: Work? { if case .change(let work) = verdict { work } else { nil } }
}

/// One play whose resources have been looked at, item by item.
struct LookedStage {
  let title: String
  let items: [[Look]]
}

/// Verdicts laid out as changes and steps in order.
struct PlanLayout {
  /// In the order of the playbooks.
  private(set) var changes: [Change] = []
  private(set) var steps: [Step] = []
  private(set) var problems: [Diagnostic] = []
  private(set) var warnings: [Diagnostic] = []
  /// Changes that are refused beside those that refuse themselves.
  private let refusals: [Address: Diagnostic]
  /// For every resource laid out so far, the steps after which it is as it should be.
  private var ends: [Address: [StepID]] = [:]
  /// Resources that will not be as they should be after this plan, and why.
  private var blocked: [Address: Blockage] = [:]
  /// The resources of the latest item on each host.
  private var latest: [HostName: [Address]] = [:]

  private struct Blockage {
    let blame: Address
    let diagnostic: Diagnostic
  }

  init(_ stages: [LookedStage], refusals: [Address: Diagnostic]) {
    self.refusals = refusals
    for (number, stage) in stages.enumerated() { add(stage, number: number + 1) }
  }
}

extension PlanLayout {
  private mutating func add(_ stage: LookedStage, number: Int) {
    let barrier = StepID(Address(.cluster, kind: "play", name: String(number)), "begin")
    let before = steps.count
    for item in stage.items { add(item, behind: before > 0 ? barrier : nil) }
    guard before > 0, steps.count > before else { return }
    steps.insert(
      Step(
        barrier, title: "begin play \(number): \(stage.title)", host: nil,
        follows: steps[..<before].map(\.id), instructions: []),
      at: before)
  }

  private mutating func add(_ item: [Look], behind barrier: StepID?) {
    var laid: [Change?] = item.map { _ in nil }
    for place in Turns(of: item).order { laid[place] = lay(item[place], behind: barrier) }
    changes += laid.compactMap(\.self)
    var onHost: [HostName: [Address]] = [:]
    for look in item where !look.isFound {
      if let host = look.address.host { onHost[host, default: []].append(look.address) }
    }
    latest.merge(onHost) { _, new in new }
  }

  /// - Returns: nil for what is declared twice.
  private mutating func lay(_ look: Look, behind barrier: StepID?) -> Change? {
    let address = look.address
    guard ends[address] == nil else {
      problems.append(declaredTwice(look.resource))
      return nil
    }
    let waits = waits(of: look.resource)
    var change = Change(address: address, action: .none, reason: "", relied: look.relied)
    ends[address] = ends(of: waits)
    switch look.verdict {
    case .unchanged(let reason):
      change.reason = reason
      // What it waits for may still be amiss, and so everything behind it.
      blocked[address] = blockage(among: waits)
    case .change(let work):
      change.action = work.action
      change.fields = work.fields
      change.reason = work.reason
      change.disruption = work.disruption
      let waits = waits + declared(work.after, for: look.resource)
      ends[address] = ends(of: waits + work.behind.filter { blocked[$0] == nil })
      lay(work, of: look.resource, into: &change, waits: waits, behind: barrier)
    case .heldBack(let diagnostic):
      block(&change, .heldBack(diagnostic), Blockage(blame: address, diagnostic: diagnostic))
    case .refused(let diagnostic):
      block(&change, .refused(diagnostic), Blockage(blame: address, diagnostic: diagnostic))
    }
    return change
  }

  /// Takes in work, unless it is refused, waits for what is blocked, or leads to what is refused.
  private mutating func lay(
    _ work: Work, of resource: any Resource, into change: inout Change, waits: [Address],
    behind barrier: StepID?
  ) {
    if let refusal = refusals[change.address] {
      let blockage = Blockage(blame: change.address, diagnostic: refusal)
      block(&change, .refused(refusal), blockage)
    } else if let blockage = blockage(among: waits) {
      block(&change, .heldBack(heldBack("it waits for", blockage)), blockage)
    } else if let next = work.leadsTo.first(where: { refusals[$0] != nil }),
      let refusal = refusals[next]
    {
      let blockage = Blockage(blame: next, diagnostic: refusal)
      block(&change, .heldBack(heldBack("it leads to", blockage)), blockage)
    } else {
      take(work, of: resource, into: &change, behind: barrier)
    }
  }

  private mutating func take(
    _ work: Work, of resource: any Resource, into change: inout Change, behind barrier: StepID?
  ) {
    let address = resource.address
    let own = Set(work.steps.map(\.id))
    let waits = ends[address] ?? []
    let follows = ends(of: declared(work.follows, for: resource))
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
    let last = change.steps.filter { !awaited.contains($0) }
    if !last.isEmpty { ends[address] = last }
  }
}

// MARK: - Waits

extension PlanLayout {
  private func ends(of addresses: [Address]) -> [StepID] {
    uniqued(addresses.flatMap { ends[$0] ?? [] })
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

  private mutating func block(_ change: inout Change, _ standing: Standing, _ blockage: Blockage) {
    change.standing = standing
    blocked[change.address] = blockage
  }

  private func heldBack(_ how: String, _ blockage: Blockage) -> Diagnostic {
    var diagnostic = blockage.diagnostic
    diagnostic.reason = "\(how) \(blockage.blame): \(diagnostic.summary)"
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

/// In which order the resources of an item are laid out: as they are declared, but each behind what
/// its work lets go first, and that behind what it waits for itself.
private struct Turns {
  private(set) var order: [Int] = []
  private let item: [Look]
  private var places: [Address: Int] = [:]
  private var isPlaced: [Bool]

  init(of item: [Look]) {
    self.item = item
    isPlaced = item.map { _ in false }
    guard item.contains(where: { $0.work?.behind.isEmpty == false }) else {
      order = Array(item.indices)
      return
    }
    for (place, look) in item.enumerated() where places[look.address] == nil {
      places[look.address] = place
    }
    for place in item.indices { put(place) }
  }

  private mutating func put(_ place: Int) {
    guard !isPlaced[place] else { return }
    isPlaced[place] = true
    let work = item[place].work
    for address in work?.behind ?? [] {
      if let first = places[address] { put(first) }
    }
    // What must be declared before is not looked for behind.
    for address in item[place].resource.after + (work?.after ?? []) + (work?.follows ?? []) {
      if let first = places[address], first < place { put(first) }
    }
    order.append(place)
  }
}

/// The elements without repeats, first ones kept.
private func uniqued(_ ids: [StepID]) -> [StepID] {
  guard ids.count > 1 else { return ids }
  var seen: Set<StepID> = []
  return ids.filter { seen.insert($0).inserted }
}
