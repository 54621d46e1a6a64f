import Testing

@testable import HelixSSH

@Suite("an attempt that many wait for", .timeLimit(.minutes(1)))
struct SharedAttemptTests {
  /// Makes numbers when it is told to.
  private actor Maker {
    struct Broken: Error {}

    private let attempt = SharedAttempt<Int>()
    private(set) var asked = 0
    private(set) var made = 0
    private let gate = Pending<Void>()

    func number() async throws -> Int {
      asked += 1
      return try await attempt.value {
        self.assertIsolated()
        self.made += 1
        try await self.gate.value()
        return self.made
      }
    }

    func open(_ result: Result<Void, any Error>) { gate.settle(result) }

    func cancel() async { await attempt.cancel() }
  }

  private func ask(_ maker: Maker, _ count: Int) async throws -> [Task<Int, any Error>] {
    let tasks = (0..<count).map { _ in Task { try await maker.number() } }
    while await maker.asked < count { await Task.yield() }
    return tasks
  }

  @Test("is made once for all of them, and whoever comes later gets a new one")
  func once() async throws {
    let maker = Maker()
    let tasks = try await ask(maker, 10)
    await maker.open(.success(()))
    for task in tasks { #expect(try await task.value == 1) }
    #expect(try await maker.number() == 2)
  }

  @Test("fails for all of them")
  func failure() async throws {
    let maker = Maker()
    let tasks = try await ask(maker, 10)
    await maker.open(.failure(Maker.Broken()))
    for task in tasks { await #expect(throws: Maker.Broken.self) { try await task.value } }
    #expect(await maker.made == 1)
  }

  @Test("goes on without one who gives up, and ends when it is cancelled itself")
  func cancellation() async throws {
    let maker = Maker()
    let tasks = try await ask(maker, 2)
    tasks[0].cancel()
    await #expect(throws: CancellationError.self) { try await tasks[0].value }
    await maker.cancel()
    await #expect(throws: CancellationError.self) { try await tasks[1].value }
    #expect(await maker.made == 1)
  }
}
