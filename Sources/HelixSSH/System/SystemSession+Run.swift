import HelixModel

extension SystemSession: RemoteSession {
  /// How long an abandoned command may hold up the session before the session is given up.
  private static let farewellLimit = Duration.seconds(30)

  /// Runs a command; one that is given up is ended in the background while others go on using the
  /// session.
  func run(
    _ request: RemoteRequest, onRequest: @escaping @Sendable () -> Void
  ) async throws -> RemoteResult {
    let script = RemoteScript(request.command, ascent: request.ascent)
    let limit = request.limit
    guard script.line.utf8.count <= RemoteScript.lengthLimit else {
      throw SSHError.commandTooLong(script.line.utf8.count)
    }
    if let failure { throw failure }
    try Task.checkCancellation()
    let execution = SystemExecution(script, outputLimit: SSHSession.outputLimit, loop: loop)
    let answer = Pending<RemoteResult>()
    let timer = loop.schedule(after: limit) {
      answer.settle(.failure(SSHError.commandTimedOut(after: limit)))
    }
    defer { loop.cancel(timer) }
    Task {
      do throws(SSHError) {
        answer.settle(.success(try await perform(execution, request.input, onRequest)))
      } catch {
        answer.settle(.failure(error))
      }
    }
    do {
      return try await answer.value()
    } catch {
      abandon(execution)
      throw error
    }
  }

  private func abandon(_ execution: SystemExecution) {
    guard !execution.isDisposed else { return }
    execution.isAbandoned = true
    departure.begin()
    execution.wake()
    wakeSlots()
    execution.lastChance = loop.schedule(after: Self.farewellLimit) {
      self.assumeIsolated { $0.fail(.timedOut(.run, after: Self.farewellLimit)) }
    }
  }

  private func perform(
    _ execution: SystemExecution, _ input: RemoteInput,
    _ onRequest: @escaping @Sendable () -> Void
  ) async throws(SSHError) -> RemoteResult {
    executions[ObjectIdentifier(execution)] = execution
    defer {
      execution.isDisposed = true
      executions[ObjectIdentifier(execution)] = nil
      if let lastChance = execution.lastChance {
        loop.cancel(lastChance)
        departure.finish()
      }
    }
    let source = try await InputSource(input)
    defer { source.close() }
    try await open(execution, onRequest)
    switch input {
    case .file, .feed: execution.widenInput()
    case .nothing, .bytes: break
    }
    let status: Int
    do throws(SSHError) {
      status = try await exchange(execution, source)
    } catch {
      await dispose(of: execution)
      throw error
    }
    execution.close()
    returnSlot()
    return try execution.talk.result(status: status)
  }
}

// MARK: - Sessions of the master

extension SystemSession {
  /// Pauses before the master is asked again when nothing of ours is running: the server counts a
  /// session until its process is reaped, somewhat longer than we do.
  private static let refusalPauses: [Duration] = [.milliseconds(50), .milliseconds(200)]

  /// Gets a session of the master's, waiting while the server lets us have no more of them.
  private func open(
    _ execution: SystemExecution, _ onRequest: @Sendable () -> Void
  ) async throws(SSHError) {
    var pauses = Self.refusalPauses[...]
    while true {
      try await takeSlot(for: execution)
      do throws(SSHError) {
        if !execution.isAsked { onRequest() }
        return try await request(execution)
      } catch {
        execution.close()
        returnSlot()
        // The server's own limit may be lower than sshd's default: learn it while others run.
        guard case .channelRefused = error else { throw error }
        if channels > 0 {
          channelLimit = channels
          continue
        }
        guard let pause = pauses.popFirst() else { throw error }
        try? await Task.sleep(for: pause)
      }
    }
  }

  private func takeSlot(for execution: SystemExecution) async throws(SSHError) {
    while true {
      if let failure { throw failure }
      if execution.isAbandoned { throw .closed }
      if channels < channelLimit { break }
      await withCheckedContinuation { slotQueue.append($0) }
    }
    channels += 1
  }

  private func returnSlot() {
    channels -= 1
    wakeSlots()
  }

  /// Has the master send the command; comes back when it is on its way.
  private func request(_ execution: SystemExecution) async throws(SSHError) {
    guard let folder, let socket = ControlSocket(folder.socket) else {
      await awaitLoss()
      throw failure ?? .channelRefused(detail: "its master does not answer")
    }
    // A signal that ends the command shows only in a shell's status: the master does not tell.
    let command = "sh -c \(shellQuoted("\(execution.talk.script.line)\nexit $?"))"
    let request = ControlProtocol.ask(for: command, variables: sentVariables)
    let name = ObjectIdentifier(execution)
    do throws(LocalFile.Failure) {
      try execution.open(socket, request) {
        self.assumeIsolated { $0.executions[name]?.wake() }
      }
    } catch {
      throw .channelRefused(detail: error.reason)
    }
    while !execution.isOpened {
      if execution.listen() == .ended { break }
      if let failure { throw failure }
      if !execution.isOpened, execution.refusal == nil { await execution.park() }
    }
    if let refusal = execution.takeRefusal() { throw .channelRefused(detail: refusal) }
  }

  /// Ends an abandoned or broken command's process and session.
  private func dispose(of execution: SystemExecution) async {
    defer {
      execution.close()
      returnSlot()
    }
    guard failure == nil else { return }
    await learnProcess(of: execution)
    execution.close()
    await kill(execution)
  }

  /// Reads on until the command has told its process.
  ///
  /// One that was given up in its first moments would else live on. The last chance bounds the wait.
  private func learnProcess(of execution: SystemExecution) async {
    while execution.talk.process == nil, failure == nil {
      switch execution.listen() {
      case .moved: continue
      case .dry: await execution.park()
      case .ended: return
      }
    }
  }

  /// Asks the host to end the command's processes, through the session that is kept for it.
  private func kill(_ execution: SystemExecution) async {
    guard let process = execution.talk.process else { return }
    let script = RemoteScript.killer(of: process, ascent: execution.talk.script.ascent)
    let killer = SystemExecution(script, outputLimit: 0, loop: loop)
    executions[ObjectIdentifier(killer)] = killer
    channels += 1
    defer {
      executions[ObjectIdentifier(killer)] = nil
      killer.close()
      returnSlot()
    }
    // The connection may go first; with it the host ends what it can.
    try? await request(killer)
    _ = try? await exchange(killer, InputSource(.nothing))
  }
}

// MARK: - Streams

extension SystemSession {
  /// Feeds the command while reading what it says, and returns its status.
  private func exchange(
    _ execution: SystemExecution, _ source: InputSource
  ) async throws(SSHError) -> Int {
    let feeding = Task { await feed(execution, source) }
    do throws(SSHError) {
      try await drain(execution)
    } catch {
      execution.isAbandoned = true
      execution.wake()
      await feeding.value
      throw execution.inputFailure ?? error
    }
    execution.wake()
    await feeding.value
    if let failure = execution.inputFailure { throw failure }
    if let status = execution.status { return status }
    // Either the master is gone, or the far side ended the command without a status: by a signal.
    await awaitLoss()
    if let failure { throw failure }
    return 128
  }

  private func drain(_ execution: SystemExecution) async throws(SSHError) {
    while true {
      if let failure { throw failure }
      if execution.isAbandoned { throw .closed }
      switch execution.listen() {
      case .moved:
        execution.wake()
        await Task.yield()
      case .dry: await execution.park()
      case .ended: return
      }
    }
  }

  private func feed(_ execution: SystemExecution, _ source: InputSource) async {
    do throws(SSHError) {
      try await giveLeave(execution)
      while !execution.talk.isPasswordRefused, let chunk = try await source.next() {
        try await write(chunk, to: execution)
      }
      execution.closeInput()
    } catch .inputUnreadable(let path, let reason) {
      execution.inputFailure = .inputUnreadable(path: path, reason: reason)
      execution.isAbandoned = true
      execution.wake()
    } catch {
      // The far side stopped reading, which is its right, or the session ended, which shows in
      // what is read from it.
    }
  }

  /// Answers a prompt for a password, and comes back when the command itself reads.
  private func giveLeave(_ execution: SystemExecution) async throws(SSHError) {
    while !execution.talk.mayWriteInput, !execution.talk.isPasswordRefused {
      try checkReader(of: execution)
      if let password = execution.talk.takePassword() {
        try await write(password, to: execution)
      } else {
        await execution.park()
      }
    }
  }

  private func write(_ bytes: [UInt8], to execution: SystemExecution) async throws(SSHError) {
    var start = 0
    while start < bytes.count {
      try checkReader(of: execution)
      guard let count = execution.write(bytes, from: start) else { throw .closed }
      start += count
      if start < bytes.count { await execution.park() }
    }
  }

  private func checkReader(of execution: SystemExecution) throws(SSHError) {
    if let failure { throw failure }
    if execution.isAbandoned || execution.isOver { throw .closed }
  }
}
