/// Decides whether a host's key is trusted, and which algorithms to ask the host for.
struct HostKeyCheck: Sendable {
  /// What to do with a key.
  enum Verdict: Hashable, Sendable {
    case trusted
    /// Unknown, and the user asked for new keys to be taken.
    case acceptNew
    case refused(HostKeyProblem)
  }

  /// The name that known_hosts has, or would have, for the host.
  let name: String
  let answer: KnownHosts.Answer
  let policy: HostKeyPolicy
  /// The file an unknown key would go into, for the words of an error.
  let file: String?
  /// The only key that counts; it stands in the inventory.
  var pinned: HostKey?

  /// The algorithms to ask for, those of known keys first; a host that has a key we know must show
  /// that one, whatever it would prefer.
  func algorithms(supported: [String]) -> Result<[String], HostKeyProblem> {
    if let refusal = refusalBeforeMeeting(supported: supported) { return .failure(refusal) }
    let wanted = Self.preferred.filter(supported.contains)
    if let pinned {
      return .success(wanted.filter(Self.signatures(with: pinned.algorithm).contains))
    }
    let held = (answer.keys + answer.portless).flatMap { Self.signatures(with: $0.key.algorithm) }
    return .success(wanted.filter(held.contains) + wanted.filter { !held.contains($0) })
  }

  private func refusalBeforeMeeting(supported: [String]) -> HostKeyProblem? {
    func isUsable(_ key: HostKey) -> Bool {
      Self.signatures(with: key.algorithm).contains {
        supported.contains($0) && Self.preferred.contains($0)
      }
    }
    if let pinned {
      return isUsable(pinned) ? nil : .pinUnsupported(pinned, name: name)
    }
    if answer.keys.isEmpty, answer.portless.isEmpty, let place = answer.authorities.first {
      return .onlyAuthority(name: name, at: place)
    }
    return answer.keys.isEmpty || answer.keys.contains { isUsable($0.key) }
      ? nil : .onlyUnsupported(name: name, known: answer.keys)
  }

  /// Judges the key that the host has shown.
  func verdict(on key: HostKey) -> Verdict {
    if let revoked = answer.revoked.first(where: { $0.key == key }) {
      return .refused(.revoked(key, at: revoked.place))
    }
    if let pinned {
      return key == pinned ? .trusted : .refused(.notPinned(key, name: name, pinned: pinned))
    }
    if (answer.keys + answer.portless).contains(where: { $0.key == key }) { return .trusted }
    guard answer.keys.isEmpty else {
      return .refused(.changed(key, name: name, known: answer.keys))
    }
    switch policy {
    case .strict: return .refused(.unknown(key, name: name, file: file))
    case .acceptNew: return .acceptNew
    }
  }

  /// Without SHA-1 and DSA, which no host should still need.
  static let preferred = [
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
    "rsa-sha2-512", "rsa-sha2-256",
  ]

  /// The signature algorithms that a key of some type can be asked for with.
  private static func signatures(with algorithm: String) -> [String] {
    algorithm == "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [algorithm]
  }
}

extension HostKeyProblem: Error {}

/// What happens to a key that no file knows.
package enum HostKeyPolicy: Hashable, Sendable {
  /// It is refused.
  case strict
  /// It is written down and trusted from then on.
  case acceptNew
}
