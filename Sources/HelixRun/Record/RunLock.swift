import FoundationEssentials
import Glibc
package import HelixModel

/// Keeps two runs on one machine from applying at the same time.
///
/// The kernel gives the lock back when its holder dies, however it dies.
package enum RunLock {
  /// Who holds a lock, as written inside it for the next who asks.
  package struct Holder: Hashable, Sendable, Codable {
    package var pid: Int
    package var host: String
    /// UTC, as `UTCTime.text` writes it.
    package var started: String
  }

  /// Another run holds the lock.
  package struct Taken: Error {
    /// Nil when the holder had not yet written who it is.
    package let holder: Holder?
    package let diagnostic: Diagnostic
  }

  /// Does work while holding a folder's lock.
  ///
  /// - Throws: `Taken`, a `Diagnostic` when the lock cannot be made, or what the work throws.
  package static func held<Value>(
    in folder: String = StateFolder.path, clock: any RunClock = SystemClock(),
    _ work: () async throws -> Value
  ) async throws -> Value {
    let descriptor = try take(folder, clock: clock)
    defer {
      // A child that is just being started still shares the descriptor: closing ours would leave
      // the lock to it for a moment.
      _ = flock(descriptor, LOCK_UN)
      close(descriptor)
    }
    return try await work()
  }

  private static func take(_ folder: String, clock: any RunClock) throws -> Int32 {
    try StateFolder.make(folder)
    let path = "\(folder)/lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw systemFailure("cannot open the lock \(path)") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      throw code == EWOULDBLOCK
        ? taken(path) as any Error : systemFailure("cannot take the lock \(path)", code: code)
    }
    let me = Holder(
      pid: Int(getpid()), host: hostName(),
      started: UTCTime(milliseconds: clock.wallTime).text)
    ftruncate(descriptor, 0)
    _ = writeAll((try? JSONEncoder().encode(me)) ?? Data(), to: descriptor)
    return descriptor
  }

  private static func taken(_ path: String) -> Taken {
    let holder = (try? contents(of: path)).flatMap {
      try? JSONDecoder().decode(Holder.self, from: Data($0))
    }
    let who = holder.map { "process \($0.pid) on \($0.host), since \($0.started)" }
    return Taken(
      holder: holder,
      diagnostic: Diagnostic(
        "another run holds the lock \(path)",
        reason: "it is held by \(who ?? "a process that has just begun")",
        remedy: "wait until that run has ended; the lock goes with its process"))
  }
}
