extension HostKeyProblem {
  /// What people read.
  func words(_ settings: SSHSettings) -> SSHError.Words {
    switch self {
    case .unknown(let key, let name, let file): Self.unknownWords(key.words, name, file)
    case .changed(let key, let name, let known): Self.changedWords(key.words, name, known)
    case .revoked(let key, let place): Self.revokedWords(key.words, at: "\(place)")
    case .onlyAuthority(let name, let place):
      .init(
        summary: "the host key of \(name) is only known through a certificate authority",
        reason:
          "\(place) is a @cert-authority line, and this version cannot check host certificates",
        remedy: "add the host's own key to known_hosts")
    case .onlyUnsupported(let name, let known):
      .init(
        summary: "the known host key of \(name) cannot be checked",
        reason: "this libssh2 can only check ed25519 and ecdsa keys, but known are"
          + " \(Self.list(known))",
        remedy: "add the host's ed25519 key to known_hosts, after comparing it with ssh-keygen -lf"
          + " on the host")
    case .unreadable(let path, let reason):
      .init(summary: "cannot read \(path)", reason: reason, remedy: "check the file and its mode")
    case .unwritable(let path, let reason):
      .init(
        summary: "cannot write the new host key to \(path)", reason: reason,
        remedy: "check the file and its mode")
    }
  }

  /// About a key, in words, that no file has.
  static func unknownWords(_ shown: String, _ name: String, _ file: String?) -> SSHError.Words {
    .init(
      summary: "the host key of \(name) is not known",
      reason: "it shows \(shown), which no known_hosts file has",
      remedy: "compare it with ssh-keygen -lf on the host, then add it to"
        + " \(file ?? "known_hosts"), or run once with --accept-new-host-keys, which"
        + " StrictHostKeyChecking=yes in the inventory outweighs")
  }

  /// About a key, in words, that is not the one the files have.
  static func changedWords(
    _ shown: String, _ name: String, _ known: [KnownHosts.Known]
  ) -> SSHError.Words {
    .init(
      summary: "the host key of \(name) has changed",
      reason: "it shows \(shown), but known are \(list(known));"
        + " somebody may be answering in its place",
      remedy: "if the host was installed anew, remove the old key with: \(removal(name, known))")
  }

  /// About a key, in words, that a file says not to trust.
  static func revokedWords(_ shown: String, at place: String) -> SSHError.Words {
    .init(
      summary: "the host key is revoked", reason: "\(place) marks \(shown) as @revoked",
      remedy: "give the host a new key")
  }

  private static func list(_ known: [KnownHosts.Known]) -> String {
    known.map { "\($0.key.word) \($0.key.fingerprint) (\($0.place))" }.joined(separator: ", ")
  }

  private static func removal(_ name: String, _ known: [KnownHosts.Known]) -> String {
    let files = Set(known.map(\.place.file)).sorted()
    return files.map { "ssh-keygen -R '\(name)' -f \($0)" }.joined(separator: " && ")
  }
}

extension HostKey {
  /// `ED25519 SHA256:…`.
  fileprivate var words: String { "\(word) \(fingerprint)" }
}

extension KeyFileProblem {
  /// The same in one line, for lists of what was tried.
  var summary: String {
    switch self {
    case .missing(let path): "\(path): no such file"
    case .unreadable(let path, let reason): "\(path): \(reason)"
    case .tooOpen(let path, let mode): "\(path): mode \(String(mode, radix: 8)) lets others read it"
    case .encrypted(let path): "\(path): has a passphrase, and the agent does not hold it"
    case .rsa(let path): "\(path): RSA keys work only through an agent"
    case .unsupported(let path, let algorithm): "\(path): \(algorithm) keys are not supported yet"
    case .malformed(let path): "\(path): not a private key"
    }
  }

  /// What people read.
  var words: SSHError.Words {
    switch self {
    case .missing(let path):
      .init(
        summary: "no private key at \(path)", reason: "it is the key named for this host",
        remedy:
          "name the private key, not its public half, in ansible_ssh_private_key_file; load it"
          + " into an agent; or make one with ssh-keygen -t ed25519")
    case .unreadable(let path, let reason):
      .init(
        summary: "cannot read the private key \(path)", reason: reason,
        remedy: "check the file and its owner")
    case .tooOpen(let path, let mode):
      .init(
        summary: "the private key \(path) is open to others",
        reason: "its mode is \(String(mode, radix: 8)), so other users of this machine can read it",
        remedy: "chmod 600 \(path)")
    case .encrypted(let path):
      .init(
        summary: "the private key \(path) has a passphrase",
        reason: "the agent does not hold it, and this version does not ask for passphrases",
        remedy: "load it into the agent: ssh-add \(path)")
    case .rsa(let path):
      .init(
        summary: "the private key \(path) is an RSA key",
        reason: "libssh2 1.10 signs with RSA files only by SHA-1, which servers refuse",
        remedy: "load it into the agent: ssh-add \(path), or use an ed25519 key")
    case .unsupported(let path, let algorithm):
      .init(
        summary: "the private key \(path) is of a sort that cannot be used yet",
        reason: "it is \(algorithm)", remedy: "use an ed25519 or ecdsa key")
    case .malformed(let path):
      .init(
        summary: "\(path) is not a private key", reason: "it has neither OpenSSH nor PEM form",
        remedy: "name the file that ssh-keygen wrote, without .pub")
    }
  }
}

extension LoginAttempts {
  /// The server refused every key.
  func refusedWords(_ settings: SSHSettings) -> SSHError.Words {
    var reasons = ["it refused \(refused.joined(separator: ", "))"]
    if let farewell { reasons.append("then hung up: \(farewell)") }
    if !serverTakes.isEmpty {
      reasons.append("it would take \(serverTakes.joined(separator: ", "))")
    }
    if !skipped.isEmpty { reasons.append("not tried: \(skipped.joined(separator: "; "))") }
    let tooMany = farewell != nil && refused.count > 1
    return .init(
      summary: "\(settings.target) refused the login", reason: reasons.joined(separator: "; "),
      remedy: tooMany
        ? "name the right key with ansible_ssh_private_key_file and -o IdentitiesOnly=yes"
        : "add the public key to ~\(settings.user)/.ssh/authorized_keys on the host, or correct"
          + " ansible_user")
  }

  /// There was nothing to show to the server.
  func noKeysWords(_ settings: SSHSettings) -> SSHError.Words {
    var reasons = ["no key could be tried: \(skipped.joined(separator: "; "))"]
    if !serverTakes.isEmpty {
      reasons.append("it would take \(serverTakes.joined(separator: ", "))")
    }
    return .init(
      summary: "no key to log in to \(settings.target) with",
      reason: reasons.joined(separator: "; "),
      remedy: "set ansible_ssh_private_key_file, or load a key into the agent with ssh-add")
  }
}
