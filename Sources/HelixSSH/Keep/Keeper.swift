import Glibc
import HelixModel

/// Holds the sessions of runs that are over, for the runs to come; one for each user, program and
/// environment.
package actor Keeper {
  /// More runs at once than anybody has.
  private static let clientLimit = 256
  /// How long it waits for the run that started it.
  private static let patience = Duration.seconds(30)
  /// How long the last words to servers may take.
  private static let farewellLimit = Duration.seconds(5)

  private struct Held {
    var since: ContinuousClock.Instant
    var lastUsed: ContinuousClock.Instant
  }

  nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    loop.asUnownedSerialExecutor()
  }

  private let listener: Int32
  private let place: KeeperPlace?
  private let node: UInt64?
  private let provider: SSHShellProvider
  private let grace: Duration
  private var watch: EventLoop.WatchID?
  private var clients: [ObjectIdentifier: KeptClient] = [:]
  private var held: [SSHSettings: Held] = [:]
  /// Links whose time is over and which are being ended.
  private var expiring: [SSHSettings: Task<Void, Never>] = [:]
  private var leases: Leases<SSHSettings>
  private var timer: (id: Timers.ID, due: ContinuousClock.Instant)?
  private var isEnding = false
  private let over = Pending<Void>()

  /// - Parameters:
  ///   - listener: A listening, non-blocking Unix socket, which the keeper closes.
  ///   - provider: Makes the sessions, and tells the current request what happens to them.
  ///   - grace: What a request may take beyond its own limit of time.
  init(
    listener: Int32,
    provider: SSHShellProvider = SSHShellProvider { KeptRequest.current?.report($0) },
    grace: Duration = .seconds(600)
  ) {
    self.listener = listener
    self.provider = provider
    self.grace = grace
    loop = .next()
    place = KeeperPlace(listener: listener)
    node = place?.node
    leases = Leases(until: .now + Self.patience)
  }

  /// The life of the process that keeps connections: its standard input is the socket.
  ///
  /// - Throws: a `Diagnostic` when nobody could reach it.
  package static func serveStandardInput() async throws {
    KeeperProcess.settle()
    // Whoever starts it by hand gives it no socket.
    guard KeeperPlace(listener: STDIN_FILENO) != nil else {
      throw KeeperProblem.notStarted("its standard input is no socket").diagnostic
    }
    await Keeper(listener: STDIN_FILENO).serve()
  }

  /// Serves until nobody has wanted anything for long enough.
  func serve() async {
    watch = loop.watch(listener) { _ in self.assumeIsolated { $0.accept() } }
    arm()
    accept()
    try? await over.value()
    await withdraw()
  }
}

// MARK: - Clients

extension Keeper {
  private func accept() {
    while !isEnding {
      let descriptor = Glibc.accept(listener, nil, nil)
      guard descriptor >= 0 else {
        if errno == EINTR || errno == ECONNABORTED { continue }
        // Out of descriptors: no edge will tell of those who wait already.
        if errno != EAGAIN {
          _ = loop.schedule(after: .milliseconds(100)) { self.assumeIsolated { $0.accept() } }
        }
        return
      }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
      guard KeeperPlace.peer(of: descriptor) == geteuid(), clients.count < Self.clientLimit else {
        Glibc.close(descriptor)
        continue
      }
      let client = KeptClient(FrameStream(descriptor: descriptor, loop: loop), of: self)
      clients[ObjectIdentifier(client)] = client
      client.assumeIsolated { $0.begin() }
    }
  }

  func forget(_ client: KeptClient) { clients[ObjectIdentifier(client)] = nil }

  /// A shell over the link with some settings, shared by all who have the same.
  func shell(with settings: SSHSettings) async -> SSHShell {
    await expiring[settings]?.value
    return await provider.shell(with: settings)
  }

  /// Ends a link's session for all who share it.
  func close(_ settings: SSHSettings) async { await provider.link(with: settings).close() }

  func noteConnected(_ settings: SSHSettings) {
    held[settings] = Held(since: .now, lastUsed: .now)
  }

  /// The sessions that work, by host.
  func list() async -> [KeptConnection] {
    let now = ContinuousClock.now
    var all: [KeptConnection] = []
    for (settings, held) in held where await provider.link(with: settings).isUp {
      all.append(
        KeptConnection(
          host: settings.host, target: settings.target, age: now - held.since,
          idle: now - held.lastUsed))
    }
    return all.sorted { ($0.host, $0.target) < ($1.host, $1.target) }
  }
}

// MARK: - Time

extension Keeper {
  func prolong(by span: Duration) {
    leases.prolong(by: span, now: .now)
    arm()
  }

  func begin(
    _ settings: SSHSettings?, span: Duration, limit: Duration
  ) -> Leases<SSHSettings>.Ticket {
    if let settings { held[settings]?.lastUsed = .now }
    return leases.begin(settings, span: span, limit: limit + grace, now: .now)
  }

  func finish(_ ticket: Leases<SSHSettings>.Ticket, _ settings: SSHSettings?, span: Duration) {
    leases.finish(ticket, now: .now)
    if let settings { held[settings]?.lastUsed = .now }
    if let timer, timer.due > .now + span { arm() }
  }

  /// Looks again when the next thing's time is over.
  private func arm() {
    guard !isEnding else { return }
    if let timer { loop.cancel(timer.id) }
    let due = leases.next
    let id = loop.schedule(after: max(.zero, due - .now)) {
      self.assumeIsolated { $0.look() }
    }
    timer = (id, due)
  }

  private func look() {
    let now = ContinuousClock.now
    for settings in leases.takeExpired(now: now) {
      held[settings] = nil
      expiring[settings] = Task {
        await provider.forget(settings)
        expiring[settings] = nil
      }
    }
    if leases.isOver(now: now) { end() } else { arm() }
  }

  /// Takes no more requests, and lets everybody know.
  func end() {
    guard !isEnding else { return }
    isEnding = true
    if let timer { loop.cancel(timer.id) }
    if let watch { loop.unwatch(listener, watch) }
    // From here on a connection is refused, so that the next run starts a keeper of its own.
    Glibc.close(listener)
    for client in clients.values { client.assumeIsolated { $0.dismiss() } }
    over.settle(.success(()))
  }

  /// Removes the socket, unless another keeper's stands in its place, and ends the sessions.
  private func withdraw() async {
    if let place, let lock = await place.takeLock(within: Self.farewellLimit) {
      if place.node == node { unlink(place.socket) }
      Glibc.close(lock)
    }
    let done = Pending<Void>()
    let timer = loop.schedule(after: Self.farewellLimit) { done.settle(.success(())) }
    Task {
      await provider.closeAll()
      done.settle(.success(()))
    }
    try? await done.value()
    loop.cancel(timer)
  }
}
