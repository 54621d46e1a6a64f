package import HelixModel

/// Reads recipients and identities as people and files write them.
package struct AgeKeys: Sendable {
  let ssh: (any SSHKeys)?
  let passphrase: AgePassphrase?

  /// - Parameters:
  ///   - ssh: what keys of SSH need; without it only ed25519 recipients are known
  ///   - passphrase: asks for the passphrases of locked keys; without it they are refused
  package init(ssh: (any SSHKeys)? = nil, passphrase: AgePassphrase? = nil) {
    (self.ssh, self.passphrase) = (ssh, passphrase)
  }

  /// The recipient that a text names: `age1…`, `age1pq1…`, `ssh-ed25519 …` or `ssh-rsa …`.
  ///
  /// - Throws: an `AgeProblem` that says what is wrong and does not quote the text, which may have
  ///   been meant to stay secret.
  package func recipient(_ text: String) throws(AgeProblem) -> any AgeRecipient {
    let low = text.prefix(80).lowercased()
    if low.hasPrefix("age-") || low.contains("private key") {
      throw .key("it is an identity, which must stay secret, where a recipient belongs")
    }
    if low.hasPrefix("ssh-") || low.hasPrefix("ecdsa-") || low.hasPrefix("sk-") {
      return try sshRecipient(text)
    }
    guard low.hasPrefix("age1") else { throw .key("it is neither a key of age nor of SSH") }
    let decoded = try Bech32.decode(text)
    switch decoded.prefix {
    case X25519Recipient.prefix: return try X25519Recipient(decoded.bytes)
    case HybridRecipient.prefix: return try HybridRecipient(decoded.bytes)
    case let other where other.hasPrefix("age1"):
      throw .key("it is for a plugin of age, and plugins are not supported")
    default: throw .key("it is not a recipient of age")
    }
  }

  private func sshRecipient(_ text: String) throws(AgeProblem) -> any AgeRecipient {
    guard let key = SSHPublicKey(text) else { throw .key("it is no public key of SSH") }
    switch key.algorithm {
    case SSHEd25519Recipient.stanzaType: return try SSHEd25519Recipient(key)
    case SSHRSARecipient.stanzaType:
      guard let ssh else { throw .key("RSA keys cannot be used here") }
      return try SSHRSARecipient(key, ssh)
    default: throw .key("of SSH's keys, only ed25519 and RSA can be encrypted for")
    }
  }

  /// The identity in one line of a key file: `AGE-SECRET-KEY-1…` or `AGE-SECRET-KEY-PQ-1…`.
  ///
  /// - Throws: an `AgeProblem` that says what is wrong and quotes nothing.
  package func identity(_ text: String) throws(AgeProblem) -> any AgeIdentity {
    if text.hasPrefix("age1") || text.hasPrefix("ssh-") {
      throw .key("it is a recipient where an identity belongs")
    }
    guard text.uppercased().hasPrefix("AGE-") else { throw .key("it is not an identity of age") }
    var decoded = try Bech32.decode(text)
    let secret = AgeSecret.taking(&decoded.bytes)
    switch decoded.prefix {
    case X25519Identity.prefix: return try X25519Identity(secret)
    case HybridIdentity.prefix: return try HybridIdentity(secret)
    case let other where other.hasPrefix("AGE-PLUGIN-"):
      throw .key("it is for a plugin of age, and plugins are not supported")
    default: throw .key("it is not an identity of age")
    }
  }
}
