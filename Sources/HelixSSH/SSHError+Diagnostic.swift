import HelixModel

extension SSHError {
  /// What people read: where it happened, what was tried, why it failed and how to go on.
  func diagnostic(_ settings: SSHSettings, command: String? = nil) -> Diagnostic {
    let words = words(settings)
    return Diagnostic(
      words.summary, reason: words.reason, remedy: words.remedy,
      at: .host(settings.host, address: settings.target),
      evidence: evidence(command))
  }

  /// The three sentences of a diagnostic.
  struct Words {
    var summary: String
    var reason: String?
    var remedy: String?
  }

  private func evidence(_ command: String?) -> Diagnostic.Evidence? {
    guard let command else { return nil }
    switch self {
    case .notStarted(let status, let lines):
      return .init(command: command, status: status, lastLines: lines)
    case .ascent(_, .other(let line)), .ascent(_, .notAllowed(let line)):
      return .init(command: command, status: nil, lastLines: [line])
    case .upload(.unwritten(_, let status, let lines)):
      return .init(command: command, status: status, lastLines: lines)
    default: return .init(command: command, status: nil, lastLines: [])
    }
  }

  private func words(_ settings: SSHSettings) -> Words {
    switch self {
    case .nameUnknown, .unreachable, .timedOut, .foreign, .disconnected, .outwaited, .silent,
      .closed:
      connectionWords(settings)
    case .noCommonAlgorithm(let gap): gap.words
    case .gate(let gate, let error): error.words(onTheWayThrough: gate)
    case .flooded(let bytes):
      Words(
        summary: "\(settings.target) floods the connection",
        reason: "\(bytes / 1_000_000) MB came that nobody asked for, so it was closed",
        remedy: "check what listens there; no ssh server does this")
    case .proxyFailed(let command, let status, let lines):
      Words(
        summary: "the ProxyCommand for \(settings.target) did not lead to it",
        reason: lines.last.map { "it said \"\($0)\"" }
          ?? status.map { "it ended with status \($0) and said nothing" }
          ?? "it closed the connection and said nothing",
        remedy: "try it in a terminal: \(command)")
    case .tunnelRefused(let target, let detail):
      Words(
        summary: "\(settings.target) does not connect us with \(target)", reason: detail,
        remedy: "check AllowTcpForwarding and PermitOpen in its sshd_config, and that it reaches"
          + " \(target)")
    case .hostKey(let problem): problem.words(settings)
    case .keyFile(let problem): problem.words
    case .agent(let path, let reason):
      Words(
        summary: "the ssh agent at \(path) did not help", reason: reason,
        remedy: "check it with: ssh-add -l")
    case .system(let problem): problem.words(settings)
    case .loginRefused(let attempts): attempts.refusedWords(settings)
    case .noKeys(let attempts): attempts.noKeysWords(settings)
    case .passwordExpired, .needsSystem: loginWords(settings)
    default: commandWords(settings)
    }
  }
}

extension SSHError {
  /// The words of an error that a host on the way met.
  private func words(onTheWayThrough gate: SSHSettings) -> Words {
    if case .gate(let further, let error) = self { return error.words(onTheWayThrough: further) }
    var words = words(gate)
    words.summary = "on the way through \(gate.host): \(words.summary)"
    return words
  }
}

// MARK: - Connecting

extension SSHError {
  private func connectionWords(_ settings: SSHSettings) -> Words {
    switch self {
    case .nameUnknown(let reason):
      Words(
        summary: "the address \"\(settings.address)\" cannot be found", reason: reason,
        remedy: "set ansible_host to an address, or add the name to DNS or /etc/hosts")
    case .unreachable(let attempts):
      Words(
        summary: "cannot connect to \(settings.target)",
        reason: attempts.map { "\($0.address): \($0.reason)" }.joined(separator: "; "),
        remedy: "check that the host is up, and that ansible_host, ansible_port and firewalls"
          + " let ssh through")
    case .timedOut(let stage, let limit):
      Words(
        summary: "\(settings.target) did not \(stage.deed) within \(HelixSSH.words(limit))",
        reason: "something answers the connection, but not in time",
        remedy: "check the host's load and its sshd; -o ConnectTimeout=60 waits longer")
    case .foreign(let said):
      Words(
        summary: "\(settings.target) does not speak ssh", reason: "it said \"\(said)\"",
        remedy: "check ansible_host and ansible_port")
    case .disconnected(let stage, let said):
      disconnectedWords(stage, said, settings)
    case .outwaited(let said):
      Words(
        summary: "\(settings.target) did not wait for an answer that somebody was asked for",
        reason: said.map { "it said \"\($0)\"" } ?? "it hung up, as sshd does after LoginGraceTime",
        remedy: "load the key into an agent beforehand: ssh-add")
    case .silent(let time):
      Words(
        summary: "lost \(settings.target)",
        reason: "it has said nothing for \(HelixSSH.words(.seconds(time.components.seconds)))",
        remedy: "check the host and the network, then run it again")
    default:
      Words(
        summary: "the connection to \(settings.target) is closed",
        reason: "the run was ended", remedy: "run it again")
    }
  }

  private func disconnectedWords(
    _ stage: Stage, _ said: String?, _ settings: SSHSettings
  ) -> Words {
    let reason = said.map { "it said \"\($0)\"" } ?? "it gave no reason"
    let remedy: String
    switch stage {
    case .greet, .exchangeKeys:
      remedy =
        "look into the sshd log of the host; MaxStartups, fail2ban and hosts.deny end connections"
        + " this early"
    case .logIn: remedy = "look into the sshd log of the host"
    default: remedy = "check whether the host went down or sshd was restarted, then run it again"
    }
    return Words(
      summary: "\(settings.target) ended the connection \(stage.moment)", reason: reason,
      remedy: remedy)
  }
}

extension SSHError.Stage {
  /// What a server failed to do in time.
  fileprivate var deed: String {
    switch self {
    case .resolve: "resolve"
    case .dial: "accept the connection"
    case .greet: "say its ssh greeting"
    case .exchangeKeys: "finish the key exchange"
    case .logIn: "finish the login"
    case .open, .run: "answer"
    }
  }

  fileprivate var moment: String {
    switch self {
    case .resolve, .dial, .greet: "before its greeting"
    case .exchangeKeys: "during the key exchange"
    case .logIn: "during the login"
    case .open, .run: "while it was in use"
    }
  }
}

extension SSHSettings {
  /// `admin@10.0.0.7`, with the port where it is not the usual one.
  var target: String {
    "\(user)@\(port == 22 ? address : KnownHosts.name(host: address, port: port))"
  }
}

extension AlgorithmGap {
  fileprivate var words: SSHError.Words {
    if ours.isEmpty {
      return SSHError.Words(
        summary: "no \(purpose) algorithm is left to offer",
        reason: "ssh's configuration allows none of those that libssh2 can use",
        remedy: "see what ssh -G says about the host, and allow one more")
    }
    return SSHError.Words(
      summary: "no \(purpose) algorithm in common",
      reason: "the server offers \(offered.joined(separator: ", ")); "
        + (ours.isEmpty
          ? "the system's ssh uses none of them"
          : "this version can use \(ours.joined(separator: ", "))"),
      remedy: purpose == Algorithms.Purpose.hostKey.rawValue
        ? "make an ed25519 host key on the server: ssh-keygen -A, then restart sshd"
        : "let sshd_config on the server allow one of ours, or use a newer libssh2")
  }
}

// MARK: - Commands

extension SSHError {
  private func commandWords(_ settings: SSHSettings) -> Words {
    switch self {
    case .channelRefused(let detail):
      Words(
        summary: "\(settings.target) opens no channel for a command", reason: detail,
        remedy: "check MaxSessions in the host's sshd_config")
    case .commandTimedOut(let limit):
      Words(
        summary: "the command took longer than \(HelixSSH.words(limit))",
        reason: "it was ended on the host as far as possible",
        remedy: "check the host's load, then run it again")
    case .commandTooLong(let count):
      Words(
        summary: "the command is \(count) bytes long",
        reason: "at most \(RemoteScript.lengthLimit) bytes can travel as a command",
        remedy: "send it as the input of sh")
    case .inputUnreadable(let path, let reason):
      Words(summary: "cannot read \(path)", reason: reason, remedy: "check the file and its mode")
    case .notStarted(let status, let lines):
      Words(
        summary: "the host did not run the command",
        reason: lines.last.map { "it said \"\($0)\" and exit \(status)" } ?? "exit \(status)",
        remedy:
          "give \(settings.user) a login shell whose start-up files do not end it, and no forced"
          + " command in authorized_keys")
    case .ascent(let ascent, let problem): problem.words(ascent, settings)
    case .endUnseen:
      Words(
        summary: "the host did not tell how the command ended",
        reason: "its channel was closed before its end",
        remedy: "look into the sshd log of the host, then run it again")
    case .cannotStart(let program, let reason):
      Words(
        summary: "cannot start \(program)", reason: reason,
        remedy: program == "ssh"
          ? "install OpenSSH's client (openssh-client on Debian, openssh-clients on Fedora), or set"
            + " transport: libssh2 for the host"
          : "check that the program is there and may run")
    case .upload(let problem): problem.words
    case .library(let operation, let code, let detail):
      Words(
        summary: "ssh could not \(operation)", reason: "libssh2 says: \(detail) (\(code))",
        remedy: "look into the sshd log of the host")
    default: Words(summary: "ssh failed", reason: nil, remedy: nil)
    }
  }
}
