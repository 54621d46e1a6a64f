import Glibc

/// One end of the socket between a run and the keeper: frames both ways, on an event loop.
///
/// The event loop holds the stream until it is closed, so whoever makes one must close it.
actor FrameStream {
  /// Bytes waiting for the socket above which nothing that can wait should be added.
  private static let outgoingLimit = 1024 * 1024
  /// Bytes one turn may receive before others on the loop get theirs.
  private static let turnBudget = 1024 * 1024

  fileprivate struct Outgoing {
    var bytes: [UInt8] = []
    var start = 0
    var isClosed = false
    var waiting: [CheckedContinuation<Void, Never>] = []

    var pending: Int { bytes.count - start }
  }

  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private nonisolated let descriptor: Int32
  private nonisolated let outgoing = Lock(Outgoing())
  private var reader = FrameReader()
  private var watch: EventLoop.WatchID?
  private var onFrame: (@Sendable (Frame) -> Void)?
  private var onEnd: (@Sendable () -> Void)?
  private var isPaused = false
  private var isClosed = false

  /// - Parameters:
  ///   - descriptor: A connected, non-blocking socket, which the stream closes.
  ///   - loop: The loop on which the stream lives.
  init(descriptor: Int32, loop: EventLoop) {
    self.descriptor = descriptor
    self.loop = loop
  }

  /// Starts to listen; both callbacks run on the loop's thread.
  ///
  /// - Parameters:
  ///   - onFrame: Called for every frame, in order.
  ///   - onEnd: Called once, when the other side is gone, talks nonsense, or the stream is closed.
  func begin(
    onFrame: @escaping @Sendable (Frame) -> Void, onEnd: @escaping @Sendable () -> Void
  ) {
    guard !isClosed else { return onEnd() }
    self.onFrame = onFrame
    self.onEnd = onEnd
    watch = loop.watch(descriptor) { readiness in
      self.assumeIsolated { $0.socketReady(readiness) }
    }
    if watch == nil { end() }
  }

  /// Stops or resumes reading; the other side then has to wait.
  func pause(_ isPaused: Bool) {
    guard self.isPaused != isPaused else { return }
    self.isPaused = isPaused
    if !isPaused { readLater() }
  }

  /// Ends the stream; later calls do nothing.
  nonisolated func close() {
    loop.execute { self.assumeIsolated { $0.end() } }
  }

  private func end() {
    guard !isClosed else { return }
    isClosed = true
    if let watch { loop.unwatch(descriptor, watch) }
    watch = nil
    let waiting = outgoing.withLock { outgoing in
      outgoing.isClosed = true
      outgoing.bytes = []
      outgoing.start = 0
      Glibc.close(descriptor)
      return outgoing.takeWaiting()
    }
    for continuation in waiting { continuation.resume() }
    onEnd?()
    onEnd = nil
    onFrame = nil
  }
}

// MARK: - Reading

extension FrameStream {
  private func socketReady(_ readiness: EventLoop.Readiness) {
    if readiness.contains(.writable) { flush() }
    // With reading paused, what was sent before the other side left does not matter any more.
    if readiness.contains(.hangup), isPaused { return end() }
    if !readiness.isDisjoint(with: [.readable, .hangup]) { read() }
  }

  private func readLater() {
    loop.execute { self.assumeIsolated { $0.read() } }
  }

  private func read() {
    var budget = Self.turnBudget
    while !isClosed, !isPaused {
      guard budget > 0 else { return readLater() }
      let count = recv(
        descriptor, loop.scratch.baseAddress, loop.scratch.count, Int32(MSG_DONTWAIT))
      guard count > 0 else {
        if count < 0, errno == EINTR { continue }
        if count == 0 || errno != EAGAIN { end() }
        return
      }
      budget -= count
      reader.take(UnsafeRawBufferPointer(rebasing: loop.scratch[..<count]))
      deliver()
    }
  }

  private func deliver() {
    do throws(FrameProblem) {
      while !isClosed, let frame = try reader.next() { onFrame?(frame) }
    } catch {
      end()
    }
  }
}

// MARK: - Writing

extension FrameStream {
  /// Sends a frame, now or as soon as the socket takes it; after the end nothing happens.
  nonisolated func send(_ frame: Frame) {
    outgoing.withLock { outgoing in
      guard !outgoing.isClosed else { return }
      outgoing.bytes += frame.bytes
      outgoing.flush(descriptor)
    }
  }

  /// Comes back when what was sent has left room for more.
  nonisolated func room() async {
    await withCheckedContinuation { continuation in
      let hasRoom = outgoing.withLock { outgoing in
        if outgoing.isClosed || outgoing.pending < Self.outgoingLimit { return true }
        outgoing.waiting.append(continuation)
        return false
      }
      if hasRoom { continuation.resume() }
    }
  }

  /// What waits for the socket is more than should.
  nonisolated var isFull: Bool {
    outgoing.withLock { $0.pending >= Self.outgoingLimit }
  }

  private func flush() {
    let waiting = outgoing.withLock { outgoing -> [CheckedContinuation<Void, Never>] in
      outgoing.flush(descriptor)
      return outgoing.pending < Self.outgoingLimit ? outgoing.takeWaiting() : []
    }
    for continuation in waiting { continuation.resume() }
  }
}

extension FrameStream.Outgoing {
  /// Sends what the socket takes; a socket that is broken shows when it is read.
  fileprivate mutating func flush(_ descriptor: Int32) {
    while pending > 0, !isClosed {
      let sent = bytes.withUnsafeBytes { buffer in
        Glibc.send(
          descriptor, buffer.baseAddress.map { $0 + start }, pending,
          Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
      if sent < 0, errno == EINTR { continue }
      guard sent > 0 else { return }
      start += sent
    }
    if pending == 0 {
      bytes = []
      start = 0
    } else if start > 4 * 1024 * 1024 {
      bytes.removeFirst(start)
      start = 0
    }
  }

  fileprivate mutating func takeWaiting() -> [CheckedContinuation<Void, Never>] {
    defer { waiting = [] }
    return waiting
  }
}
