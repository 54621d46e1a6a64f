internal import Foundation
internal import HelixModel

/// A lock among processes; it is let go even when the process dies.
enum FileLock {
  /// Does something while no other process holds the lock.
  ///
  /// The wait is no longer than a slow download of another run would take. The lock's file stays:
  /// to remove it would let two processes hold two files of one name.
  static func holding<Value>(
    _ path: String, within limit: Duration = .seconds(3600), _ body: () async throws -> Value
  ) async throws -> Value {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Problem.cannotWrite(path, code: errno) }
    defer { close(descriptor) }
    let deadline = ContinuousClock.now + limit
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      guard code == EWOULDBLOCK || code == EINTR else {
        throw Problem.cannotWrite(path, code: code)
      }
      guard ContinuousClock.now < deadline else { throw Problem.locked(path, for: limit) }
      try await Task.sleep(for: .milliseconds(100))
    }
    return try await body()
  }
}
