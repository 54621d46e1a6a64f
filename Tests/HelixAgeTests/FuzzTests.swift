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
    let greedy = FuzzTarget("age-header", words: []) { input in
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 20, alignment: 16)
      memory.initializeMemory(as: UInt8.self, repeating: UInt8(input.count & 255))
      memory.deallocate()
    }
    let started = Mutex<[Int]>([])
    #expect(throws: FuzzRun.Finding.self) {
      try FuzzRun(greedy, seed: 1).measure(0..<3) { number in
        started.withLock { $0.append(number) }
      }
    }
    #expect(started.withLock { $0 } == [0, 1, 2])
    let dog = Watchdog(patience: .zero)
    dog.started(7)
    #expect(dog.stuck == 7)
  }

  private func target(_ name: String) throws -> FuzzTarget {
    try #require(FuzzTarget.age.first { $0.name == name })
  }
}
