import Testing

@testable import HelixSSH

@Suite("connections that have not logged in")
struct ConnectionLimiterTests {
  @Test("are never more than the limit at one address, and all get their turn")
  func limit() async {
    let limiter = ConnectionLimiter(limit: 3)
    let counts = Lock((now: 0, most: 0, all: 0))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<40 {
        group.addTask {
          await limiter.enter("a")
          counts.withLock { counts in
            counts.now += 1
            counts.all += 1
            counts.most = max(counts.most, counts.now)
          }
          await Task.yield()
          counts.withLock { $0.now -= 1 }
          await limiter.leave("a")
        }
      }
    }
    #expect(counts.withLock { $0.most } <= 3)
    #expect(counts.withLock { $0.all } == 40)
  }

  @Test("at one address do not hold up another")
  func otherAddress() async {
    let limiter = ConnectionLimiter(limit: 1)
    await limiter.enter("a")
    await limiter.enter("b")
    await limiter.leave("a")
    await limiter.enter("a")
  }
}
