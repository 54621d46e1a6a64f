import Synchronization

/// Somebody's wish that a run should end.
///
/// The first time it ends with the steps under way, the second time at once. One request serves one
/// run.
package final class StopRequest: Sendable {
  private let count = Atomic(0)
  private let first = AsyncStream.makeStream(of: Never.self)
  private let second = AsyncStream.makeStream(of: Never.self)

  package init() {}

  /// Asks to stop; to be called for every Ctrl-C.
  package func ask() {
    switch count.add(1, ordering: .acquiringAndReleasing).newValue {
    case 1: first.continuation.finish()
    case 2: second.continuation.finish()
    default: break
    }
  }

  /// Whether anybody has asked.
  package var isAsked: Bool { count.load(ordering: .acquiring) > 0 }

  /// Returns when somebody has asked, or the task is cancelled; to be called once.
  package func asked() async { for await _ in first.stream {} }

  /// Returns when somebody has asked twice, or the task is cancelled.
  func askedTwice() async { for await _ in second.stream {} }
}
