import HelixModel

/// Tells how far a transfer is: never backwards, and not more often than anybody can read.
final class ProgressMeter: Sendable {
  private struct State {
    var told = -1
    var last: ContinuousClock.Instant?
  }

  private static let pause = Duration.milliseconds(200)

  private let total: Int
  private let tell: @Sendable (FileTransfer.Progress) -> Void
  private let state = Lock(State())

  init(total: Int, _ tell: @escaping @Sendable (FileTransfer.Progress) -> Void) {
    self.total = total
    self.tell = tell
  }

  /// Takes how many of the file's bytes are on their way or there.
  ///
  /// The last of them count only when the host has found the whole file right.
  func reached(_ sent: Int) {
    let isWorthTelling = state.withLock { state in
      let isEarly = state.last.map { ContinuousClock.now - $0 < Self.pause } ?? false
      guard sent > state.told, sent < total, !isEarly else { return false }
      state.told = sent
      state.last = .now
      return true
    }
    if isWorthTelling { tell(.init(sent: sent, total: total)) }
  }

  /// What was told last.
  var sent: Int { max(0, state.withLock { $0.told }) }

  /// The whole file is there.
  func finish() { tell(.init(sent: total, total: total)) }
}
