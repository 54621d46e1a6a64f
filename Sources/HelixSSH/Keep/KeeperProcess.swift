private import CLibSSH2
import Glibc
import HelixModel

/// The process that keeps connections: this program, started once more without a terminal.
enum KeeperProcess {
  /// The variables that reaching hosts may need; everything else stays behind.
  private static let variables = [
    "DISPLAY", "HOME", "KRB5CCNAME", "KRB5_CONFIG", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH",
    "SHELL", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "SSH_AUTH_SOCK", "SSH_SK_HELPER",
    "SSH_SK_PROVIDER", "TMPDIR", "USER", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR",
  ]

  /// The keeper's environment, `NAME=value`.
  static var environment: [String] {
    variables.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }
  }

  /// POSIX_SPAWN_SETSID, which glibc's headers show only to GNU sources.
  private static let ownSession: Int16 = 0x80

  /// Starts the keeper with a listening socket as its standard input and nothing else of ours.
  static func start(listener: Int32) throws(Diagnostic) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, listener, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // What a terminal's signals mean to this run is nothing to the keeper.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    let flags = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF) | ownSession
    posix_spawnattr_setflags(&attributes, flags)
    let argv = [strdup("helix-infra"), strdup("keep-connections"), nil]
    let envp = environment.map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    var id: pid_t = 0
    // Not by its path, where a new version may stand by now.
    let code = posix_spawn(&id, "/proc/self/exe", &actions, &attributes, argv, envp)
    guard code == 0 else {
      throw KeeperProblem.notStarted(LocalFile.Failure(code: code).reason).diagnostic
    }
  }

  /// Makes this process fit to hold what others must not see.
  static func settle() {
    helix_refuse_dumps()
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    umask(0o077)
    chdir("/")
    signal(SIGPIPE, SIG_IGN)
  }
}
