private import CLibSSH2
import Glibc

extension SSHSession {
  /// Feeds the command while reading what it says, and returns its status.
  func exchange(
    _ execution: Execution, _ source: InputSource, begun: ArraySlice<UInt8>
  ) async throws(SSHError) -> Int {
    let feeding = Task { await feed(execution, source, begun: begun) }
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

  func drain(_ execution: Execution) async throws(SSHError) {
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

  /// One read of a channel's stream; the count, or a libssh2 code.
  func read(
    _ channel: OpaquePointer?, stream: Int32, _ take: (UnsafeRawBufferPointer) -> Void
  ) -> Int32 {
    let buffer = loop.scratch
    let bytes = buffer.assumingMemoryBound(to: CChar.self)
    let count = libssh2_channel_read_ex(channel, stream, bytes.baseAddress, bytes.count)
    if count > 0 {
      transport.claim()
      take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    let code = Int32(truncatingIfNeeded: count)
    // Whoever reads on after a loss would miss what was lost.
    if code < 0, code != LIBSSH2_ERROR_EAGAIN { _ = error(of: code, in: "read from a command") }
    return code
  }

  /// The status, which has come for sure only after the channel's close.
  func finish(_ execution: Execution) async throws(SSHError) -> Int {
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
}

// MARK: - Input

extension SSHSession {
  private func feed(
    _ execution: Execution, _ source: InputSource, begun: ArraySlice<UInt8>
  ) async {
    do throws(SSHError) {
      try await giveLeave(execution)
      try await writeAll(begun, to: execution)
      while !execution.talk.isPasswordRefused, let chunk = try await source.next() {
        try await writeAll(chunk[...], to: execution)
        if execution.isOver { return }
      }
      try await endInput(of: execution)
    } catch .inputUnreadable(let path, let reason) {
      execution.inputFailure = .inputUnreadable(path: path, reason: reason)
      execution.isAbandoned = true
      wakeAll()
    } catch {
      // The far side stopped reading, which is its right, or the session ended, which shows in
      // what is read from it.
    }
  }

  func endInput(of execution: Execution) async throws(SSHError) {
    try await driveCode("end a command's input") { _ in
      execution.isOver ? 0 : libssh2_channel_send_eof(execution.channel)
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
      try await writeAll(password[...], to: execution)
      if execution.talk.isPasswordRefused { return }
    }
  }

  private func writeAll(_ bytes: ArraySlice<UInt8>, to execution: Execution) async throws(SSHError)
  {
    var rest = bytes
    try await drive("write to a command") { _ throws(SSHError) -> Step<Void> in
      guard !execution.isAbandoned else { throw .closed }
      if execution.isOver { return .done(()) }
      let written = write(rest, to: execution)
      guard written >= 0 else { return .failed(Int32(truncatingIfNeeded: written)) }
      rest = rest.dropFirst(written)
      return rest.isEmpty ? .done(()) : .again
    }
  }

  /// Writes what goes without waiting; the count, or a libssh2 code.
  func write(_ bytes: ArraySlice<UInt8>, to execution: Execution) -> Int {
    bytes.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { buffer in
        var start = 0
        while start < buffer.count, transport.pending < Transport.pendingLimit {
          let written = libssh2_channel_write_ex(
            execution.channel, 0, buffer.baseAddress.map { $0 + start }, buffer.count - start)
          if written == 0 || written == Int(LIBSSH2_ERROR_EAGAIN) { break }
          guard written > 0 else { return written }
          start += written
        }
        return start
      }
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
