import HelixModel

/// What can go wrong between a run and the keeper.
enum KeeperProblem: Hashable, Sendable {
  /// Others could come between the run and the keeper.
  case unsafe(folder: String, String)
  case tooLong(path: String)
  case unreachable(path: String, String)
  case notStarted(String)
  case lockTaken(path: String)
  /// The keeper went away, or hangs, in the middle of something.
  case lost(host: HostName)
  case inputTooLarge(Int, host: HostName)

  /// What people read.
  var diagnostic: Diagnostic {
    switch self {
    case .unsafe(let folder, let fault):
      Diagnostic(
        "connections cannot be kept in \(folder)",
        reason: "\(fault), so others could use them",
        remedy: "remove it, or set XDG_RUNTIME_DIR to a folder of your own with mode 700")
    case .tooLong(let path):
      Diagnostic(
        "the socket's path \(path) is too long", reason: "the system takes about 100 characters",
        remedy: "set XDG_RUNTIME_DIR to a folder with a shorter path")
    case .unreachable(let path, let reason):
      Diagnostic(
        "cannot use the socket \(path)", reason: reason,
        remedy: "run without --keep-connections, or remove the socket")
    case .notStarted(let reason):
      Diagnostic(
        "the process that keeps connections did not start", reason: reason,
        remedy: "run without --keep-connections")
    case .lockTaken(let path):
      Diagnostic(
        "somebody else is starting the process that keeps connections and does not finish",
        reason: "\(path) is locked", remedy: "end that process, then run it again")
    case .lost(let host):
      Diagnostic(
        "the process that keeps connections is gone",
        reason: "it ended or was ended while it was in use, so nobody knows how the command went",
        remedy: "run it again", at: .host(host, address: nil))
    case .inputTooLarge(let count, let host):
      Diagnostic(
        "the command's input is \(count) bytes long",
        reason: "at most \(Frame.limit / 2) bytes can go through a kept connection",
        remedy: "run without --keep-connections", at: .host(host, address: nil))
    }
  }
}
