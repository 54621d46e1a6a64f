import HelixModel
import HelixPlan
import Testing

@testable import HelixRun

@Suite("a walk through the step graph")
struct GraphWalkTests {
  /// A graph without cycles: each step waits only for earlier ones.
  private static func randomSteps(_ generator: inout SeededGenerator) -> [Step] {
    (0..<Int.random(in: 1...40, using: &generator)).map { number in
      let earlier = (0..<number).filter { _ in Int.random(in: 0..<6, using: &generator) == 0 }
      let needed = earlier.filter { _ in Bool.random(using: &generator) }
      return step(
        "\(number)", after: needed.map(String.init),
        follows: earlier.filter { !needed.contains($0) }.map(String.init),
        spends: Int.random(in: 0..<3, using: &generator) == 0 ? .membership : nil)
    }
  }

  @Test("the laws hold on every graph, whatever fails and whenever steps end", arguments: 1...200)
  func laws(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let graph = try StepGraph(Self.randomSteps(&generator))
    let parallelism = Int.random(in: 1...6, using: &generator)
    let steps = Dictionary(uniqueKeysWithValues: graph.steps.map { ($0.id, $0) })
    var walk = GraphWalk(graph)
    var outcomes: [StepID: StepOutcome] = [:]
    var running: Set<StepID> = []
    while true {
      for step in walk.begin(atMost: parallelism).begun {
        #expect(outcomes[step.id] == nil && running.insert(step.id).inserted)
        #expect(step.after.allSatisfy { outcomes[$0] == .done })
        #expect(step.follows.allSatisfy { outcomes[$0] != nil })
      }
      #expect(running.count <= parallelism)
      #expect(running.count { steps[$0]?.spends != nil } <= 1)
      guard let ended = running.sorted().randomElement(using: &generator) else { break }
      running.remove(ended)
      let fails = Int.random(in: 0..<5, using: &generator) == 0
      let outcome: StepOutcome = fails ? .failed(Diagnostic("no")) : .done
      outcomes[ended] = outcome
      for (skipped, blame) in walk.end(ended, outcome) ?? [] {
        #expect(outcomes[skipped.id] == nil && !running.contains(skipped.id))
        #expect(outcomes[blame]?.word == "failed")
        outcomes[skipped.id] = .skipped(blame: blame)
      }
    }
    #expect(outcomes.count == graph.steps.count)
    for step in graph.steps {
      let isHindered = step.after.contains { outcomes[$0] != .done }
      #expect((outcomes[step.id]?.word == "skipped") == isHindered)
    }
    #expect(
      Dictionary(uniqueKeysWithValues: walk.outcomes.map { ($0.step.id, $0.outcome) }) == outcomes)
  }

  @Test("among steps that may begin, the first in the plan goes first")
  func order() throws {
    var walk = GraphWalk(try StepGraph(["c", "a", "b"].map { step($0) }))
    let first = walk.begin(atMost: 2).begun.map(\.id)
    _ = walk.end(id("a"), .done)
    let second = walk.begin(atMost: 2).begun.map(\.id)
    #expect([first, second] == [[id("c"), id("a")], [id("b")]])
  }

  @Test("a step that waits for the quorum does not hold up others")
  func quorumQueue() throws {
    var walk = GraphWalk(
      try StepGraph([
        step("server-1", spends: .membership), step("server-2", spends: .membership), step("agent"),
      ]))
    let first = walk.begin(atMost: 9).begun.map(\.id)
    let meanwhile = walk.begin(atMost: 9).begun.map(\.id)
    _ = walk.end(id("server-1"), .failed(Diagnostic("no")))
    let second = walk.begin(atMost: 9).begun.map(\.id)
    #expect([first, meanwhile, second] == [[id("server-1"), id("agent")], [], [id("server-2")]])
  }

  @Test("stopped, nothing begins, and what waits is not begun")
  func stopped() throws {
    var walk = GraphWalk(try StepGraph([step("a"), step("b", after: ["a"])]))
    let begun = walk.begin(atMost: 1).begun
    let news = [walk.stop(.afterRunning), walk.stop(.afterRunning), walk.stop(.atOnce)]
    let skipped = walk.end(id("a"), .done)
    let later = walk.begin(atMost: 1).begun
    #expect(begun.map(\.id) == [id("a")])
    #expect(news == [true, false, true])
    #expect(skipped?.isEmpty == true && later.isEmpty)
    #expect(walk.outcomes.map(\.outcome) == [.done, .notBegun])
  }
}
