import FuzzTargets
import HelixAge
import Synchronization
import Testing

/// scripts/fuzz-secrets does the same with as many inputs as one likes, and measures.
@Suite("mutated age files")
struct FuzzTests {
  @Test("are read or refused", arguments: FuzzTarget.age.map(\.name))
  func mutations(name: String) throws {
    try FuzzRun(target(name), seed: 42).read(0..<3000)
  }

  @Test("are the same for the same seed")
  func deterministic() throws {
    let (one, two) = (
      try FuzzRun(target("age-header"), seed: 1), try FuzzRun(target("age-header"), seed: 1)
    )
    #expect((0..<50).map(one.input) == (0..<50).map(two.input))
    #expect((0..<50).map(one.input) != (50..<100).map(one.input))
  }

  @Test("get into every part of the reading")
  func depth() throws {
    let run = try FuzzRun(target("age-header"), seed: 3)
    let identities = try keys.identities("classic.txt")
    var outcomes: Set<String> = []
    for number in 0..<3000 {
      do throws(AgeProblem) {
        _ = try AgeFile.decrypt(run.input(number), with: identities)
        outcomes.insert("opened")
      } catch {
        outcomes.insert("\(error)".prefix { $0.isLetter }.description)
      }
    }
    #expect(outcomes == ["opened", "header", "hmac", "noMatch", "payload", "armor"])
  }

  @Test("that took much memory, or for ever, would be found")
  func findings() throws {
    let run = try FuzzRun(target("age-header"), seed: 1)
    let started = Mutex<[Int]>([])
    let finding = try #require(throws: FuzzRun.Finding.self) {
      try run.measure(0..<3, meter: Greedy()) { number in started.withLock { $0.append(number) } }
    }
    #expect(finding.description.hasPrefix("age-header input 0, "))
    #expect(started.withLock { $0 } == [0, 1, 2])
    let dog = Watchdog(patience: .zero)
    dog.started(7)
    #expect(dog.stuck == 7)
  }

  private struct Greedy: GrowthMeter {
    func growth(_ work: () -> Void) -> Int {
      work()
      return 64 << 20
    }
  }

  private func target(_ name: String) throws -> FuzzTarget {
    try #require(FuzzTarget.age.first { $0.name == name })
  }
}
