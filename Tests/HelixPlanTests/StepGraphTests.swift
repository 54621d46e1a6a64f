import HelixModel
import HelixPlan
import Testing

@Suite("a step graph that exists can be walked")
struct StepGraphTests {
  private func step(_ name: String, after: [String] = [], follows: [String] = []) -> Step {
    Step(
      id(name), title: name, host: nil, after: after.map(id), follows: follows.map(id),
      instructions: [])
  }

  private func id(_ name: String) -> StepID { StepID(Address(.cluster, kind: "t"), name) }

  @Test("every wait stands before what waits, however the steps were given", arguments: 0..<200)
  func orderHolds(seed: Int) throws {
    var random = Seeded(seed)
    let count = Int.random(in: 1...30, using: &random)
    var steps = (0..<count).map { number in
      let earlier = (0..<number).filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
      let split = earlier.partitioned { _ in Bool.random(using: &random) }
      return step(
        "s\(number)", after: split.0.map { "s\($0)" }, follows: split.1.map { "s\($0)" })
    }
    steps.shuffle(using: &random)
    let graph = try StepGraph(steps)
    var seen: Set<StepID> = []
    for step in graph.steps {
      #expect(seen.isSuperset(of: step.after + step.follows))
      seen.insert(step.id)
    }
    #expect(seen.count == count)
  }

  @Test("doubles and missing waits are refused together, by name")
  func doublesAndMissing() {
    #expect {
      try StepGraph([step("a"), step("a"), step("b", after: ["nowhere"])])
    } throws: { error in
      (error as? Diagnostics)?.all.map(\.summary) == [
        "the step cluster/t#a is there twice",
        "the step cluster/t#b waits for cluster/t#nowhere, which is not in the plan",
      ]
    }
  }

  @Test("a cycle is told from its smallest step on, and steps behind it are not blamed")
  func cycles() {
    #expect {
      try StepGraph([
        step("c", after: ["a"]), step("b", after: ["c"]), step("a", follows: ["b"]),
        step("behind", after: ["a"]), step("free"),
      ])
    } throws: { error in
      (error as? Diagnostics)?.all.map(\.summary) == [
        "steps wait for each other: cluster/t#a waits for cluster/t#b waits for cluster/t#c "
          + "waits for cluster/t#a"
      ]
    }
  }
}

/// A small generator that gives the same numbers for the same seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: Int) { state = UInt64(truncatingIfNeeded: seed) }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension Array {
  fileprivate func partitioned(_ belongs: (Element) -> Bool) -> ([Element], [Element]) {
    reduce(into: ([], [])) { halves, element in
      if belongs(element) { halves.0.append(element) } else { halves.1.append(element) }
    }
  }
}
