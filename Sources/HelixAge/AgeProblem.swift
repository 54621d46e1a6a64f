/// Why a file cannot be opened or made; cases as the test vectors of age tell them apart.
///
/// The texts say what is wrong in the middle of a sentence and never quote a secret.
package enum AgeProblem: Error, Hashable, Sendable {
  case armor(String)
  case header(String)
  /// None of the identities opens it.
  case noMatch
  case hmac
  /// The payload is damaged or cut; what was released before is sound.
  case payload(String)
  /// A recipient or identity makes no sense, or cannot stand beside the others.
  case key(String)
}
