/// A result that several parties may settle, the first one winning, and one task waits for.
///
/// Cancelling the waiting task settles it too, so nobody waits longer than they want to.
final class Pending<Value: Sendable>: Sendable {
  private enum State {
    case open
    case waiting(CheckedContinuation<Value, any Error>)
    case settled(Result<Value, any Error>)
  }

  private let state = Lock<State>(.open)

  /// Settles the result; says whether this call was the first.
  @discardableResult
  func settle(_ result: Result<Value, any Error>) -> Bool {
    let (first, waiter) = state.withLock {
      state -> (Bool, CheckedContinuation<Value, any Error>?) in
      switch state {
      case .settled: return (false, nil)
      case .open:
        state = .settled(result)
        return (true, nil)
      case .waiting(let waiter):
        state = .settled(result)
        return (true, waiter)
      }
    }
    waiter?.resume(with: result)
    return first
  }

  /// Waits for the result; only one task may.
  func value() async throws -> Value {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let settled = state.withLock { state -> Result<Value, any Error>? in
          if case .settled(let result) = state { return result }
          state = .waiting(continuation)
          return nil
        }
        if let settled { continuation.resume(with: settled) }
      }
    } onCancel: {
      settle(.failure(CancellationError()))
    }
  }
}
