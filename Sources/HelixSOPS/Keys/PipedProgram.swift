#if canImport(Glibc)
  private import Glibc
#elseif canImport(Darwin)
  private import Darwin
#endif

/// A program that gets a little input through a pipe and whose words come back through pipes.
package struct PipedProgram {
  package var status: Int
  package var output: [UInt8]
  package var errors: [UInt8]

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - arguments: The program, looked for in `PATH` unless it has a slash, and its arguments.
  ///   - environment: `NAME=value`.
  ///   - input: Not more than a pipe holds.
  ///   - limit: So many bytes of each stream are kept.
  /// - Returns: Nil when it cannot be started.
  package static func run(
    _ arguments: [String], environment: [String], input: [UInt8], limit: Int
  ) -> PipedProgram? {
    guard let pipes = Pipes(input: input) else { return nil }
    defer { pipes.close() }
    guard let id = start(arguments, environment: environment, pipes) else { return nil }
    pipes.closeTheirs()
    let said = pipes.readAll(limit: limit)
    var raw: Int32 = 0
    while waitpid(id, &raw, 0) < 0, errno == EINTR {}
    let signal = Int(raw & 0x7f)
    let status = signal == 0 ? Int(raw >> 8) & 0xff : 128 + signal
    return PipedProgram(status: status, output: said.output, errors: said.errors)
  }

  private static func start(
    _ arguments: [String], environment: [String], _ pipes: Pipes
  ) -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, descriptor) in pipes.theirs.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Threads of a pool may have signals blocked, and a child would inherit that.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let argv = arguments.map { strdup($0) } + [nil]
    let envp = environment.map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    var id: pid_t = 0
    let code = posix_spawnp(&id, arguments[0], &actions, &attributes, argv, envp)
    return code == 0 ? id : nil
  }
}

/// The pipes between us and a program; its input is in its pipe before it starts, so that nobody
/// ever waits to write.
private final class Pipes {
  /// What becomes the program's descriptors 0, 1 and 2.
  private(set) var theirs: [Int32]
  private var ours: [Int32]

  init?(input: [UInt8]) {
    var ends: [Int32] = []
    for _ in 0..<3 {
      var pair: [Int32] = [-1, -1]
      guard pipe(&pair) == 0 else { break }
      ends += pair
    }
    guard ends.count == 6 else {
      Self.close(ends)
      return nil
    }
    for descriptor in ends { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    theirs = [ends[0], ends[3], ends[5]]
    ours = [ends[2], ends[4]]
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    let count = input.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
    Self.close([ends[1]])
    guard count == input.count else {
      close()
      return nil
    }
  }

  private static func close(_ descriptors: [Int32]) {
    #if canImport(Darwin)
      for descriptor in descriptors { _ = Darwin.close(descriptor) }
    #else
      for descriptor in descriptors { _ = Glibc.close(descriptor) }
    #endif
  }

  func closeTheirs() {
    Self.close(theirs)
    theirs = []
  }

  func close() {
    closeTheirs()
    Self.close(ours)
    ours = []
  }

  /// Reads both streams until the program has closed them.
  func readAll(limit: Int) -> (output: [UInt8], errors: [UInt8]) {
    var said: [[UInt8]] = [[], []]
    for index in said.indices { said[index].reserveCapacity(limit) }
    var polls = ours.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var chunk = [UInt8](repeating: 0, count: 4096)
    defer { chunk.wipe() }
    while polls.contains(where: { $0.fd >= 0 }) {
      guard poll(&polls, nfds_t(polls.count), -1) >= 0 || errno == EINTR else { break }
      for index in polls.indices where polls[index].fd >= 0 && polls[index].revents != 0 {
        let count = read(polls[index].fd, &chunk, chunk.count)
        if count > 0 {
          said[index] += chunk.prefix(min(count, limit - said[index].count))
        } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
          polls[index].fd = -1
        }
      }
    }
    return (said[0], said[1])
  }
}
