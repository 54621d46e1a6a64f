import HelixModel

/// How a login becomes another user for one command.
struct Ascent: Hashable, Sendable {
  var method: Elevation.Method
  var user: String
  /// What sudo may ask for; nil means that it must not ask.
  var password: SecretValue?

  /// The words before the command.
  fileprivate func words(prompt: String) -> String {
    let user = shellQuoted(user)
    switch (method, password) {
    case (.sudo, nil): return "sudo -n -u \(user) -- "
    case (.sudo, .some): return "sudo -S -p \(shellQuoted(prompt)) -u \(user) -- "
    // doas reads passwords from a terminal only.
    case (.doas, _): return "doas -n -u \(user) "
    }
  }
}

/// A command as it travels: wrapped so that it announces itself, and as the user it should run as.
struct RemoteScript: Sendable {
  /// libssh2 sends a request in one packet; 1.10 refuses larger ones.
  static let lengthLimit = 30 * 1024

  let ascent: Ascent?
  /// Comes before the command's own output, on both streams.
  let marker: String
  /// What sudo asks for its password with; nothing else on the host can know it.
  let prompt: String
  /// Comes last on the errors with the command's status, when it has come to its end.
  let ending: String
  let line: String

  /// The arguments are the command's `$1` and on.
  init(
    _ command: String, arguments: [String] = [], ascent: Ascent?,
    nonce: String = Self.freshNonce()
  ) {
    self.ascent = ascent
    marker = "helix-\(nonce)"
    prompt = "password-\(nonce):"
    ending = "end-\(nonce)"
    // The process's number lets us end it later: libssh2 1.10 cannot send signals.
    let announced = """
      echo \(marker) $$; echo \(marker) >&2
      (
      \(command)
      )
      helix_status=$?; printf '\\n%s\\n' "\(ending) $helix_status" >&2; exit $helix_status
      """
    let words = ascent?.words(prompt: prompt) ?? ""
    let shell = ["sh", "-c", announced] + (arguments.isEmpty ? [] : ["helix"] + arguments)
    line = words + shell.map(shellQuoted).joined(separator: " ")
  }

  private static func freshNonce() -> String {
    String(UInt64.random(in: .min ... .max), radix: 36)
  }

  /// Ends what a command started: its process group gently, and after some seconds for good.
  ///
  /// sshd puts each command into a group of its own; where a server does not, only the process ends.
  static func killer(of process: Int, ascent: Ascent?) -> RemoteScript {
    let script = """
      exec >/dev/null 2>&1 </dev/null
      p=\(process)
      read -r _ _ _ _ g _ 2>/dev/null </proc/$p/stat || exit 0
      case "$(cat /proc/$g/comm 2>/dev/null)" in sshd*|dropbear*|init|systemd) t=$p;; *) t=-$g;; esac
      kill -TERM $t 2>/dev/null || exit 0
      for i in 1 2 3 4 5; do kill -0 $t 2>/dev/null || exit 0; sleep 1; done
      kill -KILL $t 2>/dev/null
      """
    return RemoteScript(script, ascent: ascent)
  }
}

/// Why no other user could be become.
enum AscentProblem: Hashable, Sendable {
  case passwordNeeded, passwordRefused, missing, terminalNeeded
  case notAllowed(String)
  /// sudo's `secure_path` does not lead to `sh`.
  case pathTooShort(String)
  case other(String)

  /// What sudo or doas meant by the words it printed instead of running a command.
  init(_ result: RemoteResult) {
    let lines = result.errors.noiseLines + result.output.noiseLines
    let text = lines.joined(separator: "\n")
    let said = lines.last ?? "exit \(result.status)"
    func has(_ words: String...) -> Bool { words.contains(where: text.contains) }
    if has("you must have a tty") {
      self = .terminalNeeded
    } else if has("incorrect password", "Sorry, try again") {
      self = .passwordRefused
    } else if has("a password is required", "a terminal is required", "Authorization required") {
      self = .passwordNeeded
    } else if has(
      "not in the sudoers", "not allowed to", "may not run sudo", "Operation not permitted")
    {
      self = .notAllowed(said)
    } else if has("sudo: sh: command not found", "doas: sh: command not found") {
      self = .pathTooShort(said)
    } else if result.status == 127 {
      self = .missing
    } else {
      self = .other(said)
    }
  }
}
