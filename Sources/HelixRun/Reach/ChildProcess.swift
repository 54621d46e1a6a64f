import Glibc
import HelixModel

/// A process of our own on this machine, talked to over pipes; every call may block, so it belongs
/// on a thread that may.
struct ChildProcess: ~Copyable {
  /// How a conversation ended.
  enum Ending {
    case ended(CommandOutput)
    case outOfTime
    case cancelled
  }

  private let pid: pid_t
  private var pipes: Pipes
  private var output: [UInt8] = []
  private var errors: [UInt8] = []

  /// Our ends of the child's standard streams; -1 once closed.
  private struct Pipes {
    var input: Int32
    var output: Int32
    var errors: Int32
  }

  /// How often a running child is looked after when its pipes are quiet.
  private static let heartbeat: Int32 = 50
  /// What a child that was asked to end gets for doing so.
  private static let farewell: Duration = .seconds(2)

  /// Starts a program in a session of its own; all other descriptors of ours close on exec.
  ///
  /// Its standard input is `file`, or what `converse` writes when there is none.
  ///
  /// - Throws: what the system says to it.
  init(_ arguments: [String], environment: [String], file: String?) throws(Diagnostic) {
    var theirs: [Int32] = []
    var ours: [Int32] = []
    defer { theirs.forEach { _ = close($0) } }
    do throws(Diagnostic) {
      for stream in 0...2 {
        if stream == 0, let file {
          theirs.append(try Self.opened(file))
          ours.append(-1)
        } else {
          let ends = try stream == 0 ? Self.inputEnds() : Self.outputEnds()
          theirs.append(ends.theirs)
          ours.append(ends.ours)
        }
      }
      pid = try Self.spawn(arguments, environment: environment, streams: theirs)
    } catch {
      ours.forEach { if $0 >= 0 { _ = close($0) } }
      throw error
    }
    pipes = Pipes(input: ours[0], output: ours[1], errors: ours[2])
    for end in ours where end >= 0 { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
  }

  /// Feeds the child and listens to it until it ends, the time is up, or the caller loses interest.
  consuming func converse(
    input: [UInt8], deadline: ContinuousClock.Instant, isCancelled: () -> Bool
  ) -> Ending {
    var unsent = input[...]
    if unsent.isEmpty { closeEnd(\.input) }
    while true {
      if isCancelled() { return abandon(.cancelled) }
      if ContinuousClock.now >= deadline { return abandon(.outOfTime) }
      waitForPipes()
      feed(&unsent)
      // The order matters: what was written before the end was seen is then surely read after it.
      let status = reaped()
      listen()
      if let status { return finish(status) }
    }
  }
}

extension ChildProcess {
  private mutating func closeEnd(_ end: WritableKeyPath<Pipes, Int32>) {
    guard pipes[keyPath: end] >= 0 else { return }
    _ = close(pipes[keyPath: end])
    pipes[keyPath: end] = -1
  }

  private func waitForPipes() {
    // poll(2) passes over negative descriptors, so closed ends may stay in the list.
    var ends = [
      pollfd(fd: pipes.input, events: Int16(POLLOUT), revents: 0),
      pollfd(fd: pipes.output, events: Int16(POLLIN), revents: 0),
      pollfd(fd: pipes.errors, events: Int16(POLLIN), revents: 0),
    ]
    let isMute = pipes.output < 0 && pipes.errors < 0 && pipes.input < 0
    _ = poll(&ends, nfds_t(ends.count), isMute ? 5 : Self.heartbeat)
  }

  private mutating func feed(_ unsent: inout ArraySlice<UInt8>) {
    while pipes.input >= 0 {
      let sent = unsent.withUnsafeBytes {
        send(pipes.input, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if sent < 0, errno == EINTR { continue }
      if sent < 0, errno == EAGAIN { return }
      // A child that no longer reads has said all it wants to know.
      unsent = sent < 0 ? [] : unsent.dropFirst(sent)
      if unsent.isEmpty { closeEnd(\.input) }
    }
  }

  private mutating func listen() {
    if Self.drain(pipes.output, into: &output) { closeEnd(\.output) }
    if Self.drain(pipes.errors, into: &errors) { closeEnd(\.errors) }
  }

  /// Reads what is there; true at the end of the stream.
  private static func drain(_ end: Int32, into bytes: inout [UInt8]) -> Bool {
    guard end >= 0 else { return false }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(end, $0.baseAddress, $0.count) }
      if count > 0 {
        bytes += buffer[..<count]
      } else if count < 0, errno == EINTR {
        continue
      } else {
        return count == 0 || errno != EAGAIN
      }
    }
  }

  /// The exit status if the child has ended: 128 + n when signal n ended it.
  private func reaped() -> Int? {
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
    let signal = Int(status & 0x7f)
    return signal == 0 ? Int(status >> 8) & 0xff : 128 + signal
  }

  private consuming func finish(_ status: Int) -> Ending {
    closeAll()
    return .ended(
      CommandOutput(
        status: status, output: String(decoding: output, as: UTF8.self),
        errors: String(decoding: errors, as: UTF8.self)))
  }

  /// Ends the child and everything in its session's group, first politely.
  private consuming func abandon(_ ending: Ending) -> Ending {
    let deadline = ContinuousClock.now + Self.farewell
    _ = kill(-pid, SIGTERM)
    while reaped() == nil {
      if ContinuousClock.now >= deadline { _ = kill(-pid, SIGKILL) }
      _ = poll(nil, 0, 10)
    }
    _ = kill(-pid, SIGKILL)
    closeAll()
    return ending
  }

  private mutating func closeAll() {
    closeEnd(\.input)
    closeEnd(\.output)
    closeEnd(\.errors)
  }
}

extension ChildProcess {
  /// A socket pair closes on exec from its birth: a copy of our end in another child would keep
  /// this one waiting for the end of its input.
  private static func inputEnds() throws(Diagnostic) -> (ours: Int32, theirs: Int32) {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
      throw systemFailure("cannot make a socket pair")
    }
    return (ends[0], ends[1])
  }

  /// A pipe, so that programs may open /dev/stdout; a copy of it elsewhere does no harm, since the
  /// child's end is seen by its process, not by its pipes.
  private static func outputEnds() throws(Diagnostic) -> (ours: Int32, theirs: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw systemFailure("cannot make a pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private static func opened(_ file: String) throws(Diagnostic) -> Int32 {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemFailure("cannot read \(file)") }
    return descriptor
  }

  private static func spawn(
    _ arguments: [String], environment: [String], streams: [Int32]
  ) throws(Diagnostic) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, stream) in streams.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, stream, Int32(number))
    }
    var attributes = cleanAttributes()
    defer { posix_spawnattr_destroy(&attributes) }
    let argv = arguments.map { strdup($0) } + [nil]
    let envp = environment.map { strdup($0) } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, envp)
    guard code == 0 else { throw systemFailure("cannot start \(arguments[0])", code: code) }
    return pid
  }

  /// POSIX_SPAWN_SETSID, which glibc's headers show only to GNU sources.
  private static let ownSession: Int16 = 0x80

  /// A session without a terminal, and signals as if nobody had touched them.
  private static func cleanAttributes() -> posix_spawnattr_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigdefault(&attributes, &all)
    let signals = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
    posix_spawnattr_setflags(&attributes, signals | ownSession)
    return attributes
  }
}

/// A failed system call in words.
func systemFailure(_ summary: String, code: Int32 = errno) -> Diagnostic {
  Diagnostic(
    summary, reason: String(cString: strerror(code)), at: .host(.controller, address: nil))
}
