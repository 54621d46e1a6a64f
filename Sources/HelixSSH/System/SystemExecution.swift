import Glibc

/// One command of a master's, with our ends of its streams.
///
/// Lives inside its session's isolation.
final class SystemExecution {
  /// What one turn may read before others on the loop get theirs.
  private static let turnBudget = 1024 * 1024

  /// A descriptor of ours that the event loop watches.
  private struct Line {
    var descriptor: Int32 = -1
    var watch: EventLoop.WatchID?
  }

  /// How far reading came.
  enum Progress {
    case moved, dry, ended
  }

  var talk: Conversation
  /// The master was told, so the command may have run.
  private(set) var isAsked = false
  /// The master has sent the command to the host.
  private(set) var isOpened = false
  private(set) var refusal: String?
  private(set) var status: Int?
  /// Nobody waits for the result any more.
  var isAbandoned = false
  /// The master has nothing more to tell.
  private(set) var isOver = false
  /// Nothing of it is left in the session.
  var isDisposed = false
  /// Ends the session when an abandoned command does not go away.
  var lastChance: Timers.ID?
  var inputFailure: SSHError?

  private let loop: EventLoop
  private var control = Line()
  private var input = Line()
  private var output = Line()
  private var errors = Line()
  private var replies = ControlProtocol.Reader()
  private var parked: [CheckedContinuation<Void, Never>] = []

  init(_ script: RemoteScript, outputLimit: Int, loop: EventLoop) {
    talk = Conversation(script, outputLimit: outputLimit)
    self.loop = loop
  }

  /// Waits until something has moved.
  func park() async {
    await withCheckedContinuation { parked.append($0) }
  }

  /// Lets all that wait try again.
  func wake() {
    let waiting = parked
    parked = []
    for continuation in waiting { continuation.resume() }
  }
}

// MARK: - Opening and closing

extension SystemExecution {
  /// Makes the streams and asks the master for the command; the handler is called on the loop's
  /// thread whenever one of them has moved.
  func open(
    _ socket: ControlSocket, _ request: [UInt8], _ handler: @escaping @Sendable () -> Void
  ) throws(LocalFile.Failure) {
    control.descriptor = socket.descriptor
    let pipes = try Self.pipes()
    defer { for end in [pipes[0].read, pipes[1].write, pipes[2].write] { Glibc.close(end) } }
    input.descriptor = pipes[0].write
    output.descriptor = pipes[1].read
    errors.descriptor = pipes[2].read
    for end in [input, output, errors] { _ = fcntl(end.descriptor, F_SETFL, O_NONBLOCK) }
    isAsked = true
    let theirs = [pipes[0].read, pipes[1].write, pipes[2].write]
    guard socket.send(request, streams: theirs) else { throw .current }
    for line in [\SystemExecution.control, \.input, \.output, \.errors] {
      self[keyPath: line].watch = loop.watch(self[keyPath: line].descriptor) { _ in handler() }
    }
  }

  private static func pipes() throws(LocalFile.Failure) -> [LocalPipe] {
    var pipes: [LocalPipe] = []
    do throws(LocalFile.Failure) {
      for _ in 0..<3 { pipes.append(try LocalPipe()) }
      return pipes
    } catch {
      for pipe in pipes { for end in [pipe.read, pipe.write] { Glibc.close(end) } }
      throw error
    }
  }

  /// What the master said instead of taking the command; it may be asked again.
  func takeRefusal() -> String? {
    defer {
      if refusal != nil { isOver = false }
      refusal = nil
    }
    return refusal
  }

  /// Lets go of all streams; the master then ends what is left of the command's session.
  func close() {
    closeInput()
    close(\.output)
    close(\.errors)
    close(\.control)
  }

  /// Tells the command that its input is over.
  func closeInput() { close(\.input) }

  private func close(_ line: ReferenceWritableKeyPath<SystemExecution, Line>) {
    let descriptor = self[keyPath: line].descriptor
    guard descriptor >= 0 else { return }
    if let watch = self[keyPath: line].watch { loop.unwatch(descriptor, watch) }
    Glibc.close(descriptor)
    self[keyPath: line] = Line()
  }
}

// MARK: - Moving bytes

extension SystemExecution {
  /// Reads what the master and the command have said.
  func listen() -> Progress {
    let master = listenToMaster()
    let moved = read(\.output) { talk.takeOutput($0) }
    let movedErrors = read(\.errors) { talk.takeErrors($0) }
    if master || moved || movedErrors { return .moved }
    return isOver ? .ended : .dry
  }

  private func listenToMaster() -> Bool {
    let moved = read(\.control) { replies.take($0) }
    while let reply = replies.next() {
      switch reply {
      case .opened: isOpened = true
      case .status(let number): status = number
      case .refused(let reason): refusal = reason
      case .hello, .other: break
      }
    }
    if control.descriptor < 0 { isOver = true }
    return moved
  }

  /// Reads until the stream is dry or has had its turn; true if there was anything, its end
  /// included.
  private func read(
    _ line: ReferenceWritableKeyPath<SystemExecution, Line>,
    _ take: (UnsafeRawBufferPointer) -> Void
  ) -> Bool {
    var left = Self.turnBudget
    let buffer = loop.scratch
    while left > 0, self[keyPath: line].descriptor >= 0 {
      let count = Glibc.read(self[keyPath: line].descriptor, buffer.baseAddress, buffer.count)
      if count > 0 {
        take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        left -= count
      } else if count < 0, errno == EAGAIN {
        break
      } else if count == 0 || errno != EINTR {
        close(line)
        return true
      }
    }
    return left < Self.turnBudget
  }

  /// Writes as much of the input as the pipe takes, from a place on; nil when nobody reads it.
  func write(_ bytes: [UInt8], from start: Int) -> Int? {
    guard input.descriptor >= 0 else { return nil }
    let count = bytes.withUnsafeBytes { bytes in
      // Signals are blocked on the loop's thread, so a reader that is gone shows as an error.
      Glibc.write(input.descriptor, bytes.baseAddress.map { $0 + start }, bytes.count - start)
    }
    if count >= 0 { return count }
    return errno == EAGAIN || errno == EINTR ? 0 : nil
  }

  /// Lets the pipe hold much at once, so that big inputs wait for nobody's turn.
  func widenInput() {
    let setPipeSize: Int32 = 1031
    _ = fcntl(input.descriptor, setPipeSize, Int32(1024 * 1024))
  }
}
