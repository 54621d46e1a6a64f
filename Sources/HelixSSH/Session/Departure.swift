/// Commands that nobody waits for any more, but that may still run on the host: a session does not
/// end before they do.
final class Departure {
  /// How long the end of a session waits: as long as the host needs to end what does not heed a
  /// gentle word.
  private static let limit = Duration.seconds(8)

  private var leaving = 0
  private var end: Pending<Void>?

  /// Notes that a command was given up, and must be ended on the host.
  func begin() { leaving += 1 }

  /// Notes that nothing is left of a command that was given up.
  func finish() {
    leaving -= 1
    if leaving == 0 { end?.settle(.success(())) }
  }

  /// Waits until the host has ended what was given up, but not for ever.
  func wait(on loop: EventLoop) async {
    guard leaving > 0 else { return }
    let end = Pending<Void>()
    self.end = end
    let timer = loop.schedule(after: Self.limit) { end.settle(.success(())) }
    try? await end.value()
    loop.cancel(timer)
  }
}
