private import CLibSSH2
import Glibc

/// One command on its way.
///
/// Lives inside its session's isolation.
private final class Execution {
  var channel: OpaquePointer?
  var talk: Conversation
  /// The server has begun it.
  var isStarted = false
  /// Nobody waits for the result any more.
  var isAbandoned = false
  /// The far side closed the channel: what is still to be written has no reader.
  var isOver = false
  /// Nothing of it is left in the session.
  var isDisposed = false
  /// Ends the session when an abandoned command does not go away.
  var lastChance: Timers.ID?
  var inputFailure: SSHError?

  init(_ script: RemoteScript, outputLimit: Int) {
    talk = Conversation(script, outputLimit: outputLimit)
  }
}

extension SSHSession: RemoteSession {
  /// What is kept of each stream of a command.
  static let outputLimit = 4 * 1024 * 1024

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
    let execution = Execution(script, outputLimit: Self.outputLimit)
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

  private func abandon(_ execution: Execution) {
    guard !execution.isDisposed else { return }
    execution.isAbandoned = true
    wakeAll()
    wakeSlots()
    // A request that libssh2 has begun cannot be taken back: if the server does not answer even
    // now, nobody can use this session any more.
    execution.lastChance = loop.schedule(after: Self.farewellLimit) {
      self.assumeIsolated { $0.fail(.timedOut(.run, after: Self.farewellLimit)) }
    }
  }

  private func perform(
    _ execution: Execution, _ input: RemoteInput, _ onRequest: @escaping @Sendable () -> Void
  ) async throws(SSHError) -> RemoteResult {
    defer {
      execution.isDisposed = true
      if let lastChance = execution.lastChance { loop.cancel(lastChance) }
    }
    let source = try await InputSource(input)
    defer { source.close() }
    try await openChannel(for: execution)
    do throws(SSHError) {
      try await self.request(execution, onRequest)
      let status = try await exchange(execution, source)
      return RemoteResult(
        status: status, output: execution.talk.output, errors: execution.talk.errors)
    } catch {
      await dispose(of: execution)
      throw error
    }
  }

  private func request(
    _ execution: Execution, _ onRequest: @Sendable () -> Void
  ) async throws(SSHError) {
    let line = execution.talk.script.line
    try await gated { () async throws(SSHError) in
      guard !execution.isAbandoned else { throw .closed }
      onRequest()
      try await driveCode("start a command") { _ in
        libssh2_channel_process_startup(
          execution.channel, "exec", 4, line, UInt32(line.utf8.count))
      }
      execution.isStarted = true
    }
  }
}

// MARK: - Channels

extension SSHSession {
  /// Opens a channel, waiting while the server lets us have no more of them.
  private func openChannel(for execution: Execution) async throws(SSHError) {
    while true {
      while channels >= channelLimit {
        if let obstacle { throw obstacle }
        if execution.isAbandoned { throw .closed }
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
        // The server's own limit may be lower than sshd's default: learn it while others run.
        guard case .channelRefused = error, channels > 0 else { throw error }
        channelLimit = max(1, channels)
      }
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

  private func returnSlot() {
    channels -= 1
    wakeSlots()
  }

  /// Ends an abandoned or broken command's process and channel.
  private func dispose(of execution: Execution) async {
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

  private func closeChannel(_ execution: Execution) async throws(SSHError) {
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
      try await request(execution, {})
      _ = try await exchange(execution, InputSource(.nothing))
    } catch {
      returnSlot()
      throw error
    }
  }
}

// MARK: - Streams

extension SSHSession {
  /// Feeds the command while reading what it says, and returns its status.
  private func exchange(
    _ execution: Execution, _ source: InputSource
  ) async throws(SSHError) -> Int {
    let feeding = Task { await feed(execution, source) }
    do throws(SSHError) {
      try await drain(execution)
    } catch {
      execution.isAbandoned = true
      wakeAll()
      await feeding.value
      throw execution.inputFailure ?? error
    }
    execution.isOver = true
    wakeAll()
    await feeding.value
    if let failure = execution.inputFailure { throw failure }
    return try await finish(execution)
  }

  private func drain(_ execution: Execution) async throws(SSHError) {
    try await drive("read from a command") { _ throws(SSHError) -> Step<Void> in
      guard !execution.isAbandoned else { throw .closed }
      while true {
        let output = read(execution.channel, stream: 0) { execution.talk.takeOutput($0) }
        let errors = read(execution.channel, stream: 1) { execution.talk.takeErrors($0) }
        if output > 0 || errors > 0 { continue }
        if libssh2_channel_eof(execution.channel) == 1 { return waitClosed(execution.channel) }
        for code in [output, errors] where code < 0 && code != LIBSSH2_ERROR_EAGAIN {
          return .failed(code)
        }
        return .again
      }
    }
  }

  /// A command may close its streams and go on reading: only the channel's close ends it.
  private func waitClosed(_ channel: OpaquePointer?) -> Step<Void> {
    switch libssh2_channel_wait_closed(channel) {
    case 0: .done(())
    case LIBSSH2_ERROR_EAGAIN: .again
    case let code: .failed(code)
    }
  }

  private func read(
    _ channel: OpaquePointer?, stream: Int32, _ take: (UnsafeRawBufferPointer) -> Void
  ) -> Int32 {
    let buffer = loop.scratch
    let bytes = buffer.assumingMemoryBound(to: CChar.self)
    let count = libssh2_channel_read_ex(channel, stream, bytes.baseAddress, bytes.count)
    if count > 0 { take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
    return Int32(truncatingIfNeeded: count)
  }

  /// The status, which has come for sure only after the channel's close.
  private func finish(_ execution: Execution) async throws(SSHError) -> Int {
    try await driveCode("close a channel") { _ in libssh2_channel_close(execution.channel) }
    let status = exitStatus(of: execution.channel)
    try await driveCode("free a channel") { _ in libssh2_channel_free(execution.channel) }
    execution.channel = nil
    returnSlot()
    return status
  }

  private func exitStatus(of channel: OpaquePointer?) -> Int {
    var name: UnsafeMutablePointer<CChar>?
    var count = 0
    libssh2_channel_get_exit_signal(channel, &name, &count, nil, nil, nil, nil)
    guard let name, let handle else { return Int(libssh2_channel_get_exit_status(channel)) }
    defer { libssh2_free(handle, name) }
    return 128 + Signals.number(of: String(cString: name))
  }

  private func feed(_ execution: Execution, _ source: InputSource) async {
    do throws(SSHError) {
      try await giveLeave(execution)
      while !execution.talk.isPasswordRefused, let chunk = try await source.next() {
        try await write(chunk, to: execution)
        if execution.isOver { return }
      }
      try await driveCode("end a command's input") { _ in
        execution.isOver ? 0 : libssh2_channel_send_eof(execution.channel)
      }
    } catch .inputUnreadable(let path, let reason) {
      execution.inputFailure = .inputUnreadable(path: path, reason: reason)
      execution.isAbandoned = true
      wakeAll()
    } catch {
      // The far side stopped reading, which is its right, or the session ended, which shows in
      // what is read from it.
    }
  }

  /// Answers a prompt for a password, and comes back when the command itself reads.
  private func giveLeave(_ execution: Execution) async throws(SSHError) {
    while !execution.talk.mayWriteInput, !execution.isOver {
      let password = try await drive("wait for a prompt") { _ throws(SSHError) -> Step<[UInt8]> in
        if execution.isAbandoned { throw .closed }
        if let password = execution.talk.takePassword() { return .done(password) }
        let isDecided =
          execution.talk.mayWriteInput || execution.isOver || execution.talk.isPasswordRefused
        return isDecided ? .done([]) : .again
      }
      try await write(password, to: execution)
      if execution.talk.isPasswordRefused { return }
    }
  }

  private func write(_ bytes: [UInt8], to execution: Execution) async throws(SSHError) {
    var start = 0
    try await drive("write to a command") { _ throws(SSHError) -> Step<Void> in
      guard !execution.isAbandoned else { throw .closed }
      while start < bytes.count {
        if execution.isOver { return .done(()) }
        guard transport.pending < Transport.pendingLimit else { return .again }
        let written = bytes.withUnsafeBufferPointer { buffer in
          buffer.withMemoryRebound(to: CChar.self) { buffer in
            libssh2_channel_write_ex(
              execution.channel, 0, buffer.baseAddress.map { $0 + start }, buffer.count - start)
          }
        }
        guard written > 0 else {
          return written == 0 || written == Int(LIBSSH2_ERROR_EAGAIN)
            ? .again : .failed(Int32(truncatingIfNeeded: written))
        }
        start += written
      }
      return .done(())
    }
  }
}

/// Signal names as the SSH protocol has them.
private enum Signals {
  static func number(of name: String) -> Int {
    let numbers: [String: Int32] = [
      "ABRT": SIGABRT, "ALRM": SIGALRM, "FPE": SIGFPE, "HUP": SIGHUP, "ILL": SIGILL,
      "INT": SIGINT, "KILL": SIGKILL, "PIPE": SIGPIPE, "QUIT": SIGQUIT, "SEGV": SIGSEGV,
      "TERM": SIGTERM, "USR1": SIGUSR1, "USR2": SIGUSR2,
    ]
    return Int(numbers[name] ?? 0)
  }
}
