import FuzzTargets
import Testing

/// scripts/fuzz-secrets does the same with as many inputs as one likes, and measures.
@Suite("mutated age files")
struct FuzzTests {
  @Test("are read or refused", arguments: FuzzTarget.age.map(\.name))
  func mutations(name: String) throws {
    let target = try #require(FuzzTarget.age.first { $0.name == name })
    try FuzzRun(target, seed: 42).read(0..<3000)
  }

  @Test("are the same for the same seed, and open now and then")
  func deterministic() throws {
    let target = try #require(FuzzTarget.age.first)
    let (one, two) = (try FuzzRun(target, seed: 1), try FuzzRun(target, seed: 1))
    #expect((0..<50).map(one.input) == (0..<50).map(two.input))
    #expect((0..<50).map(one.input) != (50..<100).map(one.input))
  }
}
