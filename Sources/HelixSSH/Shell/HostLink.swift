import HelixModel

/// The one connection to a host: made when first asked for, shared, and made again when it broke.
actor HostLink {
  /// Gives the link to a host that others are reached through.
  typealias Gates = @Sendable (SSHSettings) async throws -> HostLink

  let settings: SSHSettings
  let trust: Trust
  let limiter: ConnectionLimiter
  private let gates: Gates
  let report: @Sendable (SSHEvent) -> Void

  private var session: (any RemoteSession)?
  private let connecting = SharedAttempt<any RemoteSession>()
  private(set) var isRetired = false
  /// The address that libssh2 is connected to.
  private var address = ""
  /// The second connection, for large files.
  var bulk = BulkState()
  /// Why the system's `ssh` connects, once that was decided for what libssh2 cannot do.
  private var switchReason: String?

  init(
    _ settings: SSHSettings, trust: Trust, limiter: ConnectionLimiter,
    gates: @escaping Gates = { _ in throw SSHError.closed },
    report: @escaping @Sendable (SSHEvent) -> Void
  ) {
    self.settings = settings
    self.trust = trust
    self.limiter = limiter
    self.gates = gates
    self.report = report
  }

  /// A session that works; whoever asks while one is being made gets the same one.
  func liveSession() async throws -> any RemoteSession {
    guard !isRetired else { throw SSHError.closed }
    if let session {
      if await session.obstacle == nil { return session }
      drop(session)
    }
    return try await connecting.value {
      let session = try await self.makeSession()
      self.session = session
      return session
    }
  }

  /// What a second connection to the same place needs; nil where libssh2 does not hold the first, or
  /// somebody would have to be asked.
  var bulkSettings: SSHSettings? {
    get async {
      guard let session = session as? SSHSession, let entrance = await session.entrance else {
        return nil
      }
      return settings.forBulk(at: address, entrance)
    }
  }

  /// Whether there is a session that works.
  var isUp: Bool {
    get async {
      guard let session else { return false }
      return await session.obstacle == nil
    }
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
    await bulk.link?.retire()
    await close()
  }

  /// Ends the connection, or the attempt to make one; the next command makes a new one.
  func close() async {
    await connecting.cancel()
    let session = self.session
    self.session = nil
    await bulk.link?.close()
    await session?.close()
  }
}

// MARK: - Connecting

extension HostLink {
  /// Pauses before a server that turned us away in its greeting is tried again.
  private static let greetingPauses: [Duration] = [.milliseconds(300), .seconds(1), .seconds(3)]

  /// Connects, again if the server turned us away at its door.
  ///
  /// A server with too many logins under way drops some at random, and says so at most in place of
  /// its greeting. Nothing has happened there, so it may be tried again.
  private func makeSession() async throws -> any RemoteSession {
    for pause in Self.greetingPauses {
      do {
        return try await trySession()
      } catch let error as SSHError where error.isTurnedAway && settings.proxyCommand == nil {
        try await Task.sleep(for: pause)
      }
    }
    return try await trySession()
  }

  /// libssh2 first; what it cannot do the system's `ssh` does, for as long as the link lives.
  private func trySession() async throws -> any RemoteSession {
    switch TransportSwitch(settings) {
    case .system(let reason): return try await trySystemSession(reason)
    case .native where switchReason != nil: return try await trySystemSession(switchReason)
    case .native:
      do {
        return try await tryNativeSession()
      } catch let error as SSHError {
        guard let reason = TransportSwitch.reason(for: error, settings) else { throw error }
        return try await trySystemSession(reason)
      }
    }
  }

  private func trySystemSession(_ reason: String?) async throws -> any RemoteSession {
    if let reason, switchReason == nil { report(.secondTransport(settings.host, reason: reason)) }
    switchReason = reason
    let turn = await limiter.enter(settings.limitedName)
    let session = SystemSession(settings, loop: .next()) { [host = settings.host, report] key in
      report(.touchNeeded(host, key: key))
    }
    do {
      try Task.checkCancellation()
      let login = try await session.logIn(trust)
      await limiter.leave(turn)
      report(.connected(settings.host, address: login.address))
      if let kept = login.accepted {
        report(.acceptedHostKey(settings.host, fingerprint: kept.fingerprint, file: kept.file))
      }
      return session
    } catch {
      await limiter.leave(turn)
      await session.close()
      throw error
    }
  }

  /// Logs in with libssh2, once more when somebody typed for longer than the server waits.
  ///
  /// What they typed is known by then, so that nobody is asked for it again.
  private func tryNativeSession() async throws -> any RemoteSession {
    do {
      return try await tryNativeLogin()
    } catch SSHError.outwaited {
      return try await tryNativeLogin()
    }
  }

  private func tryNativeLogin() async throws -> any RemoteSession {
    let route = try await Route(settings, gates: gates)
    let turn = await limiter.enter(settings.limitedName)
    do {
      let session = try await logIn(over: route)
      await limiter.leave(turn)
      return session
    } catch {
      await limiter.leave(turn)
      throw error
    }
  }

  private func logIn(over route: Route) async throws -> any RemoteSession {
    try Task.checkCancellation()
    let open = try await route.open()
    let session = SSHSession(descriptor: open.descriptor, loop: route.loop, proxy: open.proxy)
    do {
      let login = try await session.logIn(settings, trust: trust)
      address = open.address
      report(.connected(settings.host, address: open.address))
      if let (key, file) = login.accepted {
        report(.acceptedHostKey(settings.host, fingerprint: key.fingerprint, file: file))
      }
      return session
    } catch {
      await session.close()
      throw await blamed(error, on: open.proxy)
    }
  }

  /// A connection that ended before a greeting was ended by the program that should have made it.
  private func blamed(_ error: any Error, on proxy: ChildProcess?) async -> any Error {
    guard let proxy, let error = error as? SSHError, error.isTurnedAway else { return error }
    let status = await proxy.ended(within: .seconds(1))
    return SSHError.proxyFailed(
      command: settings.proxyCommand ?? "", status: status, lines: proxy.lastWords)
  }
}

// MARK: - Commands

extension HostLink {
  /// Pauses before a question is asked again on a new connection.
  private static let questionPauses: [Duration] = [.zero, .milliseconds(500), .seconds(2)]

  /// Runs a command on a working session.
  ///
  /// A connection may have ended unnoticed since its last use: a command that was not even sent yet
  /// is tried once more on a new one. A question may be asked again even when it was under way.
  func run(_ request: RemoteRequest) async throws -> RemoteResult {
    let end = ContinuousClock.now + request.limit
    var pauses = Self.questionPauses.prefix(request.isQuestion ? .max : 1)
    while true {
      let session = try await liveSession()
      let wasSent = Lock(false)
      do {
        return try await session.run(request) { [host = settings.host, report] in
          wasSent.withLock { $0 = true }
          report(.requested(host))
        }
      } catch let error as SSHError where error.isConnectionLoss {
        drop(session)
        guard request.isQuestion || !wasSent.withLock({ $0 }), let pause = pauses.popFirst(),
          ContinuousClock.now + pause < end
        else { throw error }
        try await Task.sleep(for: pause)
      }
    }
  }

  /// A connection of bytes from the host to another one.
  func tunnel(to host: String, port: Int) async throws -> Int32 {
    let session = try await liveSession()
    do {
      return try await session.tunnel(to: host, port: port)
    } catch let error as SSHError where error.isConnectionLoss {
      drop(session)
      return try await liveSession().tunnel(to: host, port: port)
    }
  }
}
