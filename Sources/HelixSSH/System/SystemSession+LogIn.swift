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
      try await start(check, trust.keyFiles.prompter)
      knock()
      try await withTaskCancellationHandler {
        try await login.value()
      } onCancel: {
        loop.execute { self.assumeIsolated { $0.fail(.closed) } }
      }
    } catch SSHError.system(let problem) {
      throw SSHError.system(problem.completed(with: check))
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

  private func start(
    _ check: HostKeyCheck, _ prompter: any Prompter
  ) async throws(SSHError) {
    let program = try await findProgram()
    let folder = try await makeFolder(check)
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

  private func makeFolder(_ check: HostKeyCheck) async throws(SSHError) -> PrivateFolder {
    let runtimeFolder = environment["XDG_RUNTIME_DIR"]
    let result = await blocking { () -> Result<PrivateFolder, LocalFile.Failure> in
      PrivateFolder.make(runtimeFolder: runtimeFolder).flatMap { folder in
        let written = check.pinned.map { folder.write($0, but: check.answer.revoked, check.name) }
        let result = (written ?? .success(())).flatMap(folder.writeAsker)
        if case .failure = result { folder.remove() }
        return result.map { folder }
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
    if access(folder.socket, F_OK) == 0, let door = ControlSocket(folder.socket) {
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
  func closeDesk() async {
    for task in asking { task.cancel() }
    for task in asking { await task.value }
    if let desk, let deskWatch { loop.unwatch(desk.descriptor, deskWatch) }
    desk?.close()
    desk = nil
  }
}
