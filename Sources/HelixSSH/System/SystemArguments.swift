import HelixModel

/// What the system's `ssh` is told to become the master of one host's connection.
///
/// ssh takes the first value of an option, so what must hold comes first, then what the inventory
/// says; the rest it finds in its own configuration.
struct SystemArguments: Sendable {
  let settings: SSHSettings
  let folder: PrivateFolder
  /// ssh may ask for passphrases by a program of the user's own.
  let mayAsk: Bool

  /// The arguments after the program's name.
  var list: [String] {
    ["-M", "-N", "-S", folder.socket] + options.flatMap { ["-o", "\($0)=\($1)"] } + destination
  }

  private var options: [(String, String)] {
    fixed + trust + [
      ("ConnectTimeout", String(max(1, settings.connectTimeout.components.seconds))),
      ("ServerAliveInterval", String(settings.aliveInterval.components.seconds)),
      ("ServerAliveCountMax", String(settings.aliveCount)),
    ] + identities
  }

  /// No terminal, no forwards and nothing that runs by itself, on either side.
  private var fixed: [(String, String)] {
    [
      ("IgnoreUnknown", "KnownHostsCommand,ForkAfterAuthentication,SessionType,StdinNull"),
      ("BatchMode", mayAsk ? "no" : "yes"), ("NumberOfPasswordPrompts", "1"),
      // Failures are understood from what ssh tells about the login.
      ("LogLevel", "DEBUG1"),
      ("ControlPersist", "no"), ("ForkAfterAuthentication", "no"), ("ClearAllForwardings", "yes"),
      ("ForwardAgent", "no"), ("ForwardX11", "no"), ("Tunnel", "no"), ("RequestTTY", "no"),
      ("RemoteCommand", "none"), ("PermitLocalCommand", "no"), ("EscapeChar", "none"),
      ("ConnectionAttempts", "1"), ("PasswordAuthentication", "no"),
    ]
  }

  /// The same rules for host keys as ours.
  private var trust: [(String, String)] {
    let isPinned = settings.pinnedKey != nil
    let policy = settings.hostKeyPolicy == .acceptNew && !isPinned ? "accept-new" : "yes"
    var options = [
      ("StrictHostKeyChecking", policy),
      ("UserKnownHostsFile", files(isPinned ? [folder.knownHosts] : settings.userKnownHosts)),
      ("GlobalKnownHostsFile", files(isPinned ? [] : settings.globalKnownHosts)),
      ("KnownHostsCommand", "none"), ("CheckHostIP", "no"), ("UpdateHostKeys", "no"),
      ("VerifyHostKeyDNS", "no"), ("NoHostAuthenticationForLocalhost", "no"),
    ]
    if let alias = settings.hostKeyAlias { options.append(("HostKeyAlias", alias)) }
    return options
  }

  private var identities: [(String, String)] {
    var options = [("IdentityAgent", settings.agentSocket.map(path) ?? "none")]
    options += settings.identityFiles.map { ("IdentityFile", path($0)) }
    options += settings.certificateFiles.map { ("CertificateFile", path($0)) }
    if settings.identitiesOnly { options.append(("IdentitiesOnly", "yes")) }
    return options
  }

  private var destination: [String] {
    var words = ["-l", settings.user, "-p", String(settings.port)]
    switch settings.family {
    case .any: break
    case .v4: words.append("-4")
    case .v6: words.append("-6")
    }
    if let command = settings.proxyCommand {
      // Its tokens are filled in already.
      words += ["-o", "ProxyCommand=\(command.replacing("%", with: "%%"))"]
    } else if !settings.jumps.isEmpty {
      words += [
        "-J", settings.jumps.map { "\($0.user)@\($0.address):\($0.port)" }.joined(separator: ","),
      ]
    }
    return words + ["--", settings.address]
  }

  private func files(_ paths: [String]) -> String {
    paths.isEmpty ? "none" : paths.map(path).joined(separator: " ")
  }

  /// A path as a value: no token of ssh's own, and its spaces kept.
  private func path(_ path: String) -> String {
    "\"\(path.replacing("%", with: "%%"))\""
  }
}
