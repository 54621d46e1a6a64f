private import CLibSSH2
import Glibc

/// Starts a program of this machine with the descriptors that it is given and none of ours beside.
struct ProgramStart {
  /// What one of the program's descriptors is.
  enum Stream {
    case descriptor(Int32)
    /// The same as here.
    case inherited
    /// `/dev/null`.
    case nothing
  }

  /// POSIX_SPAWN_SETSID, which glibc's headers show only to GNU sources.
  private static let ownSession: Int16 = 0x80

  /// Looked for in `PATH` unless it has a slash.
  let program: String
  /// The program's own name for itself comes first.
  let arguments: [String]
  /// `NAME=value`.
  let environment: [String]
  /// The program's descriptors, from 0 on.
  let streams: [Stream]
  /// With a session of its own, neither the terminal nor its Ctrl-C reaches it.
  let hasOwnSession: Bool

  /// Starts it; whoever does so must wait for its end.
  ///
  /// - Returns: The process.
  func run() throws(LocalFile.Failure) -> Int32 {
    var actions = fileActions()
    defer { posix_spawn_file_actions_destroy(&actions) }
    var attributes = attributes()
    defer { posix_spawnattr_destroy(&attributes) }
    let argv = arguments.map { strdup($0) } + [nil]
    let envp = environment.map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    var id: Int32 = 0
    let code = posix_spawnp(&id, program, &actions, &attributes, argv, envp)
    guard code == 0 else { throw LocalFile.Failure(code: code) }
    return id
  }

  private func fileActions() -> posix_spawn_file_actions_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    for (stream, number) in zip(streams, Int32(0)...) {
      switch stream {
      case .descriptor(let descriptor):
        posix_spawn_file_actions_adddup2(&actions, descriptor, number)
      case .inherited: continue
      case .nothing: posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
      }
    }
    // Ours all close on exec; this is for those of whoever started us.
    posix_spawn_file_actions_addclosefrom_np(&actions, Int32(streams.count))
    return actions
  }

  private func attributes() -> posix_spawnattr_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    // Our threads block signals, and a child would go on doing so.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    let flags = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
    posix_spawnattr_setflags(&attributes, hasOwnSession ? flags | Self.ownSession : flags)
    return attributes
  }
}
