/// A secret's bytes, which no description, log or encoder can show by accident.
package struct SecretValue: Sendable, Hashable {
  private let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }
  package init(_ text: String) { bytes = Array(text.utf8) }

  /// Hands the bytes to the one place that writes them.
  package func reveal() -> [UInt8] { bytes }
}

extension SecretValue: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "‹secret›" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Looks secrets up by name.
package protocol SecretStore: Sendable {
  /// - Throws: a `Diagnostic` when the name is unknown or its place is not safe; never a guess,
  ///   never a new value because reading failed.
  func value(of name: SecretName) throws -> SecretValue
}

/// Compares secrets without showing them.
///
/// The fingerprint of a value is `sha256(key ":" sha256(key ":" value))`, each hash in lower-case
/// hex. The key is 64 hex digits, drawn once per estate, so that a fingerprint seen in a plan says
/// nothing about a short secret; two hashes, one inside the other, so that nothing can be appended
/// to a value whose fingerprint is known. A host computes it for its own copy with `sha256sum`
/// alone, in any shell whose `printf` is built in (then no argv holds the key):
///
///     IFS= read -r key
///     inner=$({ printf '%s:' "$key"; cat FILE; } | sha256sum | cut -c1-64)
///     printf '%s:%s' "$key" "$inner" | sha256sum | cut -c1-64
package protocol Fingerprinter: Sendable {
  /// Travels to hosts on standard input only.
  var key: SecretValue { get }
  /// The fingerprint of text after its secrets are filled in.
  ///
  /// - Throws: a `Diagnostic` when a secret is unknown; nil when a part is still to be learned.
  func fingerprint(of text: TemplateText) throws(Diagnostic) -> String?
  /// The plain SHA-256 of text, in lower-case hex.
  func digest(of text: String) -> String
}

/// What was shown of the age identities before a cluster gets them.
package struct IdentityProof: Hashable, Sendable, Codable {
  /// The public keys of the identities, in the order of their file.
  package var recipients: [String]
  /// The files of the repository that are encrypted for an age recipient and that they open.
  package var files: Int
  /// The files that were decrypted whole, one for every rule.
  package var decrypted: [String]
  /// Why the cluster could not decrypt with them what it should.
  package var problems: [Diagnostic]

  package init(
    recipients: [String] = [], files: Int = 0, decrypted: [String] = [],
    problems: [Diagnostic] = []
  ) {
    self.recipients = recipients
    self.files = files
    self.decrypted = decrypted
    self.problems = problems
  }
}

extension SecretName {
  /// The file of age identities that cluster.yaml names, as a whole.
  package static let ageIdentities = SecretName("age identities")
}
