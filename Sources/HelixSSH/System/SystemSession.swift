import Glibc

/// What happened on the way in through the system's `ssh`.
struct SystemLogin: Hashable, Sendable {
  /// The address that was connected to, or the host's name for it.
  var address: String
  /// A key that was written down, with the file it went to.
  var accepted: KeptKey?

  /// A host key that is trusted from now on.
  struct KeptKey: Hashable, Sendable {
    var fingerprint: String
    var file: String
  }
}

/// One connection to a host that the system's `ssh` holds: it is the master, and each command is a
/// client of its control socket.
///
/// The event loop holds the session until it is closed, so whoever makes one must close it.
actor SystemSession {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// What ended the session; every operation from then on fails with it.
  private(set) var failure: SSHError?
  private(set) var folder: PrivateFolder?
  /// Commands that are running or being ended.
  var executions: [ObjectIdentifier: SystemExecution] = [:]
  var tunnels: [ObjectIdentifier: SystemTunnel] = [:]
  /// Sessions of the master that are open or being opened.
  var channels = 0
  /// How many the server lets us have: sshd's default is ten, and one is left free to end commands.
  var channelLimit = 9
  var slotQueue: [CheckedContinuation<Void, Never>] = []

  private let settings: SSHSettings
  private let environment: ProgramEnvironment
  private var master: ChildProcess?
  /// The master ends when this end of a pipe is closed, also when we are killed.
  private var lifeline: Int32 = -1
  private var login: Pending<Void>?
  private var loginTimer: Timers.ID?
  /// Commands that nobody waits for any more, but that may still run on the host.
  private var leaving = 0
  private var departure: Pending<Void>?
  private var desk: AskDesk?
  private var deskWatch: EventLoop.WatchID?
  /// Questions that a person has not answered yet.
  private var openQuestions = 0
  private var asking: [Task<Void, Never>] = []
  private var isTouchTold = false
  private var isClosing = false
  private let onTouch: @Sendable (String) -> Void

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

// MARK: - Logging in

extension SystemSession {
  /// The master's way in: how often its socket is looked for.
  private static let doorInterval = Duration.milliseconds(5)

  /// Starts the master and waits until it has logged in.
  ///
  /// - Throws: an `SSHError`, or `CancellationError`.
  func logIn(_ trust: Trust) async throws -> SystemLogin {
    guard settings.password == nil else { throw SSHError.system(.password) }
    let check = try await trust.check(for: settings)
    let login = Pending<Void>()
    self.login = login
    setTimer()
    defer { if let loginTimer { loop.cancel(loginTimer) } }
    do {
      try await start(trust.keyFiles.prompter)
      knock()
      try await withTaskCancellationHandler {
        try await login.value()
      } onCancel: {
        loop.execute { self.assumeIsolated { $0.fail(.closed) } }
      }
    } catch SSHError.system(let problem) {
      throw SSHError.system(problem.completed(with: check.answer))
    }
    self.login = nil
    return report()
  }

  private func report() -> SystemLogin {
    let story = story
    var report = SystemLogin(address: story.address ?? settings.address)
    if story.hasKeptKey, let key = story.hostKey, let file = settings.userKnownHosts.first {
      report.accepted = .init(fingerprint: key.fingerprint, file: file)
    }
    return report
  }

  private func start(_ prompter: any Prompter) async throws(SSHError) {
    let program = try await findProgram()
    let folder = try await makeFolder()
    self.folder = folder
    guard failure == nil else { throw failure ?? .closed }
    let command = SystemArguments(settings, program: program, folder: folder).list
    let pipe: LocalPipe
    do throws(LocalFile.Failure) {
      pipe = try LocalPipe()
    } catch {
      throw .cannotStart(program: "ssh", reason: error.reason)
    }
    lifeline = pipe.write
    openDesk(folder, prompter)
    let master = try ChildProcess(
      ["/bin/sh", "-c", Self.keeper, folder.path] + command,
      environment: environment.asking(by: folder.asker).lines, input: pipe.read,
      output: open("/dev/null", O_WRONLY | O_CLOEXEC), loop: loop
    ) { self.assumeIsolated { $0.hearMaster() } }
    self.master = master
    master.whenEnded { _ in self.assumeIsolated { $0.masterEnded() } }
  }

  /// Runs the master as a child of a shell that ends it, and removes its folder, once the other end
  /// of the shell's input is closed: then we have ended, however that came about.
  private static let keeper = """
    exec 3<&0 </dev/null
    "$@" 3<&- &
    master=$!
    (read -r _ <&3; while kill $master; do sleep 1; done) 2>/dev/null &
    watcher=$!
    exec 3<&-
    wait $master
    status=$?
    kill $watcher 2>/dev/null
    rm -rf "$0"
    exit $status
    """

  private func findProgram() async throws(SSHError) -> String {
    let folders = environment["PATH"] ?? "/usr/bin:/bin"
    let found = await blocking { () -> String? in
      let paths = folders.split(separator: ":").map { "\($0)/ssh" }
      return paths.first { path in access(path, X_OK) == 0 }
    }
    if let found { return found }
    throw .cannotStart(program: "ssh", reason: "it is in none of the folders of PATH")
  }

  private func makeFolder() async throws(SSHError) -> PrivateFolder {
    let runtimeFolder = environment["XDG_RUNTIME_DIR"]
    let pin = settings.pinnedKey.map { ($0, settings.knownHostsName.full) }
    let result = await blocking { () -> Result<PrivateFolder, LocalFile.Failure> in
      PrivateFolder.make(runtimeFolder: runtimeFolder).flatMap { folder in
        let written = pin.map { folder.write($0.0, name: $0.1) } ?? .success(())
        return written.flatMap(folder.writeAsker).map { folder }
      }
    }
    return try result.mapError { failure in
      SSHError.cannotStart(program: "ssh", reason: "no private folder: \(failure.reason)")
    }.get()
  }

  private var story: SystemStory { SystemStory(master?.story ?? []) }

  /// Tries the master's socket until it is there, which is when the master has logged in.
  private func knock() {
    guard let login, failure == nil, let folder else { return }
    if let door = ControlSocket(folder.socket) {
      door.close()
      login.settle(.success(()))
    } else {
      _ = loop.schedule(after: Self.doorInterval) { self.assumeIsolated { $0.knock() } }
    }
  }

  private func hearMaster() {
    guard login != nil, !isTouchTold, let key = story.keyToTouch else { return }
    isTouchTold = true
    onTouch(key)
  }

  private func setTimer() {
    loginTimer = loop.schedule(after: settings.loginTimeout) {
      self.assumeIsolated { $0.runOutOfTime() }
    }
  }

  private func runOutOfTime() {
    // A person may take longer than any host.
    guard openQuestions == 0 else { return setTimer() }
    fail(.timedOut(story.stage, after: settings.loginTimeout))
  }

  private func masterEnded() {
    fail(login == nil ? story.loss(settings) : story.error(settings))
  }
}

// MARK: - Questions

extension SystemSession {
  private func openDesk(_ folder: PrivateFolder, _ prompter: any Prompter) {
    guard let desk = AskDesk(folder, prompter) else { return }
    self.desk = desk
    deskWatch = loop.watch(desk.descriptor) { _ in self.assumeIsolated { $0.takeQuestions() } }
  }

  private func takeQuestions() {
    guard let desk else { return }
    for question in desk.take() {
      openQuestions += 1
      asking.append(
        Task {
          await desk.ask(question)
          openQuestions -= 1
        })
    }
  }

  /// Ends what a person is still asked.
  private func closeDesk() async {
    for task in asking { task.cancel() }
    for task in asking { await task.value }
    if let desk, let deskWatch { loop.unwatch(desk.descriptor, deskWatch) }
    desk?.close()
    desk = nil
  }
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

  /// Notes that a command was given up, and must be ended on the host.
  func noteLeaving() { leaving += 1 }

  /// Notes that nothing is left of a command that was given up.
  func noteGone() {
    leaving -= 1
    if leaving == 0 { departure?.settle(.success(())) }
  }

  /// Waits until the host has ended what was given up, but not for ever.
  private func seeOff() async {
    let departure = Pending<Void>()
    self.departure = departure
    let timer = loop.schedule(after: SSHSession.departureLimit) {
      departure.settle(.success(()))
    }
    try? await departure.value()
    loop.cancel(timer)
  }

  /// Ends the master and removes what it left; later calls do nothing.
  func close() async {
    guard !isClosing else { return }
    isClosing = true
    if leaving > 0, failure == nil { await seeOff() }
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
