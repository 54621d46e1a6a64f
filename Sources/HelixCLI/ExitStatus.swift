internal import ArgumentParser

/// What the process says to its caller.
enum ExitStatus: Int32 {
  case fine = 0
  case failed = 1
  case changesPending = 2
  case partlyApplied = 3
  case refused = 4
  case locked = 5
  case invalidInput = 64
  case interrupted = 130

  /// The error that ends a command with this status, after all words have been said.
  var exit: ExitCode { ExitCode(rawValue) }
}
