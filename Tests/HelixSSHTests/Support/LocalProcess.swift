import Foundation
import HelixModel

@testable import HelixSSH

/// A program of this machine.
///
/// Not Foundation's `Process`: that one learns of an end through descriptors which children started
/// at the same time inherit, so that a long-lived sshd would hold up everybody else's wait.
///
/// It is reaped as soon as it ends: a zombie would keep the exit tests from learning of theirs.
final class LocalProcess: Sendable {
  private let id: pid_t
  private let hasEnded = Lock(false)
  private let end = DispatchSemaphore(value: 0)

  /// - Parameters:
  ///   - command: The program's path and its arguments.
  ///   - log: The file that gets the program's output.
  /// - Throws: A `Diagnostic` when it cannot be started.
  init(_ command: [String], log: String) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // Nothing of ours lives on in a child that outlives us, and no child does for long.
    for descriptor: Int32 in 3..<256 { posix_spawn_file_actions_addclose(&actions, descriptor) }
    // Swift's threads block signals, and a child would go on doing so.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let command = ["/usr/bin/timeout", "900"] + command
    var arguments = command.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var id: pid_t = 0
    let code = posix_spawn(&id, command[0], &actions, &attributes, &arguments, environ)
    guard code == 0 else { throw Diagnostic("cannot start \(command[0]): error \(code)") }
    self.id = id
    Thread.detachNewThread { [id, hasEnded, end] in
      var info = siginfo_t()
      while waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
      hasEnded.withLock { hasEnded in
        var status: Int32 = 0
        waitpid(id, &status, 0)
        hasEnded = true
      }
      end.signal()
    }
  }

  /// Whether it has not ended yet.
  var isRunning: Bool { !hasEnded.withLock { $0 } }

  /// Asks it to end, if it has not yet.
  func terminate() {
    hasEnded.withLock { hasEnded in
      if !hasEnded { kill(id, SIGTERM) }
    }
  }

  /// Waits for its end.
  func wait() {
    end.wait()
    end.signal()
  }
}
