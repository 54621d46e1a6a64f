private import CLibSSH2
import Glibc

/// A program of this machine that nobody waits for on a thread: an event loop learns of its end.
///
/// It has a session of its own, so neither the terminal nor its Ctrl-C reaches it. Whoever starts
/// one must end it; the loop reaps it.
final class ChildProcess: Sendable {
  /// What a child that was asked to end gets for doing so.
  private static let farewell = Duration.seconds(2)

  private struct State {
    /// Known once the process is reaped; until then its number cannot become anybody else's.
    var status: Int?
    var isEnding = false
    var watch: EventLoop.WatchID?
    var waiters: [@Sendable (Int) -> Void] = []
  }

  let id: Int32
  private let loop: EventLoop
  private let words: LastWords
  private let state = Lock(State())

  /// Starts a program with the given standard input and output, which are closed here; what it
  /// says on its standard error is kept.
  ///
  /// - Parameters:
  ///   - arguments: The program, looked for in `PATH`, and its arguments.
  ///   - environment: `NAME=value`.
  ///   - input: The child's standard input.
  ///   - output: The child's standard output.
  ///   - loop: The loop that learns of its words and its end.
  ///   - onWords: Called on the loop's thread when it has said something on its standard error.
  /// - Throws: `cannotStart`, with the system's reason.
  init(
    _ arguments: [String], environment: [String], input: Int32, output: Int32, loop: EventLoop,
    onWords: @escaping @Sendable () -> Void = {}
  ) throws(SSHError) {
    defer { for descriptor in [input, output] { close(descriptor) } }
    do throws(LocalFile.Failure) {
      let errors = try LocalPipe()
      defer { close(errors.write) }
      do throws(LocalFile.Failure) {
        let start = ProgramStart(
          program: arguments[0], arguments: arguments, environment: environment,
          streams: [input, output, errors.write].map { .descriptor($0) }, hasOwnSession: true)
        id = try start.run()
      } catch {
        close(errors.read)
        throw error
      }
      words = LastWords(errors.read, onWords)
    } catch {
      throw .cannotStart(program: arguments[0], reason: error.reason)
    }
    self.loop = loop
    loop.execute { self.watchEnd() }
  }

  /// A shell's command whose standard input and output are one connected, non-blocking socket, as
  /// ssh has it for `ProxyCommand`; the socket is the caller's.
  static func connected(
    _ command: String, loop: EventLoop
  ) throws(SSHError) -> (descriptor: Int32, child: ChildProcess) {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
      throw .cannotStart(program: command, reason: LocalFile.Failure.current.reason)
    }
    let (ours, theirs) = (ends[0], ends[1])
    _ = fcntl(ours, F_SETFL, O_NONBLOCK)
    do throws(SSHError) {
      let child = try ChildProcess(
        [userShell, "-c", "exec \(command)"], environment: currentEnvironment(), input: theirs,
        output: dup(theirs), loop: loop)
      return (ours, child)
    } catch {
      close(ours)
      throw error
    }
  }

  private static var userShell: String {
    guard let shell = getenv("SHELL"), shell.pointee == UInt8(ascii: "/") else { return "/bin/sh" }
    return String(cString: shell)
  }

  /// What programs started here would inherit, `NAME=value`.
  static func currentEnvironment() -> [String] {
    var lines: [String] = []
    var next = environ
    while let line = next.pointee {
      lines.append(String(cString: line))
      next += 1
    }
    return lines
  }
}

// MARK: - What it says and how it ends

extension ChildProcess {
  /// The last printable lines of its standard error, for an error.
  var lastWords: [String] { words.lines.suffix(8) }

  /// Many more of them, for whoever understands them.
  var story: [String] { words.lines }

  /// Calls back on the loop's thread once the process has ended: with its status, or 128 and the
  /// number of the signal that ended it.
  func whenEnded(_ callback: @escaping @Sendable (Int) -> Void) {
    let status = state.withLock { state in
      if state.status == nil { state.waiters.append(callback) }
      return state.status
    }
    if let status { loop.execute { callback(status) } }
  }

  /// The status, or nil when the process goes on for longer than the limit.
  func ended(within limit: Duration) async -> Int? {
    let answer = Pending<Int?>()
    let timer = loop.schedule(after: limit) { answer.settle(.success(nil)) }
    defer { loop.cancel(timer) }
    whenEnded { answer.settle(.success($0)) }
    return try? await answer.value()
  }

  /// Asks it, and all it has started, to end, and after a while makes it; later calls do nothing.
  func end() {
    let isFirst = state.withLock { state in
      guard state.status == nil, !state.isEnding else { return false }
      state.isEnding = true
      kill(-id, SIGTERM)
      return true
    }
    guard isFirst else { return }
    let timer = loop.schedule(after: Self.farewell) { self.signal(SIGKILL) }
    whenEnded { _ in self.loop.cancel(timer) }
  }

  private func signal(_ number: Int32) {
    state.withLock { state in
      if state.status == nil { kill(-id, number) }
    }
  }

  private func watchEnd() {
    words.listen(on: loop)
    let descriptor = helix_open_process(id)
    guard descriptor >= 0 else { return waitBlocking() }
    let watch = loop.watch(descriptor) { _ in
      guard let status = self.reap() else { return }
      if let watch = self.state.withLock({ $0.watch }) { self.loop.unwatch(descriptor, watch) }
      close(descriptor)
      self.tell(status)
    }
    state.withLock { $0.watch = watch }
    guard watch == nil else { return }
    close(descriptor)
    waitBlocking()
  }

  /// Kernels before 5.3, and some sandboxes, tell of an end only to those who wait for it.
  private func waitBlocking() {
    Task {
      await blocking {
        var info = siginfo_t()
        while waitid(P_PID, id_t(self.id), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
      }
      loop.execute { if let status = self.reap() { self.tell(status) } }
    }
  }

  /// The status if the process has ended; what it left behind in its group is ended too.
  private func reap() -> Int? {
    state.withLock { state in
      guard state.status == nil else { return nil }
      var info = siginfo_t()
      guard waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT | WNOHANG) == 0, info.si_signo != 0
      else { return nil }
      // Not yet reaped, so the group's number is still ours.
      kill(-id, SIGKILL)
      var status: Int32 = 0
      guard waitpid(id, &status, WNOHANG) == id else { return nil }
      let signal = Int(status & 0x7f)
      state.status = signal == 0 ? Int(status >> 8) & 0xff : 128 + signal
      return state.status
    }
  }

  private func tell(_ status: Int) {
    words.finish(loop)
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter(status) }
  }
}

/// A pipe whose ends close on exec.
struct LocalPipe {
  let read: Int32
  let write: Int32

  init() throws(LocalFile.Failure) {
    var ends: [Int32] = [-1, -1]
    guard pipe2(&ends, O_CLOEXEC) == 0 else { throw .current }
    (read, write) = (ends[0], ends[1])
  }
}
