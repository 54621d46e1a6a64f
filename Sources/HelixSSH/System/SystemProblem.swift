/// What the system's `ssh` says about a host; it shows no keys, only their fingerprints.
enum SystemProblem: Hashable, Sendable {
  /// A host key as ssh tells of it.
  struct ShownKey: Hashable, Sendable {
    /// `ED25519`.
    var word: String
    var fingerprint: String
    var words: String { "\(word) \(fingerprint)" }
  }

  case unknownKey(ShownKey?)
  case changedKey(ShownKey?, known: [KnownHosts.Known])
  case notPinned(ShownKey?, pinned: HostKey)
  case revokedKey(ShownKey?, place: String?)
  /// A host's certificate that does not hold.
  case certificate(reason: String)
  /// ssh takes passwords only from a terminal or from a program that would have to be told them.
  case password
  /// What is not understood here, as it was said.
  case other([String])
}

extension SystemProblem {
  /// The same with what the files say about the host.
  func completed(with check: HostKeyCheck) -> SystemProblem {
    let answer = check.answer
    switch (self, check.pinned) {
    case (.changedKey(let key, _), let pinned?), (.unknownKey(let key), let pinned?):
      return .notPinned(key, pinned: pinned)
    case (.changedKey(let key, _), nil):
      return .changedKey(key, known: answer.keys + answer.portless)
    case (.revokedKey(let key, _), _):
      let revoked = answer.revoked.first { $0.key.fingerprint == key?.fingerprint }
      return .revokedKey(key, place: revoked?.place.description)
    default: return self
    }
  }

  /// What people read.
  func words(_ settings: SSHSettings) -> SSHError.Words {
    let name = settings.knownHostsName.full
    switch self {
    case .unknownKey(let key):
      return HostKeyProblem.unknownWords(
        key?.words ?? Self.unnamed, name, settings.userKnownHosts.first)
    case .changedKey(let key, let known):
      return HostKeyProblem.changedWords(key?.words ?? Self.unnamed, name, known)
    case .notPinned(let key, let pinned):
      return HostKeyProblem.pinWords(key?.words ?? Self.unnamed, name, pinned)
    case .revokedKey(let key, let place):
      return HostKeyProblem.revokedWords(
        key?.words ?? Self.unnamed, at: place ?? "a known_hosts file")
    case .certificate(let reason):
      return .init(
        summary: "the host certificate of \(name) is not trusted", reason: reason,
        remedy: "sign the host's key anew, or add the key itself to known_hosts")
    case .password:
      return .init(
        summary: "no password can be given to the system's ssh",
        reason: "the host has ansible_password and transport: ssh",
        remedy: "remove one of the two: libssh2 can log in with a password, ssh with a key")
    case .other(let lines):
      return .init(
        summary: "the system's ssh could not log in to \(settings.target)",
        reason: lines.isEmpty ? "it gave no reason" : lines.joined(separator: "; "),
        remedy: "try it: ssh -v -p \(settings.port) \(settings.user)@\(settings.address)")
    }
  }

  private static let unnamed = "a key"
}
