private import CLibSSH2

/// A shell of a session that waits for questions, or answers one.
///
/// Lives inside its session's isolation.
final class KeptShell {
  let ascent: Ascent?
  let execution: Execution
  var isBusy = true

  init(ascent: Ascent?, execution: Execution) {
    self.ascent = ascent
    self.execution = execution
  }
}

/// A question on its way and what has come of its answer.
///
/// Lives inside its session's isolation.
private final class Exchange {
  let mark: String
  /// What is still to be written: first of all, perhaps, a password.
  private(set) var password: ArraySlice<UInt8> = []
  private(set) var question: ArraySlice<UInt8>
  var output: AnswerReader
  var errors: AnswerReader

  /// The question for a shell that runs, or, for one that is to be started, only what follows.
  init(_ question: ShellQuestion, isFirst: Bool, outputLimit: Int) {
    mark = "helix-" + String(UInt64.random(in: .min ... .max), radix: 36)
    self.question =
      isFirst
      ? LongLivedShell.remainder(of: question, mark: mark)[...]
      : LongLivedShell.bytes(of: question, mark: mark)[...]
    output = AnswerReader(mark: mark, limit: outputLimit)
    errors = AnswerReader(mark: mark, limit: outputLimit)
  }

  /// What may be written now.
  func next(_ talk: inout Conversation) -> ArraySlice<UInt8> {
    if let password = talk.takePassword() { self.password = password[...] }
    if !password.isEmpty { return password }
    return talk.mayWriteInput ? question : []
  }

  func wrote(_ count: Int) {
    if password.isEmpty {
      question = question.dropFirst(count)
      // What is left of a slice keeps all of it.
      if question.isEmpty { question = [] }
    }
    password = password.dropFirst(count)
  }

  /// The answer, once both streams have ended.
  var result: RemoteResult? {
    guard let ending = output.ending, errors.ending != nil else { return nil }
    return RemoteResult(
      status: Int(ending) ?? 255, output: output.collector, errors: errors.collector)
  }
}

extension SSHSession {
  /// Asks a question in a shell that is kept for more of them.
  ///
  /// A kept shell may have ended since the last question, because somebody killed it there: the
  /// question is then asked in another one.
  func ask(
    _ question: ShellQuestion, ascent: Ascent?, _ task: RunTask
  ) async throws(SSHError) -> RemoteResult {
    while let shell = shells.first(where: { !$0.isBusy && $0.ascent == ascent }) {
      shell.isBusy = true
      task.begin(shell.execution)
      task.onRequest()
      let exchange = Exchange(question, isFirst: false, outputLimit: Self.outputLimit)
      if let result = try await converse(exchange, in: shell) { return result }
      await discard(shell)
    }
    return try await askAnew(question, ascent, task)
  }

  private func askAnew(
    _ question: ShellQuestion, _ ascent: Ascent?, _ task: RunTask
  ) async throws(SSHError) -> RemoteResult {
    let (script, exchange) = opening(question, ascent)
    let shell = KeptShell(
      ascent: ascent, execution: Execution(script, outputLimit: Self.outputLimit))
    task.begin(shell.execution)
    try await openChannel(for: shell.execution)
    shells.append(shell)
    do throws(SSHError) {
      try await start(shell.execution, ahead: Array(exchange.question), task.onRequest) {
        exchange.wrote($0)
      }
    } catch {
      await discard(shell)
      throw error
    }
    if let result = try await converse(exchange, in: shell) { return result }
    return try await lastWords(of: shell)
  }

  /// A new shell's command line, with the first question in it if it fits, and what is to follow.
  private func opening(
    _ question: ShellQuestion, _ ascent: Ascent?
  ) -> (RemoteScript, Exchange) {
    let first = Exchange(question, isFirst: true, outputLimit: Self.outputLimit)
    let script = RemoteScript(
      LongLivedShell.loop,
      arguments: LongLivedShell.arguments(for: question, mark: first.mark), ascent: ascent)
    if script.line.utf8.count <= RemoteScript.lengthLimit { return (script, first) }
    return (
      RemoteScript(LongLivedShell.loop, ascent: ascent),
      Exchange(question, isFirst: false, outputLimit: Self.outputLimit)
    )
  }

  /// Writes the question and reads the answer; nil when the shell ended instead.
  private func converse(
    _ exchange: Exchange, in shell: KeptShell
  ) async throws(SSHError) -> RemoteResult? {
    let execution = shell.execution
    do throws(SSHError) {
      let result = try await drive("ask a question") { _ throws(SSHError) -> Step<RemoteResult?> in
        guard !execution.isAbandoned else { throw .closed }
        var code: Int32 = 1
        while code > 0 || write(exchange, to: execution) {
          code = read(exchange, from: execution)
          if let result = exchange.result { return .done(result) }
        }
        if code < 0, code != LIBSSH2_ERROR_EAGAIN { return .failed(code) }
        let isOver =
          libssh2_channel_eof(execution.channel) == 1 || execution.talk.isPasswordRefused
        return isOver ? .done(nil) : .again
      }
      guard let result else { return nil }
      shell.isBusy = false
      wakeSlots()
      return result
    } catch {
      await discard(shell)
      throw error
    }
  }

  /// Whether anything could be written; a shell that has ended shows when it is read from.
  private func write(_ exchange: Exchange, to execution: Execution) -> Bool {
    let bytes = exchange.next(&execution.talk)
    guard !bytes.isEmpty else { return false }
    let written = write(bytes, to: execution)
    guard written > 0 else { return false }
    exchange.wrote(written)
    return true
  }

  /// One read of each stream: what could be read, or a libssh2 code.
  ///
  /// The shell's own announcement comes before its first answer.
  private func read(_ exchange: Exchange, from execution: Execution) -> Int32 {
    let output = read(execution.channel, stream: 0) { bytes in
      execution.talk.takeOutput(bytes) { exchange.output.take($0) }
    }
    let errors = read(execution.channel, stream: 1) { bytes in
      execution.talk.takeErrors(bytes) { exchange.errors.take($0) }
    }
    return errors > 0 ? errors : output > 0 || errors == LIBSSH2_ERROR_EAGAIN ? output : errors
  }

  /// What a shell that ended before its first answer said, and with which status.
  private func lastWords(of shell: KeptShell) async throws(SSHError) -> RemoteResult {
    let execution = shell.execution
    shells.removeAll { $0 === shell }
    let status: Int
    do throws(SSHError) {
      try await endInput(of: execution)
      try await drain(execution)
      status = try await finish(execution)
    } catch {
      await dispose(of: execution)
      throw error
    }
    // The channel is gone by now: nothing is left to be ended.
    return try execution.talk.result(status: status)
  }

  private func discard(_ shell: KeptShell) async {
    shells.removeAll { $0 === shell }
    await dispose(of: shell.execution)
  }

  /// Ends a shell that nobody is asking, so that its channel can serve a command.
  func retireIdleShell() {
    guard let index = shells.firstIndex(where: { !$0.isBusy }) else { return }
    let shell = shells.remove(at: index)
    // The server counts a session as long as its process lives, whatever its channel is.
    Task { _ = try? await lastWords(of: shell) }
  }
}
