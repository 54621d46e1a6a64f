import Testing

@testable import HelixSSH

@Suite("connections that have not logged in")
struct ConnectionLimiterTests {
  @Test(
    "are never more than the limit at one address and over all, and all get their turn",
    arguments: [(3, 100), (100, 3), (2, 3)])
  func limits(atAddress: Int, total: Int) async {
    let limiter = ConnectionLimiter(limit: atAddress, total: total, patience: .seconds(600))
    let counts = Lock((now: [String: Int](), most: 0, mostOfAll: 0, all: 0))
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<40 {
        let address = number.isMultiple(of: 2) ? "a" : "b"
        group.addTask {
          let turn = await limiter.enter(address)
          counts.withLock { counts in
            counts.now[address, default: 0] += 1
            counts.all += 1
            counts.most = max(counts.most, counts.now[address, default: 0])
            counts.mostOfAll = max(counts.mostOfAll, counts.now.values.reduce(0, +))
          }
          await Task.yield()
          counts.withLock { $0.now[address, default: 0] -= 1 }
          await limiter.leave(turn)
        }
      }
    }
    #expect(counts.withLock { $0.most } <= atAddress)
    #expect(counts.withLock { $0.mostOfAll } <= total)
    #expect(counts.withLock { $0.all } == 40)
  }

  @Test("at one address do not hold up another")
  func otherAddress() async {
    let limiter = ConnectionLimiter(limit: 1)
    let first = await limiter.enter("a")
    _ = await limiter.enter("b")
    await limiter.leave(first)
    _ = await limiter.enter("a")
  }

  @Test("that never get on do not hold up those that come after")
  func stallers() async {
    let limiter = ConnectionLimiter(limit: 10, total: 2, patience: .milliseconds(50))
    _ = await limiter.enter("silent-1")
    _ = await limiter.enter("silent-2")
    _ = await limiter.enter("good")
  }
}
