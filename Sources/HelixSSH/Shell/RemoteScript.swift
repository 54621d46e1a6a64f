import HelixModel

/// A command as it travels: wrapped so that it announces itself, and as the user it should run as.
struct RemoteScript: Sendable {
  /// How the command gets its rights.
  enum Elevation: Hashable, Sendable {
    case none
    /// Root by sudo, which must not ask for a password.
    case sudo
  }

  /// libssh2 sends a request in one packet; 1.10 refuses larger ones.
  static let lengthLimit = 30 * 1024

  let elevation: Elevation
  /// Comes before the command's own output, on both streams.
  let marker: String
  let line: String

  init(_ command: String, elevation: Elevation, marker: String = Self.freshMarker()) {
    self.elevation = elevation
    self.marker = marker
    // The process's number lets us end it later: libssh2 1.10 cannot send signals.
    let announced = "echo \(marker) $$; echo \(marker) >&2\n\(command)"
    let shell = "sh -c \(shellQuoted(announced))"
    switch elevation {
    case .none: line = shell
    case .sudo: line = "sudo -n -- \(shell)"
    }
  }

  private static func freshMarker() -> String {
    "helix-" + String(UInt64.random(in: .min ... .max), radix: 36)
  }

  /// Ends what a command started: its process group gently, and after some seconds for good.
  ///
  /// sshd puts each command into a group of its own; where a server does not, only the process ends.
  static func killer(of process: Int, elevation: Elevation) -> String {
    let script = """
      p=\(process)
      read -r _ _ _ _ g _ 2>/dev/null </proc/$p/stat || exit 0
      case "$(cat /proc/$g/comm 2>/dev/null)" in sshd*|dropbear*|init|systemd) t=$p;; *) t=-$g;; esac
      kill -TERM $t 2>/dev/null || exit 0
      for i in 1 2 3 4 5; do kill -0 $t 2>/dev/null || exit 0; sleep 1; done
      kill -KILL $t 2>/dev/null
      """
    let shell = "sh -c \(shellQuoted(script)) >/dev/null 2>&1 </dev/null"
    return elevation == .sudo ? "sudo -n -- \(shell)" : shell
  }
}

extension SudoProblem {
  /// What sudo meant by the words it printed instead of running a command.
  init(lines: [String], status: Int) {
    let text = lines.joined(separator: "\n")
    let said = lines.last ?? "exit \(status)"
    if text.contains("you must have a tty") {
      self = .terminalNeeded
    } else if text.contains("a password is required") || text.contains("a terminal is required") {
      self = .passwordNeeded
    } else if text.contains("not in the sudoers") || text.contains("not allowed to")
      || text.contains("may not run sudo")
    {
      self = .notAllowed(said)
    } else if status == 127 {
      self = .missing
    } else {
      self = .other(said)
    }
  }
}
