import Glibc

/// One call of `run`, which somebody waits for or has given up.
///
/// Lives inside its session's isolation.
final class RunTask {
  let onRequest: @Sendable () -> Void
  /// What it uses at the moment.
  private var execution: Execution?
  /// Nobody waits for the result any more.
  private(set) var isAbandoned = false
  /// Nothing of it is left in the session.
  private(set) var isOver = false
  /// Ends the session when an abandoned command does not go away.
  var lastChance: Timers.ID?

  init(onRequest: @escaping @Sendable () -> Void) { self.onRequest = onRequest }

  func begin(_ execution: Execution) {
    self.execution = execution
    execution.isAbandoned = isAbandoned
  }

  func abandon() {
    isAbandoned = true
    execution?.isAbandoned = true
  }

  func end() {
    isOver = true
    execution = nil
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
    if let failure { throw failure }
    try Task.checkCancellation()
    let limit = request.limit
    let task = RunTask(onRequest: onRequest)
    let answer = Pending<RemoteResult>()
    let timer = loop.schedule(after: limit) {
      answer.settle(.failure(SSHError.commandTimedOut(after: limit)))
    }
    defer { loop.cancel(timer) }
    working += 1
    Task {
      do throws(SSHError) {
        answer.settle(.success(try await perform(request, task)))
      } catch {
        answer.settle(.failure(error))
      }
      task.end()
      if let lastChance = task.lastChance { loop.cancel(lastChance) }
      if task.isAbandoned { departure.finish() }
      working -= 1
    }
    do {
      return try await answer.value()
    } catch {
      abandon(task)
      throw error
    }
  }

  private func abandon(_ task: RunTask) {
    guard !task.isOver else { return }
    task.abandon()
    departure.begin()
    wakeAll()
    wakeSlots()
    // A request that libssh2 has begun cannot be taken back: if the server does not answer even
    // now, nobody can use this session any more.
    task.lastChance = loop.schedule(after: Self.farewellLimit) {
      self.assumeIsolated { $0.fail(.timedOut(.run, after: Self.farewellLimit)) }
    }
  }

  private func perform(
    _ request: RemoteRequest, _ task: RunTask
  ) async throws(SSHError) -> RemoteResult {
    switch request.input {
    case .nothing where request.isQuestion:
      try await ask(ShellQuestion(request.command), ascent: request.ascent, task)
    case .bytes(let bytes) where request.isQuestion:
      try await ask(ShellQuestion(request.command, input: bytes), ascent: request.ascent, task)
    default: try await execute(request, task)
    }
  }

  /// Runs a command on a channel of its own.
  private func execute(
    _ request: RemoteRequest, _ task: RunTask
  ) async throws(SSHError) -> RemoteResult {
    let script = RemoteScript(request.command, ascent: request.ascent)
    guard script.line.utf8.count <= RemoteScript.lengthLimit else {
      throw .commandTooLong(script.line.utf8.count)
    }
    let execution = Execution(script, outputLimit: Self.outputLimit)
    task.begin(execution)
    let source = try await InputSource(request.input)
    defer { source.close() }
    try await openChannel(for: execution)
    let status: Int
    do throws(SSHError) {
      let first = execution.talk.mayWriteInput ? try await source.next() : nil
      var sent = 0
      try await start(execution, ahead: first ?? [], task.onRequest) { sent = $0 }
      status = try await exchange(execution, source, begun: (first ?? [])[sent...])
    } catch {
      await dispose(of: execution)
      throw error
    }
    // The channel is gone by now: nothing is left to be ended.
    return try execution.talk.result(status: status)
  }
}
