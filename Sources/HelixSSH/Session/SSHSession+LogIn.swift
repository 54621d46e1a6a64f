private import CLibSSH2
import HelixModel

/// What happened on the way in, for those who show or count it.
struct LoginReport: Sendable {
  /// A key that was written down, with the file it went to.
  var accepted: (key: HostKey, file: String)?
}

extension SSHSession {
  /// Greets the server, checks its key and logs in, all within one limit of time.
  func logIn(_ settings: SSHSettings, trust: Trust) async throws -> LoginReport {
    deadline = Deadline(limit: settings.loginTimeout)
    resumeDeadline()
    defer {
      pauseDeadline()
      deadline = nil
    }
    return try await withTaskCancellationHandler {
      try begin()
      let check = try await trust.check(for: settings)
      try await exchangeKeys(check, settings)
      let report = try await checkHostKey(check, settings, trust)
      stage = .logIn
      transport.noteSecured()
      ours = Greeting.Offer()
      try await authenticate(settings, trust.keyFiles)
      stage = .run
      keepAlive(every: settings.aliveInterval, giveUpAfter: settings.aliveCount)
      return report
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.fail(.closed) } }
    }
  }

  private func exchangeKeys(
    _ check: HostKeyCheck, _ settings: SSHSettings
  ) async throws(SSHError) {
    guard let handle else { throw .closed }
    let choice = settings.algorithms
    let supported = Algorithms.supported(by: handle, method: LIBSSH2_METHOD_HOSTKEY)
    let hostKeys: [String]
    switch check.algorithms(supported: supported) {
    case .success(let algorithms): hostKeys = algorithms
    case .failure(let problem):
      if let reason = problem.systemReason, settings.transport != .libssh2 {
        throw .needsSystem(reason)
      }
      throw .hostKey(problem)
    }
    ours = Greeting.Offer(
      keyExchange: prefer(
        choice.applied(.keyExchange, to: Algorithms.keyExchange), [LIBSSH2_METHOD_KEX]),
      hostKey: prefer(choice.applied(.hostKey, to: hostKeys), [LIBSSH2_METHOD_HOSTKEY]),
      cipher: prefer(
        choice.applied(.cipher, to: Algorithms.ciphers),
        [LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC]),
      mac: prefer(
        choice.applied(.mac, to: Algorithms.macs), [LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC]))
    // An empty list would leave libssh2 to its own choice.
    if let gap = AlgorithmGap(nothingLeftIn: ours) { throw .noCommonAlgorithm(gap) }
    let socket = transport.descriptor
    try await drive("start the session") { handle throws(SSHError) -> Step<Void> in
      let code = libssh2_session_handshake(handle, socket)
      if transport.greeting.version != nil, stage == .greet { stage = .exchangeKeys }
      switch code {
      case 0: return .done(())
      case LIBSSH2_ERROR_EAGAIN: return .again
      default: return .failed(code)
      }
    }
  }

  /// Asks for algorithms in some order; returns those that this libssh2 knows.
  private func prefer(_ names: [String], _ methods: [Int32]) -> [String] {
    guard let handle else { return [] }
    // libssh2 1.10 would drop unknown names itself, with a memcpy on overlapping memory.
    let supported = Algorithms.supported(by: handle, method: methods[0])
    let usable = names.filter(supported.contains)
    for method in methods {
      libssh2_session_method_pref(handle, method, usable.joined(separator: ","))
    }
    return usable
  }

  private func checkHostKey(
    _ check: HostKeyCheck, _ settings: SSHSettings, _ trust: Trust
  ) async throws(SSHError) -> LoginReport {
    var count = 0
    var type: Int32 = 0
    guard let handle, let bytes = libssh2_session_hostkey(handle, &count, &type) else {
      throw .library(operation: "read the host key", code: 0, detail: "the server showed none")
    }
    let blob = UnsafeRawBufferPointer(start: bytes, count: count)
    let key = HostKey(blob: Array(blob))
    switch check.verdict(on: key) {
    case .trusted: return LoginReport()
    case .refused(let problem): throw .hostKey(problem)
    case .acceptNew:
      guard let file = check.file else {
        throw .hostKey(.unknown(key, name: check.name, file: nil))
      }
      try await trust.files.append(key, name: check.name, to: file)
      return LoginReport(accepted: (key, file))
    }
  }
}

// MARK: - Time

/// How long a login may still take; it stands still while a person is asked.
struct Deadline {
  let limit: Duration
  var left: Duration
  var since = ContinuousClock.now
  /// It has stood still for somebody's answer, for which servers do not wait long.
  var wasPersonAsked = false
  var timer: Timers.ID?
  /// How many wait for a person.
  var pauses = 1

  init(limit: Duration) {
    self.limit = limit
    left = limit
  }
}

extension SSHSession {
  /// Lets the login's time stand still.
  func pauseDeadline(forPerson: Bool = false) {
    deadline?.pauses += 1
    if forPerson { deadline?.wasPersonAsked = true }
    guard let timer = deadline?.timer, let since = deadline?.since else { return }
    loop.cancel(timer)
    deadline?.timer = nil
    deadline?.left -= ContinuousClock.now - since
    deadline?.since = .now
  }

  /// Lets the login's time go on.
  func resumeDeadline() {
    deadline?.pauses -= 1
    guard let deadline, deadline.pauses == 0 else { return }
    self.deadline?.since = .now
    self.deadline?.timer = loop.schedule(after: max(.zero, deadline.left)) {
      self.assumeIsolated { $0.fail(.timedOut($0.stage, after: deadline.limit)) }
    }
  }
}

/// What sessions share about keys: files read once for all hosts.
struct Trust: Sendable {
  let files = KnownHostsFiles()
  private var ownKeyFiles: KeyFiles
  private var asksNobody = false

  init(prompter: any Prompter = TerminalPrompter()) { ownKeyFiles = KeyFiles(prompter: prompter) }

  /// The key files, as far as the current run has read and unlocked them.
  var keyFiles: KeyFiles {
    asksNobody ? ownKeyFiles : KeptRequest.current?.keyFiles ?? ownKeyFiles
  }

  /// The same for logins that must not disturb anybody.
  var silent: Trust {
    var trust = self
    trust.ownKeyFiles = KeyFiles(prompter: NoPrompter())
    trust.asksNobody = true
    return trust
  }

  /// The check that one host's key has to pass.
  func check(for settings: SSHSettings) async throws(SSHError) -> HostKeyCheck {
    let known = try await files.read(settings.userKnownHosts + settings.globalKnownHosts)
    let name = settings.knownHostsName
    return HostKeyCheck(
      name: name.full, answer: known.answer(for: name.full, portless: name.portless),
      policy: settings.hostKeyPolicy, file: settings.userKnownHosts.first,
      pinned: settings.pinnedKey)
  }
}
