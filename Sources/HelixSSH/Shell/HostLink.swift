import HelixModel

/// The one connection to a host: made when first asked for, shared, and made again when it broke.
actor HostLink {
  let settings: SSHSettings
  private let trust: Trust
  private let limiter: ConnectionLimiter
  private let report: @Sendable (SSHEvent) -> Void

  private var session: (any RemoteSession)?
  private var connecting: Task<Void, Never>?
  private var waiting: [Pending<any RemoteSession>] = []
  private var isRetired = false

  init(
    _ settings: SSHSettings, trust: Trust, limiter: ConnectionLimiter,
    report: @escaping @Sendable (SSHEvent) -> Void
  ) {
    self.settings = settings
    self.trust = trust
    self.limiter = limiter
    self.report = report
  }

  /// A session that works; whoever asks while one is being made gets the same one.
  func liveSession() async throws -> any RemoteSession {
    guard !isRetired else { throw SSHError.closed }
    if let session {
      if await session.obstacle == nil { return session }
      drop(session)
    }
    let answer = Pending<any RemoteSession>()
    waiting.append(answer)
    if connecting == nil { connecting = Task { await connect() } }
    return try await answer.value()
  }

  /// Forgets a session that broke, so that the next command gets a new one.
  func drop(_ broken: any RemoteSession) {
    guard session === broken else { return }
    session = nil
    Task { await broken.close() }
  }

  /// Ends the connection for good: no command makes a new one.
  func retire() async {
    isRetired = true
    await close()
  }

  /// Ends the connection, or the attempt to make one; the next command makes a new one.
  func close() async {
    connecting?.cancel()
    await connecting?.value
    await session?.close()
    session = nil
  }

  private func connect() async {
    let result: Result<any RemoteSession, any Error>
    do {
      let session = try await makeSession()
      self.session = session
      result = .success(session)
    } catch {
      result = .failure(error)
    }
    connecting = nil
    let answers = waiting
    waiting = []
    for answer in answers { answer.settle(result) }
  }

  private func makeSession() async throws -> any RemoteSession {
    let dialer = Dialer(loop: .next())
    let addresses = try await dialer.resolve(settings)
    let turn = addresses.first?.text ?? settings.address
    await limiter.enter(turn)
    do {
      let session = try await logIn(dialer, addresses)
      await limiter.leave(turn)
      return session
    } catch {
      await limiter.leave(turn)
      throw error
    }
  }

  private func logIn(_ dialer: Dialer, _ addresses: [SocketAddress]) async throws
    -> any RemoteSession
  {
    try Task.checkCancellation()
    let (descriptor, address) = try await dialer.dial(addresses, limit: settings.connectTimeout)
    let session = SSHSession(descriptor: descriptor, loop: dialer.loop)
    do {
      let login = try await session.logIn(settings, trust: trust)
      report(.connected(settings.host, address: address.text))
      if let (key, file) = login.accepted {
        report(.acceptedHostKey(settings.host, fingerprint: key.fingerprint, file: file))
      }
      return session
    } catch {
      await session.close()
      throw error
    }
  }

  /// Runs a command on a working session.
  ///
  /// A connection may have ended unnoticed since its last use; a command that was not even sent yet
  /// is tried once more on a new one.
  func run(_ request: RemoteRequest) async throws -> RemoteResult {
    for isLastTry in [false, true] {
      let session = try await liveSession()
      let wasSent = Lock(false)
      do {
        return try await session.run(request) {
          [host = settings.host, report] in
          wasSent.withLock { $0 = true }
          report(.requested(host))
        }
      } catch let error as SSHError where error.isConnectionLoss {
        drop(session)
        if isLastTry || wasSent.withLock({ $0 }) { throw error }
      }
    }
    throw SSHError.closed
  }
}
