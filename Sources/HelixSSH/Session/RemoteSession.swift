/// A logged-in connection to one host that runs commands, whoever speaks SSH.
protocol RemoteSession: AnyObject, Sendable {
  /// What keeps the session from being used; nil as long as it works.
  var obstacle: SSHError? { get async }

  /// Runs a command to its end, or ends it on the host when its time is over or the task is
  /// cancelled.
  ///
  /// - Parameters:
  ///   - request: The command.
  ///   - onRequest: Called when the command is sent; from then on it may have run.
  /// - Returns: The status and what is kept of the output.
  /// - Throws: an `SSHError`, or `CancellationError`.
  func run(
    _ request: RemoteRequest, onRequest: @escaping @Sendable () -> Void
  ) async throws -> RemoteResult

  /// A connection of bytes from the host to another one: a local descriptor, which the caller closes.
  func tunnel(to host: String, port: Int) async throws -> Int32

  /// Ends the session and all that runs in it; later calls do nothing.
  func close() async
}

/// A command for a session.
struct RemoteRequest: Sendable {
  /// For the host's POSIX shell.
  var command: String
  /// How it becomes another user; nil when the login is the right one.
  var ascent: Ascent?
  var input = RemoteInput.nothing
  /// A question may share a long-lived shell with others.
  var isQuestion = false
  /// How long it may take in all.
  var limit: Duration
}

/// What a remote command reads.
enum RemoteInput: Sendable {
  case nothing
  case bytes([UInt8])
  case file(path: String)
  case feed(any InputFeed)
}

/// Gives a command's input piece by piece, as it is asked for.
protocol InputFeed: Sendable {
  /// The next piece; nil at the end.
  ///
  /// Asked for when the piece before is on its way.
  func next() async throws(SSHError) -> [UInt8]?
}

/// What a remote command left behind.
struct RemoteResult: Sendable {
  var status: Int
  var output: OutputCollector
  var errors: OutputCollector
}
