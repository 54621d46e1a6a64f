/// Makes something for all who ask for it meanwhile: they get the same one, or the same error.
///
/// It lives in an actor, and works there.
final class SharedAttempt<Value: Sendable> {
  private var making: Task<Void, Never>?
  private var waiting: [Pending<Value>] = []

  /// What the attempt under way makes, or a new one; whoever is cancelled leaves it to the others.
  func value(
    isolation: isolated (any Actor) = #isolation, _ make: @escaping () async throws -> Value
  ) async throws -> Value {
    let answer = Pending<Value>()
    waiting.append(answer)
    if making == nil {
      making = Task {
        _ = isolation
        await finish(make)
      }
    }
    return try await answer.value()
  }

  private func finish(_ make: () async throws -> Value) async {
    let result: Result<Value, any Error>
    do {
      result = .success(try await make())
    } catch {
      result = .failure(error)
    }
    making = nil
    let answers = waiting
    waiting = []
    for answer in answers { answer.settle(result) }
  }

  /// Cancels the attempt under way and waits until it has ended.
  func cancel() async {
    making?.cancel()
    await making?.value
  }
}
