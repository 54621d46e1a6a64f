/// Reads recipients and identities as people and files write them.
package struct AgeKeys: Sendable {
  package init() {}

  /// The recipient that a text names.
  ///
  /// - Throws: an `AgeProblem` that says what is wrong and does not quote the text, which may have
  ///   been meant to stay secret.
  package func recipient(_ text: String) throws(AgeProblem) -> any AgeRecipient {
    if text.lowercased().hasPrefix("age-") {
      throw .key("it is an identity, which must stay secret, where a recipient belongs")
    }
    guard text.hasPrefix("age1") else { throw .key("it is neither a key of age nor of SSH") }
    let decoded = try Bech32.decode(text)
    switch decoded.prefix {
    case X25519Recipient.prefix: return try X25519Recipient(decoded.bytes)
    case HybridRecipient.prefix: return try HybridRecipient(decoded.bytes)
    default: throw .key("it is for a plugin of age, and plugins are not supported")
    }
  }

  /// The identity in one line of a key file.
  ///
  /// - Throws: an `AgeProblem` that says what is wrong and quotes nothing.
  package func identity(_ text: String) throws(AgeProblem) -> any AgeIdentity {
    if text.hasPrefix("age1") || text.hasPrefix("ssh-") {
      throw .key("it is a recipient where an identity belongs")
    }
    guard text.hasPrefix("AGE-") else { throw .key("it is not an identity of age") }
    var decoded = try Bech32.decode(text)
    let secret = AgeSecret.taking(&decoded.bytes)
    switch decoded.prefix {
    case X25519Identity.prefix: return try X25519Identity(secret)
    case HybridIdentity.prefix: return try HybridIdentity(secret)
    default: throw .key("it is for a plugin of age, and plugins are not supported")
    }
  }
}
