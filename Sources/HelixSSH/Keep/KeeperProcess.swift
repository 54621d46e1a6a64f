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

  /// Starts the keeper with a listening socket as its standard input and nothing else of ours.
  static func start(listener: Int32) throws(Diagnostic) {
    let start = ProgramStart(
      // Not by its path, where a new version may stand by now.
      program: "/proc/self/exe", arguments: ["helix-infra", "keep-connections"],
      environment: environment, streams: [.descriptor(listener), .nothing, .nothing],
      hasOwnSession: true)
    do throws(LocalFile.Failure) {
      _ = try start.run()
    } catch {
      throw KeeperProblem.notStarted(error.reason).diagnostic
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
