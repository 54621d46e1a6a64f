import HelixModel

/// The keeper went away; what was asked of it may or may not have been done.
struct KeeperLoss: Error, Hashable {
  /// The keeper has not even looked at the request.
  var wasNeverRead: Bool
}

/// A run's end of the socket: many requests at once over one connection.
final class KeeperConnection: Sendable {
  /// Silence after which a keeper that owes an answer is given up.
  private static let silenceLimit = Duration.seconds(20)

  /// Who waits for an answer, and hears how far things are.
  fileprivate struct Waiter {
    let answer = Pending<KeeperMessage>()
    let progress: @Sendable (FileTransfer.Progress) -> Void
  }

  fileprivate struct State {
    var lastNumber = 0
    var waiting: [Int: Waiter] = [:]
    /// The links that are open, by their settings.
    var links: [SSHSettings: Int] = [:]
    /// Questions to the person, answered or not.
    var asking: [Task<Void, Never>] = []
    /// No request above this one will be looked at.
    var lastRead = Int.max
    var isLost = false
    /// Something has come since the last look.
    var hasHeard = true
  }

  private let stream: FrameStream
  private let report: @Sendable (SSHEvent) -> Void
  private let prompter: any Prompter
  private let state = Lock(State())
  private let allowance = Allowance()
  private let welcome = Pending<Int>()

  /// - Parameters:
  ///   - descriptor: A connected socket, which the connection closes.
  ///   - report: Told what happens on the hosts' connections.
  ///   - prompter: Asks the person at the terminal.
  init(
    descriptor: Int32, report: @escaping @Sendable (SSHEvent) -> Void,
    prompter: any Prompter
  ) {
    stream = FrameStream(descriptor: descriptor, loop: .next())
    self.report = report
    self.prompter = prompter
  }

  /// Whether it can be used.
  var isUp: Bool { state.withLock(\.isUsable) }

  /// Greets the keeper; the language it speaks, or nil when it does not answer within the limit.
  func greet(keep: Duration, limit: Duration) async -> Int? {
    await stream.begin(onFrame: { self.take($0) }, onEnd: { self.lose() })
    stream.send(ClientMessage.hello(keep: keep).frame(0))
    let timer = stream.loop.schedule(after: limit) {
      self.welcome.settle(.failure(KeeperLoss(wasNeverRead: true)))
    }
    defer { stream.loop.cancel(timer) }
    guard let version = try? await welcome.value() else {
      close()
      return nil
    }
    listenForLife()
    return version
  }

  func close() { stream.close() }

  /// Asks for something and waits for the answer; when the task is cancelled, so is the request.
  ///
  /// - Parameters:
  ///   - message: The request.
  ///   - progress: Told how far it is.
  /// - Returns: The keeper's answer, and the request's number.
  /// - Throws: a `KeeperLoss`, a `Diagnostic` from the keeper, or `CancellationError`.
  func request(
    _ message: ClientMessage,
    progress: @escaping @Sendable (FileTransfer.Progress) -> Void = { _ in }
  ) async throws -> (reply: KeeperMessage, number: Int) {
    let weight = message.weight
    try await allowance.take(weight)
    defer { allowance.giveBack(weight) }
    let waiter = Waiter(progress: progress)
    // Numbers must reach the keeper in their order, so the frame is sent under the same lock.
    let number = state.withLock { state -> Int? in
      guard state.isUsable else { return nil }
      state.hasHeard = true
      state.lastNumber += 1
      state.waiting[state.lastNumber] = waiter
      stream.send(message.frame(state.lastNumber))
      return state.lastNumber
    }
    guard let number else { throw KeeperLoss(wasNeverRead: true) }
    do {
      let reply = try await waiter.answer.value()
      if case .failed(let diagnostic) = reply { throw diagnostic }
      return (reply, number)
    } catch let error as CancellationError {
      let isUnderWay = state.withLock { $0.waiting.removeValue(forKey: number) != nil }
      if isUnderWay { stream.send(ClientMessage.cancel.frame(number)) }
      throw error
    }
  }

  /// The link to a host; its session is made, and works, when it is asked for first.
  func link(with settings: SSHSettings) async throws -> Int {
    if let link = state.withLock({ $0.links[settings] }) { return link }
    // The number of the request is the link's name.
    let number = try await request(.open(settings)).number
    state.withLock { $0.links[settings] = number }
    return number
  }
}

// MARK: - What the keeper says

extension KeeperConnection {
  private func take(_ frame: Frame) {
    guard let message = KeeperMessage(frame) else { return close() }
    state.withLock { $0.hasHeard = true }
    switch message {
    case .alive: return
    case .welcome(let version): welcome.settle(.success(version))
    case .event(let event): report(event)
    case .ask(let question):
      let asking = Task {
        let answer = await KeeperAnswer(of: question, from: prompter)
        stream.send(ClientMessage.answer(answer).frame(frame.number))
      }
      state.withLock { $0.asking.append(asking) }
    case .progress(let progress):
      state.withLock { $0.waiting[frame.number]?.progress }?(progress)
    case .farewell(let last): lose(after: last)
    case .done, .output, .failed, .links:
      let waiter = state.withLock { $0.waiting.removeValue(forKey: frame.number) }
      waiter?.answer.settle(.success(message))
    }
  }

  /// The requests after the last one that was read can be made elsewhere.
  private func lose(after last: Int) {
    let unread = state.withLock { state in
      state.lastRead = last
      let unread = state.waiting.filter { $0.key > last }
      for number in unread.keys { state.waiting[number] = nil }
      return unread
    }
    for waiter in unread.values { waiter.answer.settle(.failure(KeeperLoss(wasNeverRead: true))) }
  }

  private func lose() {
    let (waiting, asking) = state.withLock { state in
      state.isLost = true
      defer { (state.waiting, state.asking) = ([:], []) }
      return (state.waiting, state.asking)
    }
    for question in asking { question.cancel() }
    welcome.settle(.failure(KeeperLoss(wasNeverRead: true)))
    for waiter in waiting.values { waiter.answer.settle(.failure(KeeperLoss(wasNeverRead: false))) }
  }

  /// The keeper says something every few seconds while it owes an answer.
  private func listenForLife() {
    _ = stream.loop.schedule(after: Self.silenceLimit) { [weak self] in
      guard let self else { return }
      let (isSilent, isOver) = state.withLock { state in
        defer { state.hasHeard = state.waiting.isEmpty }
        return (!state.hasHeard && !state.waiting.isEmpty, state.isLost)
      }
      if isSilent { return close() }
      if !isOver { listenForLife() }
    }
  }
}

extension KeeperConnection.State {
  fileprivate var isUsable: Bool { !isLost && lastRead == Int.max }
}
