/// What a command reads on its standard input.
package enum CommandInput: Sendable {
  case nothing
  case text(String)
  /// A secret or a script that holds one: written to the far side, never logged.
  case secret(SecretValue)
  /// A local file, streamed.
  case file(path: String)
}

/// What a command left behind.
package struct CommandOutput: Sendable, Hashable {
  /// The exit status; 128 + n when signal n ended it.
  package var status: Int
  package var output: String
  package var errors: String
  /// There was more than is kept: the output or the errors are only the first part.
  package var isTruncated: Bool

  package init(
    status: Int, output: String = "", errors: String = "", isTruncated: Bool = false
  ) {
    self.status = status
    self.output = output
    self.errors = errors
    self.isTruncated = isTruncated
  }
}

/// What running a command means for the host.
package enum CommandEffect: Hashable, Sendable {
  /// It changes nothing and leaves nothing running: it may be asked again after a lost connection,
  /// and share a long-lived shell with other questions.
  case question
  /// It may change the host: it runs at most once, in a shell of its own.
  case deed
}

/// A command for a host's POSIX shell.
package struct Command: Sendable {
  /// Goes into the remote argv, so it must never hold a secret.
  package var line: String
  package var input: CommandInput
  package var become: Become
  package var effect: CommandEffect
  /// How long it may take in all.
  package var timeout: Duration

  package init(
    _ line: String, input: CommandInput = .nothing, become: Become = .root,
    effect: CommandEffect = .deed, timeout: Duration = .seconds(60)
  ) {
    self.line = line
    self.input = input
    self.become = become
    self.effect = effect
    self.timeout = timeout
  }
}

/// A local file and where on a host its copy should stand.
package struct FileTransfer: Sendable {
  /// How far a transfer is, in bytes of the file.
  package struct Progress: Hashable, Sendable {
    package var sent: Int
    package var total: Int

    package init(sent: Int, total: Int) {
      self.sent = sent
      self.total = total
    }
  }

  package var source: String
  /// The copy's path.
  ///
  /// What a transfer that was cut left there is gone on with, if it is a beginning of the same file.
  package var destination: String
  /// Lower-case hex; what arrived is checked against it on the far side.
  package var sha256: String
  package var become: Become
  /// How long it may take in all.
  package var timeout: Duration
  /// Called now and then while it goes on; must return at once.
  package var progress: @Sendable (Progress) -> Void

  package init(
    source: String, destination: String, sha256: String, become: Become = .root,
    timeout: Duration, progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) {
    self.source = source
    self.destination = destination
    self.sha256 = sha256
    self.become = become
    self.timeout = timeout
    self.progress = progress
  }
}

/// A way to run commands on one host: SSH, or the local shell.
///
/// `run` returns whatever status the command ended with; it throws a `Diagnostic` only when the
/// command could not be run or watched to its end. Cancelling the task stops the wait.
package protocol Shell: Sendable {
  var host: HostName { get }
  func run(_ command: Command) async throws -> CommandOutput
  /// Brings a local file to the host; afterwards its copy stands there, readable for its owner only.
  ///
  /// - Throws: a `Diagnostic`; after a wrong checksum nothing is left at the destination.
  func send(_ transfer: FileTransfer) async throws
  func close() async
}

/// Opens shells; one session per host is kept and shared for the length of a run.
package protocol ShellProvider: Sendable {
  /// - Throws: a `Diagnostic` that says host, address, user, what was tried and how to fix it.
  func shell(to host: Host) async throws -> any Shell
  /// Ends all sessions.
  func closeAll() async
}
