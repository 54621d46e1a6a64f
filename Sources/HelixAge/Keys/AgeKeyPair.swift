package import HelixModel

/// A new identity and its recipient.
package struct AgeKeyPair: Sendable {
  /// Sorts of keys that can be made.
  package enum Sort: Sendable {
    case x25519
    /// Holds against quantum computers, too.
    case hybrid
  }

  /// The public half, `age1…`.
  package let recipient: String
  /// The secret half, `AGE-SECRET-KEY-…`.
  package let identity: SecretValue

  /// A key pair from chance, which must be the system's but in tests.
  package init(_ sort: Sort, using generator: inout some RandomNumberGenerator) throws(AgeProblem) {
    let secret = AgeSecret(count: 32) { memory in
      for place in memory.indices { memory[place] = generator.next() }
    }
    switch sort {
    case .x25519:
      let made = try X25519Identity(secret)
      (recipient, identity) = (made.recipient.text, made.text)
    case .hybrid:
      let made = try HybridIdentity(secret)
      (recipient, identity) = (made.recipient.text, made.text)
    }
  }

  /// The text of a key file as `age-keygen` writes it, with the time as RFC 3339.
  package func keyFile(created: String) -> SecretValue {
    let head = "# created: \(created)\n# public key: \(recipient)\n"
    return SecretValue(Array(head.utf8) + identity.reveal() + [0x0a])
  }
}
