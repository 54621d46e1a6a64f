import Glibc

/// The time as a run sees it; tests bring their own.
package protocol RunClock: Sendable {
  /// How long it is since some moment that stays the same for the clock's life.
  var now: Duration { get }
  /// Milliseconds since 1970.
  var wallTime: Int64 { get }
  /// - Throws: `CancellationError` when the task is cancelled meanwhile.
  func sleep(for duration: Duration) async throws
}

/// The machine's own clocks.
package struct SystemClock: RunClock {
  private let start = ContinuousClock.now

  package init() {}

  package var now: Duration { ContinuousClock.now - start }

  package var wallTime: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  package func sleep(for duration: Duration) async throws {
    try await ContinuousClock().sleep(for: duration)
  }
}

/// A duration for people: `90 s`, `1.5 s`.
func inSeconds(_ duration: Duration) -> String {
  let tenths = (duration.inMilliseconds + 50) / 100
  return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
}

extension Duration {
  var inMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }

  /// To the millisecond, which is as exact as records need.
  package var seconds: Double { Double(inMilliseconds) / 1000 }
}

/// Runs work under a time limit.
///
/// - Throws: `TimeLimitReached` when the limit came first; the work is cancelled and awaited.
func within<Value: Sendable>(
  _ limit: Duration, clock: any RunClock, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value?.self) { group in
    group.addTask { try await work() }
    group.addTask {
      try await clock.sleep(for: limit)
      return nil
    }
    defer { group.cancelAll() }
    guard let first = try await group.next(), let value = first else { throw TimeLimitReached() }
    return value
  }
}

/// The time for something was up.
struct TimeLimitReached: Error {}

/// A name that nobody can guess, for frames and temporary files.
package func randomNonce() -> String {
  var generator = SystemRandomNumberGenerator()
  return (0..<4).map { _ in
    let word = String(UInt32.random(in: .min ... .max, using: &generator), radix: 16)
    return String(repeating: "0", count: 8 - word.count) + word
  }.joined()
}
