package import HelixModel

/// Steps and what each waits for; a graph that exists has no doubles, no missing waits, no cycles.
package struct StepGraph: Hashable, Sendable {
  /// In an order in which they could be done one by one; the order is always the same.
  package let steps: [Step]

  package static let empty = StepGraph(ordered: [])

  /// - Throws: every double and every missing wait, or else every cycle, each by name.
  package init(_ steps: [Step]) throws(Diagnostics) {
    let problems = Self.doubles(in: steps) + Self.missingWaits(in: steps)
    guard problems.isEmpty else { throw Diagnostics(problems) }
    let (ordered, stuck) = Self.sort(steps)
    guard stuck.isEmpty else { throw Diagnostics(Self.cycles(in: stuck)) }
    self.steps = ordered
  }

  private init(ordered: [Step]) { steps = ordered }
}

extension StepGraph {
  private static func doubles(in steps: [Step]) -> [Diagnostic] {
    var seen: Set<StepID> = []
    seen.reserveCapacity(steps.count)
    var problems: [Diagnostic] = []
    for position in steps.indices where !seen.insert(steps[position].id).inserted {
      let id = steps[position].id
      problems.append(Diagnostic("the step \(id) is there twice", at: .resource(id.address)))
    }
    return problems
  }

  private static func missingWaits(in steps: [Step]) -> [Diagnostic] {
    let known = Set(steps.lazy.map(\.id))
    var problems: [Diagnostic] = []
    func check(_ waits: [StepID], of id: StepID) {
      for missing in waits where !known.contains(missing) {
        problems.append(
          Diagnostic(
            "the step \(id) waits for \(missing), which is not in the plan",
            at: .resource(id.address)))
      }
    }
    for position in steps.indices {
      check(steps[position].after, of: steps[position].id)
      check(steps[position].follows, of: steps[position].id)
    }
    return problems
  }

  /// Kahn's algorithm; among steps that are free at once the earlier in the list goes first.
  private static func sort(_ steps: [Step]) -> (ordered: [Step], stuck: [Step]) {
    var positions: [StepID: Int] = [:]
    positions.reserveCapacity(steps.count)
    for (position, step) in steps.enumerated() { positions[step.id] = position }
    var waiting = [Int](repeating: 0, count: steps.count)
    var dependents = [[Int]](repeating: [], count: steps.count)
    for (position, step) in steps.enumerated() {
      for id in step.after + step.follows {
        guard let dependency = positions[id] else { continue }
        dependents[dependency].append(position)
        waiting[position] += 1
      }
    }
    var ready = steps.indices.filter { waiting[$0] == 0 }
    var next = 0
    while next < ready.count {
      for dependent in dependents[ready[next]] {
        waiting[dependent] -= 1
        if waiting[dependent] == 0 { ready.append(dependent) }
      }
      next += 1
    }
    let stuck = steps.indices.filter { waiting[$0] > 0 }
    return (ready.map { steps[$0] }, stuck.map { steps[$0] })
  }

  /// One message per cycle, each told from its smallest step on, so that the words never vary.
  private static func cycles(in stuck: [Step]) -> [Diagnostic] {
    let byID = Dictionary(stuck.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var told: Set<StepID> = []
    var problems: [Diagnostic] = []
    for start in byID.keys.sorted() where !told.contains(start) {
      var path: [StepID] = []
      var current = start
      while !told.contains(current), let step = byID[current] {
        told.insert(current)
        path.append(current)
        guard let next = (step.after + step.follows).filter({ byID[$0] != nil }).min() else {
          break
        }
        current = next
      }
      guard let entry = path.firstIndex(of: current) else { continue }
      let cycle = rotated(Array(path[entry...]))
      let names = (cycle + cycle.prefix(1)).map(\.description).joined(separator: " waits for ")
      problems.append(
        Diagnostic("steps wait for each other: \(names)", at: .resource(cycle[0].address)))
    }
    return problems
  }

  private static func rotated(_ cycle: [StepID]) -> [StepID] {
    guard let smallest = cycle.indices.min(by: { cycle[$0] < cycle[$1] }) else { return cycle }
    return Array(cycle[smallest...] + cycle[..<smallest])
  }
}

extension StepGraph: Codable {
  package init(from decoder: any Decoder) throws {
    try self.init(decoder.singleValueContainer().decode([Step].self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(steps)
  }
}
