private import CLibSSH2
import Glibc

/// One thread that runs the jobs of many actors, the events of their descriptors and their timers.
///
/// It never ends: an actor's executor must outlive the actor, and a process needs only a few.
// @unchecked: 'shared' is locked; 'watchers' and 'scratch' are only touched on the loop's own
// thread, which checkIsolated() verifies; 'thread' is written before init returns, so before any job.
final class EventLoop: SerialExecutor, @unchecked Sendable {
  /// What the kernel said about a descriptor.
  struct Readiness: OptionSet, Sendable {
    let rawValue: UInt8
    static let readable = Readiness(rawValue: 1)
    static let writable = Readiness(rawValue: 2)
    static let hangup = Readiness(rawValue: 4)
  }

  /// Names one watched descriptor; numbers are never used again, so an event that comes late for a
  /// closed descriptor finds nobody.
  struct WatchID: Hashable, Sendable {
    fileprivate let number: UInt64
  }

  fileprivate struct Shared {
    var jobs: [UnownedJob] = []
    var callbacks: [@Sendable () -> Void] = []
    var timers = Timers()
    var nextTimer = 0
    /// True while the thread is in, or about to enter, `epoll_wait` without a time limit of zero.
    var sleeping = false
  }

  /// Room for what one synchronous step reads; only for use on the loop's thread.
  let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)

  private let poll: Int32
  private let alarm: Int32
  private let shared = Lock(Shared())
  private var watchers: [UInt64: @Sendable (Readiness) -> Void] = [:]
  private var nextWatch: UInt64 = 1
  private var thread = pthread_t()

  private init() {
    poll = epoll_create1(Int32(EPOLL_CLOEXEC))
    alarm = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    precondition(poll >= 0 && alarm >= 0, "the system has no descriptor left for an event loop")
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(u64: 0))
    epoll_ctl(poll, EPOLL_CTL_ADD, alarm, &event)
    start()
  }

  private func start() {
    // Signals belong to the main thread, so the loop's thread is born with all of them blocked.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    let me = Unmanaged.passRetained(self).toOpaque()
    let failure = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue().run()
      }, me)
    pthread_sigmask(SIG_SETMASK, &before, nil)
    precondition(failure == 0, "the system has no thread left for an event loop")
  }
}

// MARK: - Executor

extension EventLoop {
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let wake = shared.withLock { shared in
      shared.jobs.append(job)
      return shared.takeSleep()
    }
    if wake { ring() }
  }

  func checkIsolated() {
    precondition(isCurrentThread, "called away from the event loop's own thread")
  }

  /// Runs a callback on the loop's thread.
  func execute(_ callback: @escaping @Sendable () -> Void) {
    let wake = shared.withLock { shared in
      shared.callbacks.append(callback)
      return shared.takeSleep()
    }
    if wake { ring() }
  }

  /// Runs a callback on the loop's thread once the time has come, unless cancelled before.
  func schedule(
    after delay: Duration, _ callback: @escaping @Sendable () -> Void
  ) -> Timers.ID {
    let due = ContinuousClock.now + delay
    let (id, wake) = shared.withLock { shared in
      shared.nextTimer += 1
      let id = shared.timers.add(number: shared.nextTimer, at: due, callback)
      return (id, shared.takeSleep())
    }
    if wake { ring() }
    return id
  }

  func cancel(_ timer: Timers.ID) {
    shared.withLock { $0.timers.cancel(timer) }
  }

  private var isCurrentThread: Bool { pthread_equal(pthread_self(), thread) != 0 }

  private func ring() {
    var one: UInt64 = 1
    _ = Glibc.write(alarm, &one, MemoryLayout<UInt64>.size)
  }
}

extension EventLoop.Shared {
  /// Whether the thread must be woken; only the first caller after it fell asleep has to.
  mutating func takeSleep() -> Bool {
    defer { sleeping = false }
    return sleeping
  }
}

// MARK: - Descriptors

extension EventLoop {
  /// Calls the handler on every change of a descriptor's readiness; only on the loop's thread.
  ///
  /// Edge-triggered: the owner must read and write until the kernel says it would block.
  func watch(
    _ descriptor: Int32, _ handler: @escaping @Sendable (Readiness) -> Void
  ) -> WatchID? {
    checkIsolated()
    let number = nextWatch
    nextWatch += 1
    let interest = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
    var event = epoll_event(events: interest, data: epoll_data(u64: number))
    guard epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0 else { return nil }
    watchers[number] = handler
    return WatchID(number: number)
  }

  /// Ends the watch; to be called before the descriptor is closed, on the loop's thread.
  func unwatch(_ descriptor: Int32, _ id: WatchID) {
    checkIsolated()
    watchers[id.number] = nil
    epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, nil)
  }
}

// MARK: - The thread

extension EventLoop {
  private func run() -> Never {
    let capacity = 128
    let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
    while true {
      runReady()
      let count = epoll_wait(poll, events, Int32(capacity), milliseconds(until: nextWork()))
      shared.withLock { $0.sleeping = false }
      for index in 0..<max(0, Int(count)) { dispatch(events[index]) }
    }
  }

  /// Runs what was waiting at the time of the call; work that is added meanwhile comes after the
  /// next look at the descriptors, so that nobody can starve them.
  private func runReady() {
    let now = ContinuousClock.now
    let (jobs, callbacks, due) = shared.withLock { shared in
      let taken = (shared.jobs, shared.callbacks, shared.timers.takeDue(at: now))
      shared.jobs = []
      shared.callbacks = []
      return taken
    }
    for callback in callbacks { callback() }
    for callback in due { callback() }
    let me = asUnownedSerialExecutor()
    for job in jobs { job.runSynchronously(on: me) }
  }

  /// Nil: work is there already; `.some(nil)`: nothing until an event comes.
  private func nextWork() -> ContinuousClock.Instant?? {
    shared.withLock { shared in
      guard shared.jobs.isEmpty, shared.callbacks.isEmpty else { return nil }
      shared.sleeping = true
      return .some(shared.timers.next)
    }
  }

  private func milliseconds(until next: ContinuousClock.Instant??) -> Int32 {
    guard let due = next else { return 0 }
    guard let due else { return -1 }
    let left = due - .now
    guard left > .zero else { return 0 }
    let (seconds, attoseconds) = left.components
    return Int32(clamping: min(seconds, 86_400) * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
  }

  private func dispatch(_ event: epoll_event) {
    guard event.data.u64 != 0 else {
      var count: UInt64 = 0
      _ = Glibc.read(alarm, &count, MemoryLayout<UInt64>.size)
      return
    }
    var readiness: Readiness = []
    let bits = event.events
    if bits & EPOLLIN.rawValue != 0 { readiness.insert(.readable) }
    if bits & EPOLLOUT.rawValue != 0 { readiness.insert(.writable) }
    if bits & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
      readiness.insert(.hangup)
    }
    watchers[event.data.u64]?(readiness)
  }
}

// MARK: - The loops of the process

extension EventLoop {
  /// As many loops as handshakes can use: their cryptography is what fills a core.
  private static let all: [EventLoop] = {
    allowManyDescriptors()
    helix_share_heap()
    let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    return (0..<min(4, max(1, cores))).map { _ in EventLoop() }
  }()

  /// Every host takes a descriptor or two, and shells start us with room for a thousand.
  private static func allowManyDescriptors() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 65_536))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  private static let turn = Lock(0)

  /// The loops in turn, so that sessions spread evenly.
  static func next() -> EventLoop {
    let turn = turn.withLock { turn in
      turn &+= 1
      return turn
    }
    return all[abs(turn % all.count)]
  }
}
