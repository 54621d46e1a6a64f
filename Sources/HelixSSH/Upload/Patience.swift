/// How often a transfer that was cut is tried again, and after which pause.
struct Patience {
  /// Tries in a row that bring nothing forward.
  private static let tries = 6
  private static let firstPause = Duration.milliseconds(500)

  private var failures = 0
  private var blocks = 0

  /// Takes how many good blocks a host has; more than ever gives new patience.
  mutating func see(blocks count: Int) {
    guard count > blocks else { return }
    blocks = count
    failures = 0
  }

  /// The pause before the next try, twice as long each time; nil when it is time to give up.
  mutating func pause() -> Duration? {
    guard failures < Self.tries else { return nil }
    defer { failures += 1 }
    return Self.firstPause * (1 << failures)
  }
}
