import Dispatch
internal import Synchronization

/// Waits for a line that somebody types, without keeping a thread from other work.
///
/// - Returns: nil at the end of input, or when the task was cancelled meanwhile.
func typedLine() async -> String? {
  let answer = TypedAnswer()
  return await withTaskCancellationHandler {
    await withCheckedContinuation { continuation in
      answer.expect(continuation)
      // Whoever waits at a terminal waits long: on a thread of its own, that ends with the process.
      DispatchQueue(label: "helix.typing").async { answer.give(readLine()) }
    }
  } onCancel: {
    answer.give(nil)
  }
}

/// Whatever comes first is the answer.
private final class TypedAnswer: Sendable {
  private enum State {
    case unasked
    case expected(CheckedContinuation<String?, Never>)
    case given
  }

  private let state = Mutex(State.unasked)

  func expect(_ continuation: CheckedContinuation<String?, Never>) {
    let isOver = state.withLock { state in
      guard case .unasked = state else { return true }
      state = .expected(continuation)
      return false
    }
    if isOver { continuation.resume(returning: nil) }
  }

  func give(_ line: String?) {
    let waiting = state.withLock { state -> CheckedContinuation<String?, Never>? in
      defer { state = .given }
      if case .expected(let continuation) = state { return continuation }
      return nil
    }
    waiting?.resume(returning: line)
  }
}
