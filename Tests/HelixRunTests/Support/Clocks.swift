import HelixModel
import Synchronization
import Testing

@testable import HelixRun

/// A clock on which every sleep is over at once, and time has passed.
final class EagerClock: RunClock {
  private let time = Mutex(Duration.zero)

  var now: Duration { time.withLock { $0 } }
  var wallTime: Int64 { 1_795_239_932_120 }

  func sleep(for duration: Duration) async throws {
    try Task.checkCancellation()
    time.withLock { $0 += duration }
  }
}

/// A clock on which pauses are over at once, and time has passed; limits of more than ten seconds
/// never come.
final class PausingClock: RunClock {
  private let time = Mutex(Duration.zero)

  var now: Duration { time.withLock { $0 } }
  var wallTime: Int64 { 1_795_239_932_120 }

  func sleep(for duration: Duration) async throws {
    guard duration > .seconds(10) else {
      try Task.checkCancellation()
      return time.withLock { $0 += duration }
    }
    try await Task.sleep(for: .seconds(3600))
  }
}

/// A clock that only a test moves.
final class ManualClock: RunClock {
  private struct Sleeper {
    let id: Int
    let end: Duration
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now = Duration.zero
    var next = 0
    var sleepers: [Sleeper] = []
    var cancelled: Set<Int> = []
  }

  private let state = Mutex(State())

  var now: Duration { state.withLock { $0.now } }
  var wallTime: Int64 { 1_795_239_932_120 }

  func sleep(for duration: Duration) async throws {
    let id = state.withLock { state in
      state.next += 1
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isOver = state.withLock { state in
          guard !state.cancelled.contains(id) else { return true }
          let end = state.now + duration
          state.sleepers.append(Sleeper(id: id, end: end, continuation: continuation))
          return false
        }
        if isOver { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        state.cancelled.insert(id)
        return state.sleepers.removeFirst { $0.id == id }
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Lets time pass, and wakes whoever has slept long enough.
  func advance(by duration: Duration) {
    let over = state.withLock { state in
      state.now += duration
      let over = state.sleepers.filter { $0.end <= state.now }
      state.sleepers.removeAll { $0.end <= state.now }
      return over
    }
    for sleeper in over { sleeper.continuation.resume() }
  }

  var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  /// Waits until so many are asleep.
  func hasSleepers(_ count: Int) async {
    await eventually("\(count) sleepers") { self.state.withLock { $0.sleepers.count } >= count }
  }
}

/// Waits for something that other tasks bring about; fails the test when they do not.
func eventually(_ what: String, _ condition: () -> Bool) async {
  for _ in 0..<30_000 {
    if condition() { return }
    try? await Task.sleep(for: .milliseconds(2))
  }
  Issue.record("never came about: \(what)")
}

extension Array {
  fileprivate mutating func removeFirst(where matches: (Element) -> Bool) -> Element? {
    firstIndex(where: matches).map { remove(at: $0) }
  }
}
