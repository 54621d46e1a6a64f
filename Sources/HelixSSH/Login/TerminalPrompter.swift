private import CLibSSH2
import Dispatch
import Glibc
package import HelixModel

/// Asks on the terminal that the program was started from, or by the program of `SSH_ASKPASS`.
package final class TerminalPrompter: Prompter {
  private let terminal: String
  private let askpass: AskPass
  private let interrupt: @Sendable () -> Void
  /// One question at a time; nothing else may wait for a person.
  private let queue = DispatchQueue(label: "helix.ssh.prompter", qos: .userInitiated)

  /// The terminal of this process, and its environment's ways to ask.
  package convenience init() { self.init(terminal: "/dev/tty", askpass: AskPass()) }

  /// - Parameters:
  ///   - terminal: The terminal's path.
  ///   - askpass: What the environment says about other ways.
  ///   - interrupt: What a typed Ctrl-C does, after the terminal is as it was.
  init(
    terminal: String, askpass: AskPass,
    interrupt: @escaping @Sendable () -> Void = { kill(getpid(), SIGINT) }
  ) {
    self.terminal = terminal
    self.askpass = askpass
    self.interrupt = interrupt
  }

  package func ask(_ question: String) async throws(PromptFailure) -> SecretValue {
    guard let stop = StopSwitch() else { throw .nobody }
    let answer = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        queue.async { continuation.resume(returning: self.answer(question, stop)) }
      }
    } onCancel: {
      stop.pull()
    }
    return try answer.get()
  }

  /// The same on a thread that may block; nil when there is no answer.
  package func askAndWait(_ question: String) -> SecretValue? {
    guard let stop = StopSwitch() else { return nil }
    return try? queue.sync { answer(question, stop) }.get()
  }

  private func answer(
    _ question: String, _ stop: StopSwitch
  ) -> Result<SecretValue, PromptFailure> {
    guard !stop.isPulled else { return .failure(.declined) }
    let terminal = SecretTerminal(path: terminal)
    if let program = askpass.program(hasTerminal: terminal != nil) {
      return AskPass.run(program, question, stop)
    }
    guard let terminal else { return .failure(.nobody) }
    switch terminal.ask(question, stop) {
    case .typed(let answer): return .success(answer)
    case .ended: return .failure(.declined)
    case .interrupted:
      interrupt()
      return .failure(.declined)
    }
  }
}

/// Ends a blocking wait from another thread.
final class StopSwitch: Sendable {
  let descriptor: Int32

  init?() {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    if descriptor < 0 { return nil }
  }

  deinit { close(descriptor) }

  func pull() {
    var one: UInt64 = 1
    _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
  }

  var isPulled: Bool {
    var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&event, 1, 0) > 0
  }

  /// Blocks until something can be read; false when the switch was pulled first.
  func waitReadable(_ other: Int32) -> Bool {
    var events = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: other, events: Int16(POLLIN), revents: 0),
    ]
    while poll(&events, 2, -1) < 0, errno == EINTR {}
    return events[0].revents == 0 && events[1].revents != 0
  }
}
