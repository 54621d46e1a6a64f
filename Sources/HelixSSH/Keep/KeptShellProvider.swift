import Glibc
package import HelixModel

/// Opens shells over sessions that a keeper holds, so that the next run needs no login.
package actor KeptShellProvider: ShellProvider {
  /// How long the keeper may take to say a word of greeting.
  private static let greetingLimit = Duration.seconds(10)
  /// How long somebody else may take to start the keeper.
  private static let lockLimit = Duration.seconds(30)

  private let place: KeeperPlace
  private let keep: Duration
  private let resolution: HostResolution
  private let folder: String
  private let report: @Sendable (SSHEvent) -> Void
  private let prompter: any Prompter
  /// Starts a keeper on a listening socket, which stays the caller's.
  private let start: @Sendable (Int32) throws -> Void

  private var connection: KeeperConnection?
  /// The run is over: what is still under way must not begin anew.
  private var isClosed = false
  private let connecting = SharedAttempt<KeeperConnection>()

  /// - Parameters:
  ///   - keep: How long sessions live on after their last command.
  ///   - hostKeys: What to do with host keys that no known_hosts file has.
  ///   - local: The person whose keys, agent and known hosts are used.
  ///   - prompter: Asks for the passphrases of keys.
  ///   - report: Told about connections, new host keys and every command sent; called on an event
  ///     loop, so it must return at once.
  package init(
    keep: Duration, hostKeys: HostKeyPolicy = .strict, local: LocalUser = .current,
    prompter: any Prompter = TerminalPrompter(),
    report: @escaping @Sendable (SSHEvent) -> Void = { _ in }
  ) {
    self.init(
      keep: keep, at: .standard, hostKeys: hostKeys, local: local, prompter: prompter,
      report: report,
      start: { try KeeperProcess.start(listener: $0) })
  }

  /// A provider whose keeper is at some place, or will be started there.
  init(
    keep: Duration, at place: KeeperPlace, hostKeys: HostKeyPolicy = .strict, local: LocalUser,
    prompter: any Prompter, report: @escaping @Sendable (SSHEvent) -> Void = { _ in },
    start: @escaping @Sendable (Int32) throws -> Void
  ) {
    self.place = place
    self.keep = keep
    resolution = HostResolution(local: local, policy: hostKeys)
    folder = LocalFile.workingFolder
    self.report = report
    self.prompter = prompter
    self.start = start
  }

  package func shell(to host: Host) async throws -> any Shell {
    let settings = try await resolution.settings(of: host).rooted(in: folder)
    let shell = KeeperShell(self, settings, folder: folder)
    try await shell.open()
    return shell
  }

  /// Leaves the keeper; the sessions live on.
  package func closeAll() async {
    isClosed = true
    await connecting.cancel()
    connection?.close()
    connection = nil
  }
}

// MARK: - The keeper

extension KeptShellProvider {
  /// A connection to the keeper that works; whoever asks while one is being made gets the same one.
  func keeper() async throws -> KeeperConnection {
    guard !isClosed else { throw KeeperLoss(wasNeverRead: true) }
    if let connection, connection.isUp { return connection }
    return try await connecting.value {
      let connection = try await self.reach()
      self.connection = connection
      return connection
    }
  }

  /// Finds the keeper, or starts one; of several that start at once, one does it.
  private func reach() async throws -> KeeperConnection {
    try place.prepare()
    if let connection = try await meet() { return connection }
    guard let lock = await place.takeLock(within: Self.lockLimit) else {
      throw KeeperProblem.lockTaken(path: place.lock).diagnostic
    }
    defer { _ = Glibc.close(lock) }
    if let connection = try await meet() { return connection }
    try listen()
    if let connection = try await meet() { return connection }
    throw KeeperProblem.notStarted("it did not answer").diagnostic
  }

  private func meet() async throws -> KeeperConnection? {
    guard let descriptor = try await place.connect() else { return nil }
    let connection = KeeperConnection(descriptor: descriptor, report: report, prompter: prompter)
    let version = await connection.greet(keep: keep, limit: Self.greetingLimit)
    return version == KeeperLanguage.version ? connection : nil
  }

  private func listen() throws {
    let listener = try place.listen()
    defer { _ = Glibc.close(listener) }
    try start(listener)
  }
}
