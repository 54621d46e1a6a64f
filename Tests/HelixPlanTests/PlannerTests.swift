import HelixModel
import HelixPlan
import Testing

@Suite("the planner puts changes in order")
struct PlannerTests {
  @Test("on one host each line waits for the line before it")
  func linesWait() throws {
    let made = try plan([[[.new("a/file:1"), .new("b/file:1")], [.new("a/file:2")]]])
    #expect(
      waits(made) == ["a/file:1#make", "b/file:1#make", "a/file:2#make < a/file:1#make"])
  }

  @Test("a line that needs nothing passes on what it waits for")
  func unchangedIsTransparent() throws {
    let made = try plan([[[.new("a/file:1")], [.fine("a/file:2")], [.new("a/file:3")]]])
    #expect(waits(made) == ["a/file:1#make", "a/file:3#make < a/file:1#make"])
  }

  @Test("a play begins when the play before it has ended, whichever way")
  func playsAreBarriers() throws {
    let made = try plan([[[.new("a/file:1")]], [[.new("b/file:1")]]])
    #expect(
      waits(made) == [
        "a/file:1#make", "cluster/play:2#begin < (a/file:1#make)",
        "b/file:1#make < (cluster/play:2#begin)",
      ])
  }

  @Test("a play with nothing to do puts no barrier into the plan")
  func emptyPlaysVanish() throws {
    let made = try plan([[[.new("a/file:1")]], [[.fine("a/file:2")]]])
    #expect(waits(made) == ["a/file:1#make"])
  }

  @Test("a silent host holds back its own lines and what waits for them, nothing else")
  func silenceHoldsBack() throws {
    let made = try plan(
      [[[.new("a/file:1"), .new("b/file:1", after: ["a/file:1"]), .new("c/file:1")]]],
      silent: ["a": Diagnostic("a is not reachable", at: .host("a", address: nil))])
    #expect(waits(made) == ["c/file:1#make"])
    #expect(made.heldBack.map(\.address.description) == ["a/file:1", "b/file:1"])
    #expect(made.refusals.isEmpty)
    guard case .heldBack(let why) = made.heldBack[1].standing else { return }
    #expect(why.reason == "it waits for a/file:1: a is not reachable")
  }

  @Test("what waits for a refusal stays out of the graph, and the plan says it is refused once")
  func refusalsBlock() throws {
    let refusing = Told(address: Told.address("a/k3s")) { _ in
      .refused(Diagnostic("two clusters"))
    }
    let made = try plan([[[refusing], [.new("a/file:1")], [.fine("a/file:2")], [.new("a/file:3")]]])
    #expect(made.graph.steps.isEmpty)
    #expect(made.refusals.map(\.summary) == ["two clusters"])
    #expect(made.heldBack.count == 2)
  }

  @Test("a fact that makes no sense refuses the change and names the host")
  func unreadableFactRefuses() throws {
    let fact = Fact<Int>(
      "count", command: "echo",
      parse: { answer throws(Diagnostic) in throw Diagnostic("no number in \(answer.output)") },
      summary: { String($0) })
    let asking = Told(address: Told.address("a/count"), questions: [Question(fact, on: "a")]) {
      sight throws(Diagnostic) in
      .unchanged(reason: "\(try sight.read(fact, on: "a"))")
    }
    let desired = DesiredState(stages: [Stage(title: "", items: [.init(resources: [asking])])])
    let observation = Observation(hosts: [
      "a": .answered([FactID("count"): FactAnswer(status: 0, output: "x")])
    ])
    let made = try Planner.plan(
      desired, observation: observation, fingerprints: PlainFingerprinter())
    #expect(made.refusals.map(\.summary) == ["no number in x"])
    #expect(made.refusals.first?.place == .host("a", address: nil))
  }

  @Test("a change knows every fact it relied on, shared views included")
  func reliancesAreRecorded() throws {
    struct View: Sendable {}
    let fact = Fact<String>(
      "word", command: "echo", parse: { answer throws(Diagnostic) in answer.output },
      summary: { $0 })
    let looking: @Sendable (String) -> Told = { name in
      Told(address: Told.address(name)) { sight throws(Diagnostic) in
        _ = try sight.shared(View.self) { inner throws(Diagnostic) in
          _ = try inner.read(fact, on: "b")
          return View()
        }
        return .unchanged(reason: "")
      }
    }
    let desired = DesiredState(stages: [
      Stage(title: "", items: [.init(resources: [looking("a/x"), looking("a/y")])])
    ])
    let observation = Observation(hosts: [
      "a": .answered([:]),
      "b": .answered([FactID("word"): FactAnswer(status: 0, output: "hello")]),
    ])
    let made = try Planner.plan(
      desired, observation: observation, fingerprints: PlainFingerprinter())
    let expected = [Reliance(host: "b", fact: FactID("word"), summary: "hello")]
    #expect(made.changes.map(\.relied) == [expected, expected])
  }

  @Test("one thing declared twice is an error that names it")
  func doublesAreErrors() {
    #expect {
      try plan([[[.new("a/file:1")], [.new("a/file:1")]]])
    } throws: { error in
      (error as? Diagnostics)?.all.map(\.summary) == ["a/file:1 is declared twice"]
    }
  }

  @Test("a wait for something that is not declared before is an error that names both")
  func unknownWaitsAreErrors() {
    #expect {
      try plan([[[.new("a/file:1", after: ["a/file:2"])]]])
    } throws: { error in
      (error as? Diagnostics)?.all.map(\.summary) == [
        "a/file:1 waits for a/file:2, which is not declared before it"
      ]
    }
  }
}
