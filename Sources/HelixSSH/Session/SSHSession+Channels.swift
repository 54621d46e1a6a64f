private import CLibSSH2

extension SSHSession {
  /// Opens a channel, waiting while the server lets us have no more of them.
  func openChannel(for execution: Execution) async throws(SSHError) {
    var pauses = Self.channelPauses[...]
    while true {
      while channels >= channelLimit {
        if let obstacle { throw obstacle }
        if execution.isAbandoned { throw .closed }
        retireIdleShell()
        await withCheckedContinuation { slotQueue.append($0) }
      }
      channels += 1
      do throws(SSHError) {
        return try await gated { () async throws(SSHError) in
          if execution.isAbandoned { throw .closed }
          try await requestChannel(for: execution)
        }
      } catch {
        returnSlot()
        guard case .channelRefused = error else { throw error }
        if channels > 0 {
          // The server's own limit may be lower than sshd's default: learn it while others run.
          channelLimit = channels
        } else if let pause = pauses.popFirst() {
          await sleep(pause)
        } else {
          throw error
        }
      }
    }
  }

  /// A server may count a command that was given up until its last process has ended.
  private static let channelPauses: [Duration] = [
    .milliseconds(50), .milliseconds(200), .milliseconds(750),
  ]

  private func sleep(_ pause: Duration) async {
    await withCheckedContinuation { continuation in
      _ = loop.schedule(after: pause) { continuation.resume() }
    }
  }

  private func requestChannel(for execution: Execution) async throws(SSHError) {
    try await drive("open a channel") { handle throws(SSHError) -> Step<Void> in
      let window: UInt32 = 512 * 1024
      let packet: UInt32 = 32 * 1024
      execution.channel = libssh2_channel_open_ex(handle, "session", 7, window, packet, nil, 0)
      if execution.channel != nil { return .done(()) }
      switch libssh2_session_last_errno(handle) {
      case LIBSSH2_ERROR_EAGAIN: return .again
      case LIBSSH2_ERROR_CHANNEL_FAILURE: throw .channelRefused(detail: lastMessage())
      case let code: return .failed(code)
      }
    }
  }

  /// Asks the server to begin the command, and writes what it will read without waiting for the
  /// server's word: a round trip less.
  ///
  /// - Parameters:
  ///   - execution: The command, with its channel.
  ///   - bytes: The beginning of its input.
  ///   - onRequest: Called when the request is sent.
  ///   - sent: Told how many of the bytes were written.
  /// - Throws: an `SSHError`; the command may have begun all the same.
  func start(
    _ execution: Execution, ahead bytes: [UInt8], _ onRequest: @Sendable () -> Void,
    sent: (Int) -> Void
  ) async throws(SSHError) {
    let line = execution.talk.script.line
    try await gated { () async throws(SSHError) in
      guard !execution.isAbandoned else { throw .closed }
      onRequest()
      var isFirst = true
      try await driveCode("start a command") { _ in
        let code = libssh2_channel_process_startup(
          execution.channel, "exec", 4, line, UInt32(line.utf8.count))
        if isFirst, code == LIBSSH2_ERROR_EAGAIN, execution.talk.mayWriteInput {
          sent(max(0, write(bytes[...], to: execution)))
        }
        isFirst = false
        return code
      }
      execution.isStarted = true
    }
  }

  func returnSlot() {
    channels -= 1
    wakeSlots()
  }
}

// MARK: - Ending

extension SSHSession {
  /// Ends an abandoned or broken command's process and channel.
  func dispose(of execution: Execution) async {
    defer { returnSlot() }
    guard failure == nil else { return }
    if execution.isStarted, execution.talk.process == nil { try? await learnProcess(of: execution) }
    let killer = Task { await kill(execution) }
    try? await closeChannel(execution)
    await killer.value
  }

  /// Reads on until the command has told its process.
  ///
  /// One that was given up in its first moments would else live on. The last chance bounds the wait.
  private func learnProcess(of execution: Execution) async throws(SSHError) {
    try await drive("learn a command's process") { _ throws(SSHError) -> Step<Void> in
      while execution.talk.process == nil {
        let output = read(execution.channel, stream: 0) { execution.talk.takeOutput($0) }
        let errors = read(execution.channel, stream: 1) { execution.talk.takeErrors($0) }
        if output > 0 || errors > 0 { continue }
        return libssh2_channel_eof(execution.channel) == 1 ? .done(()) : .again
      }
      return .done(())
    }
  }

  func closeChannel(_ execution: Execution) async throws(SSHError) {
    try await driveCode("close a channel") { _ in libssh2_channel_close(execution.channel) }
    try await driveCode("free a channel") { _ in libssh2_channel_free(execution.channel) }
    execution.channel = nil
  }

  /// Asks the host to end the command's processes; the best that can be done without signals.
  private func kill(_ execution: Execution) async {
    guard let process = execution.talk.process else { return }
    let script = RemoteScript.killer(of: process, ascent: execution.talk.script.ascent)
    channels += 1
    // The connection may go first; with it the host ends what it can.
    try? await runUnwatched(Execution(script, outputLimit: 0))
  }

  private func runUnwatched(_ execution: Execution) async throws(SSHError) {
    do throws(SSHError) {
      try await gated { () async throws(SSHError) in try await requestChannel(for: execution) }
      try await start(execution, ahead: [], {}) { _ in }
      _ = try await exchange(execution, InputSource(.nothing), begun: [])
    } catch {
      returnSlot()
      throw error
    }
  }
}
