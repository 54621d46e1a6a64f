import Glibc

/// One connection to a host that the system's `ssh` holds: it is the master, and each command is a
/// client of its control socket.
///
/// The event loop holds the session until it is closed, so whoever makes one must close it.
actor SystemSession {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// What ended the session; every operation from then on fails with it.
  private(set) var failure: SSHError?
  var folder: PrivateFolder?
  /// Commands that are running or being ended.
  var executions: [ObjectIdentifier: SystemExecution] = [:]
  var tunnels: [ObjectIdentifier: SystemTunnel] = [:]
  /// Sessions of the master that are open or being opened.
  var channels = 0
  /// How many the server lets us have: sshd's default is ten, and one is left free to end commands.
  var channelLimit = 9
  var slotQueue: [CheckedContinuation<Void, Never>] = []

  let settings: SSHSettings
  let environment: ProgramEnvironment
  var master: ChildProcess?
  /// The master ends when this end of a pipe is closed, also when we are killed.
  var lifeline: Int32 = -1
  /// Open as long as the login goes on.
  var login: Pending<Void>?
  var loginTimer: Timers.ID?
  let departure = Departure()
  var desk: AskDesk?
  var deskWatch: EventLoop.WatchID?
  /// Questions that a person has not answered yet.
  var openQuestions = 0
  var asking: [Task<Void, Never>] = []
  var isTouchTold = false
  private var isClosing = false
  let onTouch: @Sendable (String) -> Void

  /// - Parameters:
  ///   - settings: The host.
  ///   - loop: The loop on which the session lives.
  ///   - environment: What `ssh` inherits.
  ///   - onTouch: Called with the name of a key that waits to be touched.
  init(
    _ settings: SSHSettings, loop: EventLoop,
    environment: ProgramEnvironment = .current,
    onTouch: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.settings = settings
    self.loop = loop
    self.environment = environment.speakingPlainly
    self.onTouch = onTouch
  }

  /// What the master may send along with commands; only where an argument asks for it.
  var sentVariables: [String] {
    InventoryArguments.sendVariables(settings.systemArguments) ? environment.lines : []
  }

  /// Nil as long as the session can be used.
  var obstacle: SSHError? { failure }
}

// MARK: - The end

extension SystemSession {
  /// What a master gets for saying goodbye.
  private static let farewell = Duration.seconds(3)

  /// Ends the session's usefulness: all that wait, and all that come, get this error.
  func fail(_ error: SSHError) {
    guard failure == nil else { return }
    failure = error
    login?.settle(.failure(error))
    for execution in executions.values { execution.wake() }
    for tunnel in tunnels.values { end(tunnel) }
    wakeSlots()
  }

  /// Ends the master and removes what it left; later calls do nothing.
  func close() async {
    guard !isClosing else { return }
    isClosing = true
    if failure == nil { await departure.wait(on: loop) }
    let wasUsable = failure == nil && login == nil
    fail(.closed)
    await closeDesk()
    if wasUsable { await sayGoodbye() }
    cutLifeline()
    if let master, await master.ended(within: Self.farewell) == nil {
      master.end()
      _ = await master.ended(within: Self.farewell)
    }
    if let folder { await blocking { folder.remove() } }
  }

  /// Asks the master to end, which it notices at once, while it may overlook a signal for seconds.
  private func sayGoodbye() async {
    guard let folder, let socket = ControlSocket(folder.socket) else { return }
    defer { socket.close() }
    guard socket.send(ControlProtocol.askForEnd(), streams: []) else { return }
    _ = await master?.ended(within: Self.farewell)
  }

  /// Lets the master end, as our own death would.
  func cutLifeline() {
    if lifeline >= 0 { Glibc.close(lifeline) }
    lifeline = -1
  }

  /// Waits until the master's end has shown, if it is ending.
  func awaitLoss() async {
    _ = await master?.ended(within: .seconds(1))
  }

  /// Frees waiting for a channel slot.
  func wakeSlots() {
    let waiting = slotQueue
    slotQueue = []
    for continuation in waiting { continuation.resume() }
  }
}
