private import CLibSSH2
import Glibc

/// One SSH connection: every libssh2 call of it happens here, on its event loop's thread.
///
/// The event loop holds the session until it is closed, so whoever makes one must close it.
actor SSHSession {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  let transport: Transport
  var stage = SSHError.Stage.greet
  /// What ended the session; every operation from then on fails with it.
  private(set) var failure: SSHError?
  /// The libssh2 session, until it is freed.
  private(set) var handle: OpaquePointer?
  /// What we ask for, to tell what a server lacks.
  var ours = Greeting.Offer()
  /// The agent in use during login, so that a failure can end the wait for it.
  var agent: AgentConnection?
  /// A signature in the making, which may wait for a person.
  var signing: Task<Void, Never>?
  /// How a second session would get in; nil when somebody would have to be asked.
  var entrance: Entrance?
  /// How long the login may still take.
  var deadline: Deadline?
  /// Commands and tunnels under way.
  var working = 0
  /// Shells that are kept for questions, each on a channel.
  var shells: [KeptShell] = []
  /// Channels that are open or being opened.
  var channels = 0
  /// How many channels the server lets us have; sshd's default is ten.
  var channelLimit = 10
  var slotQueue: [CheckedContinuation<Void, Never>] = []

  private var watch: EventLoop.WatchID?
  private var parked: [CheckedContinuation<Void, Never>] = []
  private var isGateTaken = false
  private var gateQueue: [CheckedContinuation<Void, Never>] = []
  private var keepAliveTimer: Timers.ID?
  private var isClosing = false
  let departure = Departure()
  private let proxy: ChildProcess?

  /// - Parameters:
  ///   - descriptor: A connected, non-blocking socket, which the session closes.
  ///   - loop: The loop on which the session lives.
  ///   - proxy: A program that carries the bytes, which ends with the session.
  init(descriptor: Int32, loop: EventLoop, proxy: ChildProcess? = nil) {
    self.loop = loop
    self.proxy = proxy
    transport = Transport(descriptor: descriptor)
  }

  /// `libssh2_init` is not thread-safe; a `static let` runs once.
  static let isLibraryReady = libssh2_init(0) == 0

  /// Makes the libssh2 session and starts to listen to the socket.
  func begin() throws(SSHError) {
    guard Self.isLibraryReady, let handle = libssh2_session_init_ex(nil, nil, nil, nil) else {
      throw .library(operation: "start libssh2", code: -6, detail: "out of memory")
    }
    self.handle = handle
    libssh2_session_set_blocking(handle, 0)
    transport.attach(to: handle)
    watch = loop.watch(transport.descriptor) { readiness in
      self.assumeIsolated { $0.socketReady(readiness) }
    }
    if watch == nil { throw .unreachable([]) }
  }

  /// Nil as long as the session can be used.
  var obstacle: SSHError? { failure }
}

// MARK: - Driving libssh2

extension SSHSession {
  /// What one try of a libssh2 call came to.
  enum Step<Value: Sendable> {
    case done(Value)
    /// It cannot go on before the socket, or somebody else's call, has moved something.
    case again
    case failed(Int32)
  }

  /// Bytes that may come for nobody, for each that works with the session.
  ///
  /// libssh2 keeps packets that nobody has asked for, without end. What channels may have in flight
  /// is bounded by their windows, and they are read from again and again.
  private static let patienceForStrangers = 4 * 1024 * 1024

  /// Repeats a step until it is done, parked in between until something has moved.
  ///
  /// Steps are synchronous, so no two libssh2 calls ever overlap. A call may read packets meant for
  /// another one, and the socket does not become readable again for them: whoever moved bytes
  /// wakes all others.
  func drive<Value: Sendable>(
    _ operation: String, _ step: (OpaquePointer) throws(SSHError) -> Step<Value>
  ) async throws(SSHError) -> Value {
    while true {
      let handle = try usableHandle()
      transport.beginTurn()
      let outcome = try step(handle)
      // What was read beside a loss is not the whole.
      if let failure { throw failure }
      switch outcome {
      case .done(let value):
        transport.claim()
        wakeAll()
        return value
      case .failed(let code):
        wakeAll()
        throw error(of: code, in: operation)
      case .again:
        if transport.unclaimed > Self.patienceForStrangers * (1 + working) {
          fail(.flooded(bytes: transport.unclaimed))
        }
        if transport.hasReceived { wakeAll() }
        if transport.hasMore { await Task.yield() } else { await park() }
      }
    }
  }

  /// The same for calls that return zero, `EAGAIN` or an error.
  func driveCode(
    _ operation: String, _ call: (OpaquePointer) -> Int32
  ) async throws(SSHError) {
    try await drive(operation) { handle throws(SSHError) -> Step<Void> in
      switch call(handle) {
      case 0...: .done(())
      case LIBSSH2_ERROR_EAGAIN: .again
      case let code: .failed(code)
      }
    }
  }

  /// Runs requests that wait for a reply one at a time: libssh2 keeps their state in the session.
  func gated<Value: Sendable>(
    _ body: () async throws(SSHError) -> Value
  ) async throws(SSHError) -> Value {
    while isGateTaken { await withCheckedContinuation { gateQueue.append($0) } }
    isGateTaken = true
    defer {
      isGateTaken = false
      if !gateQueue.isEmpty { gateQueue.removeFirst().resume() }
    }
    return try await body()
  }

  private func usableHandle() throws(SSHError) -> OpaquePointer {
    if let failure { throw failure }
    guard let handle else { throw .closed }
    return handle
  }

  private func park() async {
    await withCheckedContinuation { parked.append($0) }
  }

  /// Lets every parked operation try again.
  func wakeAll() {
    guard !parked.isEmpty else { return }
    let waiting = parked
    parked = []
    for continuation in waiting { continuation.resume() }
  }

  private func socketReady(_ readiness: EventLoop.Readiness) {
    transport.noteReady(readiness)
    // With nobody reading, the end of the connection must show by itself.
    if readiness.contains(.hangup), stage == .run, working == 0 {
      fail(.disconnected(.run, said: nil))
    }
    wakeAll()
  }
}

// MARK: - The end

extension SSHSession {
  /// Ends the session's usefulness: all that wait, and all that come, get this error.
  func fail(_ error: SSHError) {
    guard failure == nil else { return }
    failure = error
    transport.seal()
    agent?.abort()
    signing?.cancel()
    wakeAll()
    wakeSlots()
  }

  /// Says goodbye if the session still works, and frees everything; later calls do nothing.
  func close() async {
    guard !isClosing else { return }
    isClosing = true
    if failure == nil { await departure.wait(on: loop) }
    if let keepAliveTimer { loop.cancel(keepAliveTimer) }
    if let handle, failure == nil, stage == .run {
      let byApplication: Int32 = 11
      libssh2_session_disconnect_ex(handle, byApplication, "done", "")
      transport.flush()
    }
    fail(.closed)
    release()
  }

  private func release() {
    if let watch { loop.unwatch(transport.descriptor, watch) }
    watch = nil
    if let handle {
      self.handle = nil
      // The transport is sealed, so this cannot wait for the far side.
      var tries = 0
      while libssh2_session_free(handle) == LIBSSH2_ERROR_EAGAIN, tries < 100 { tries += 1 }
    }
    Glibc.close(transport.descriptor)
    proxy?.end()
  }

  /// Frees waiting for a channel slot.
  func wakeSlots() {
    let waiting = slotQueue
    slotQueue = []
    for continuation in waiting { continuation.resume() }
  }
}

// MARK: - Staying alive

extension SSHSession {
  /// Asks the server for a sign of life every so often, and gives up when none comes.
  func keepAlive(every interval: Duration, giveUpAfter count: Int) {
    guard interval > .zero, let handle else { return }
    libssh2_keepalive_config(handle, 1, UInt32(interval.components.seconds))
    scheduleKeepAlive(interval, count)
  }

  private func scheduleKeepAlive(_ interval: Duration, _ count: Int) {
    keepAliveTimer = loop.schedule(after: interval) { [weak self] in
      self?.assumeIsolated { $0.checkLife(interval, count) }
    }
  }

  private func checkLife(_ interval: Duration, _ count: Int) {
    guard failure == nil, let handle else { return }
    let silence = ContinuousClock.now - transport.lastHeard
    if silence > interval * (count + 1) {
      fail(.silent(silence))
      return
    }
    var next: Int32 = 0
    libssh2_keepalive_send(handle, &next)
    scheduleKeepAlive(interval, count)
  }
}
