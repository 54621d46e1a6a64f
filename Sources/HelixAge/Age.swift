/// What one file's key is wrapped for; see the age specification, "Recipient stanza".
package protocol AgeRecipient: Sendable {
  /// The recipient as people and headers write it, such as `age1…` or `ssh-ed25519 AAAA…`.
  var text: String { get }
  /// - Throws: an `AgeProblem` when this recipient cannot take a key.
  func wrap(_ fileKey: AgeFileKey) throws(AgeProblem) -> AgeStanza
  /// Labels that every recipient of a file must share, so that a weak one does not undo a strong one.
  var labels: Set<String> { get }
}

/// What opens files; its description never shows the key.
package protocol AgeIdentity: Sendable {
  /// The recipients whose files it opens, as text; empty for a passphrase.
  var recipients: [String] { get }
  /// The file key in one of the stanzas; nil when none is for this identity.
  ///
  /// - Throws: an `AgeProblem` when a stanza for it is malformed.
  func unwrap(_ stanzas: [AgeStanza]) throws(AgeProblem) -> AgeFileKey?
}
