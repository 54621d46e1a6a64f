import Foundation
import HelixModel
import HelixPlan
import Testing

@Suite("same input, same plan")
struct SameBytesTests {
  /// Random resources on random hosts, each standing behind some that come before it.
  private func stages(_ generator: inout Seeded) -> [[[Told]]] {
    var names: [String] = []
    func told() -> Told {
      let after = names.filter { _ in Int.random(in: 0..<6, using: &generator) == 0 }
      let host = "h\(Int.random(in: 1...4, using: &generator))"
      let name = "\(host)/file:\(names.count)"
      names.append(name)
      return Int.random(in: 0..<4, using: &generator) == 0
        ? .fine(name, after: after) : .new(name, after: after)
    }
    return (0..<Int.random(in: 1...3, using: &generator)).map { _ in
      (0..<Int.random(in: 1...4, using: &generator)).map { _ in
        (0..<Int.random(in: 1...4, using: &generator)).map { _ in told() }
      }
    }
  }

  @Test("planning twice gives the same bytes", arguments: 1...200)
  func twice(seed: Int) throws {
    var generator = Seeded(seed)
    let stages = stages(&generator)
    let silent: [HostName: Diagnostic] =
      seed.isMultiple(of: 3) ? ["h2": Diagnostic("h2 is not reachable")] : [:]
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let first = try encoder.encode(plan(stages, silent: silent))
    #expect(try encoder.encode(plan(stages, silent: silent)) == first)
  }
}
