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
        reason: "\(place) is a @cert-authority line, and \(SigningKey.library) cannot check host"
          + " certificates",
        remedy: "leave out transport: libssh2, so that the system's ssh is used, or add the host's"
          + " own key to known_hosts")
    case .onlyUnsupported(let name, let known):
      .init(
        summary: "the known host key of \(name) cannot be checked",
        reason: "\(SigningKey.library) can only check ed25519 and ecdsa keys, but known are"
          + " \(Self.list(known))",
        remedy: "leave out transport: libssh2, so that the system's ssh is used, or add the host's"
          + " ed25519 key to known_hosts, after comparing it with ssh-keygen -lf on the host")
    case .notPinned(let key, let name, let pinned): Self.pinWords(key.words, name, pinned)
    case .pinUnsupported(let pinned, let name):
      .init(
        summary: "the pinned host key of \(name) cannot be checked",
        reason: "\(SigningKey.library) can only check ed25519 and ecdsa keys, but host_key says"
          + " \(pinned.word) \(pinned.fingerprint)",
        remedy: "leave out transport: libssh2, so that the system's ssh is used, or write the"
          + " host's ed25519 key as host_key")
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

  /// About a key, in words, that is not the one the inventory has.
  static func pinWords(_ shown: String, _ name: String, _ pinned: HostKey) -> SSHError.Words {
    .init(
      summary: "the host key of \(name) is not the one in the inventory",
      reason: "it shows \(shown), but host_key says \(pinned.words); somebody may be answering in"
        + " its place",
      remedy: "if the host was installed anew, compare the key with ssh-keygen -lf on the host,"
        + " then correct host_key in the inventory")
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

extension HostKeyProblem {
  /// What the system's `ssh` would be needed for; nil when it could do no better.
  var systemReason: String? {
    switch self {
    case .onlyAuthority(let name, let place):
      "\(name) is known only through the @cert-authority of \(place), and \(SigningKey.library)"
        + " cannot check host certificates"
    case .onlyUnsupported(let name, let known):
      "\(SigningKey.library) cannot check the known host key of \(name): \(Self.list(known))"
    case .pinUnsupported(let pinned, let name):
      "\(SigningKey.library) cannot check the pinned host key of \(name): \(pinned.word)"
        + " \(pinned.fingerprint)"
    default: nil
    }
  }
}
