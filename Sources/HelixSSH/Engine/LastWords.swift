import Glibc

/// Reads what a program says on its standard error and keeps the end of it.
final class LastWords: Sendable {
  /// Kept at least, and at most twice as much.
  private static let limit = 16 * 1024

  private struct State {
    /// -1 once closed.
    var descriptor: Int32
    var watch: EventLoop.WatchID?
    var bytes: [UInt8] = []
  }

  private let state: Lock<State>
  private let onWords: @Sendable () -> Void

  /// - Parameters:
  ///   - descriptor: The end of a pipe, which is closed here.
  ///   - onWords: Called on the loop's thread when something was said.
  init(_ descriptor: Int32, _ onWords: @escaping @Sendable () -> Void) {
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    state = Lock(State(descriptor: descriptor))
    self.onWords = onWords
  }

  /// All that is kept, line by line, without what terminals would obey.
  var lines: [String] {
    let bytes = state.withLock { $0.bytes }
    return bytes.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
      .map { printable($0) }
  }

  /// Starts to listen; on the loop's thread, as are all that follow.
  func listen(on loop: EventLoop) {
    let descriptor = state.withLock { $0.descriptor }
    let watch = loop.watch(descriptor) { _ in
      if self.read(loop) { self.close(loop) }
    }
    state.withLock { $0.watch = watch }
  }

  /// Takes what is still there, and listens no more: a grandchild may keep the pipe open for ever.
  func finish(_ loop: EventLoop) {
    _ = read(loop)
    close(loop)
  }

  /// Reads what is there; true at the end of the stream.
  private func read(_ loop: EventLoop) -> Bool {
    let descriptor = state.withLock { $0.descriptor }
    guard descriptor >= 0 else { return false }
    var isNew = false
    defer { if isNew { onWords() } }
    // A bound, since a program may talk faster than anybody reads.
    for _ in 0..<64 {
      let count = Glibc.read(descriptor, loop.scratch.baseAddress, loop.scratch.count)
      guard count > 0 else { return count == 0 || errno != EAGAIN && errno != EINTR }
      isNew = true
      keep(UnsafeRawBufferPointer(rebasing: loop.scratch[..<count]))
    }
    // No edge tells of what is left.
    loop.execute { if self.read(loop) { self.close(loop) } }
    return false
  }

  private func keep(_ new: UnsafeRawBufferPointer) {
    state.withLock { state in
      state.bytes += new
      if state.bytes.count > 2 * Self.limit {
        state.bytes.removeFirst(state.bytes.count - Self.limit)
      }
    }
  }

  private func close(_ loop: EventLoop) {
    let (descriptor, watch) = state.withLock { state in
      defer {
        state.descriptor = -1
        state.watch = nil
      }
      return (state.descriptor, state.watch)
    }
    guard descriptor >= 0 else { return }
    if let watch { loop.unwatch(descriptor, watch) }
    Glibc.close(descriptor)
  }
}
