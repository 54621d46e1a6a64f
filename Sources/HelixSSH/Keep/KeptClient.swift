import HelixModel

/// One run that is connected to the keeper.
actor KeptClient {
  /// How often a run that waits hears that it does not wait in vain.
  private static let beat = Duration.seconds(5)
  /// What a login may take.
  private static let loginLimit = Duration.seconds(300)

  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private let stream: FrameStream
  private let keeper: Keeper
  /// What the run said at its beginning.
  private var keep: Duration?
  private var lastNumber = 0
  private var links: [Int: SSHSettings] = [:]
  private var tasks: [Int: Task<Void, Never>] = [:]
  /// What the requests under way weigh.
  private var weight = 0
  private var questions: [Int: Pending<KeeperAnswer>] = [:]
  private var lastQuestion = 0
  private var isBeating = false
  private lazy var keyFiles = KeyFiles(prompter: KeptPrompter(self))

  init(_ stream: FrameStream, of keeper: Keeper) {
    self.stream = stream
    self.keeper = keeper
    loop = stream.loop
  }

  func begin() {
    stream.assumeIsolated { stream in
      stream.begin(
        onFrame: { frame in self.assumeIsolated { $0.take(frame) } },
        onEnd: { self.assumeIsolated { $0.leave() } })
    }
  }

  /// Lets the run know that nothing after its last request was looked at.
  func dismiss() {
    send(.farewell(last: lastNumber), 0)
    stream.close()
  }

  /// Without the run, nobody wants its requests.
  private func leave() {
    for task in tasks.values { task.cancel() }
    for question in questions.values { question.settle(.success(.declined)) }
    questions = [:]
    keeper.assumeIsolated { $0.forget(self) }
  }

  private nonisolated func send(_ message: KeeperMessage, _ number: Int) {
    stream.send(message.frame(number))
  }
}

// MARK: - Requests

extension KeptClient {
  private func take(_ frame: Frame) {
    guard let message = ClientMessage(frame), mayCome(message, frame.number),
      weight <= Allowance.limit * 2
    else {
      return stream.close()
    }
    let number = frame.number
    switch message {
    case .hello(let keep): welcome(keep)
    case .cancel: tasks[number]?.cancel()
    case .answer(let answer): questions.removeValue(forKey: number)?.settle(.success(answer))
    case .stop: keeper.assumeIsolated { $0.end() }
    case .list:
      perform(number, limit: .zero) { [keeper] in .links(await keeper.list()) }
    case .open(let settings):
      links[number] = settings
      perform(number, on: settings, limit: Self.loginLimit) { [keeper] in
        try await keeper.shell(with: settings).open()
        return .done
      }
    case .run(let command, let link): run(command, link, number)
    case .send(let transfer, let link): send(transfer, link, number)
    case .close(let link):
      guard let settings = links[link] else { return stream.close() }
      perform(number, limit: .zero) { [keeper] in
        await keeper.close(settings)
        return .done
      }
    }
    rest()
  }

  /// The beginning comes first, and requests are counted upwards.
  private func mayCome(_ message: ClientMessage, _ number: Int) -> Bool {
    switch message {
    case .hello: return keep == nil
    case .stop: return true
    case .cancel, .answer: return keep != nil
    case .open, .run, .send, .close, .list:
      guard keep != nil, number > lastNumber else { return false }
      lastNumber = number
      return true
    }
  }

  private func welcome(_ keep: Duration) {
    self.keep = keep
    keeper.assumeIsolated { $0.prolong(by: keep) }
    send(.welcome(version: KeeperLanguage.version), 0)
  }

  private func run(_ command: Command, _ link: Int, _ number: Int) {
    guard let settings = links[link] else { return stream.close() }
    let weight = Allowance.weight(of: command)
    perform(number, on: settings, limit: command.timeout, weight: weight) { [keeper] in
      .output(try await keeper.shell(with: settings).run(command))
    }
  }

  private func send(_ transfer: FileTransfer, _ link: Int, _ number: Int) {
    guard let settings = links[link] else { return stream.close() }
    var transfer = transfer
    transfer.progress = { [stream] progress in
      if !stream.isFull { self.send(.progress(progress), number) }
    }
    perform(number, on: settings, limit: transfer.timeout) { [keeper, transfer] in
      try await keeper.shell(with: settings).send(transfer)
      return .done
    }
  }

  /// Does a request's work beside all others, and answers it.
  private func perform(
    _ number: Int, on settings: SSHSettings? = nil, limit: Duration,
    weight: Int = Allowance.least, _ work: @escaping @Sendable () async throws -> KeeperMessage
  ) {
    let span = keep ?? .zero
    let ticket = keeper.assumeIsolated { $0.begin(settings, span: span, limit: limit) }
    let request = request(number, settings)
    if !isBeating { beat() }
    self.weight += weight
    tasks[number] = Task {
      let answer = await KeptRequest.$current.withValue(request) { await Self.answer(of: work) }
      await stream.room()
      send(answer, number)
      tasks[number] = nil
      self.weight -= weight
      release(ticket, settings, span)
    }
  }

  private func release(
    _ ticket: Leases<SSHSettings>.Ticket, _ settings: SSHSettings?, _ span: Duration
  ) {
    keeper.assumeIsolated { $0.finish(ticket, settings, span: span) }
    rest()
  }

  private func beat() {
    isBeating = true
    _ = loop.schedule(after: Self.beat) {
      self.assumeIsolated { client in
        guard !client.tasks.isEmpty else { return client.isBeating = false }
        if !client.stream.isFull { client.send(.alive, 0) }
        client.beat()
      }
    }
  }

  private static func answer(
    of work: @Sendable () async throws -> KeeperMessage
  ) async -> KeeperMessage {
    do {
      return try await work()
    } catch let diagnostic as Diagnostic {
      return .failed(diagnostic)
    } catch {
      return .failed(Diagnostic("the request was given up"))
    }
  }

  private func request(_ number: Int, _ settings: SSHSettings?) -> KeptRequest {
    KeptRequest(
      report: { [keeper, loop] event in
        self.send(.event(event), number)
        guard case .connected(settings?.host, _) = event, let settings else { return }
        loop.execute { keeper.assumeIsolated { $0.noteConnected(settings) } }
      },
      keyFiles: keyFiles)
  }

  /// Reads nothing more from a run that takes no answers.
  private func rest() {
    let isFull = stream.isFull
    stream.assumeIsolated { $0.pause(isFull) }
    guard isFull else { return }
    Task {
      await stream.room()
      rest()
    }
  }
}

// MARK: - Questions

extension KeptClient {
  func ask(_ question: String) async -> KeeperAnswer {
    lastQuestion += 1
    let number = lastQuestion
    let answer = Pending<KeeperAnswer>()
    questions[number] = answer
    send(.ask(question), number)
    defer { questions[number] = nil }
    return (try? await answer.value()) ?? .declined
  }
}
