package import HelixModel

/// What one file's key is wrapped for; see the age specification, "Recipient stanza".
package protocol AgeRecipient: Sendable {
  /// The recipient as people and headers write it, such as `age1…` or `ssh-ed25519 AAAA…`; empty for
  /// a passphrase.
  var text: String { get }
  /// Labels that every recipient of a file must share, so that a weak one does not undo a strong one.
  var labels: Set<String> { get }
  /// - Throws: an `AgeProblem` when this recipient cannot take a key.
  func wrap(_ fileKey: AgeFileKey) throws(AgeProblem) -> AgeStanza
}

/// What opens files; its description never shows the key.
package protocol AgeIdentity: Sendable {
  /// The recipients whose files it opens, as text; empty for a passphrase.
  var recipients: [String] { get }
  /// Somebody may have to be asked before it opens anything, so that it is tried after the others.
  var asks: Bool { get }
  /// The identity as a line of a key file; nil for what cannot stand in one.
  var keyText: SecretValue? { get }
  /// The file key in one of the stanzas; nil when none is for this identity.
  ///
  /// - Throws: an `AgeProblem` when a stanza for it is malformed.
  func unwrap(_ stanzas: [AgeStanza]) throws(AgeProblem) -> AgeFileKey?
}

extension AgeIdentity {
  package var asks: Bool { false }
  package var keyText: SecretValue? { nil }
}

/// Asks somebody for a passphrase and says what it is for; nil when there is no answer.
package typealias AgePassphrase = @Sendable (_ purpose: String) -> SecretValue?
