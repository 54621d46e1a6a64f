package import HelixModel

/// Why a pattern is not one that RE2, and with it SOPS, can read.
package struct RE2Problem: Error, Hashable, Sendable {
  /// The whole pattern; patterns are never secret.
  package internal(set) var pattern: String
  /// Where the trouble begins, counted in Unicode scalars from nought.
  package let offset: Int
  /// How many scalars it spans, at least one.
  package let length: Int
  /// What cannot be read, in lower case.
  package let summary: String
  package let reason: String
  package let remedy: String

  init(
    _ summary: String, reason: String, remedy: String, at offset: Int, length: Int = 1
  ) {
    pattern = ""
    self.offset = offset
    self.length = max(1, length)
    self.summary = summary
    self.reason = reason
    self.remedy = remedy
  }
}

extension RE2Problem {
  /// The problem in words, for the field that the pattern is the value of, with what SOPS would make
  /// of it.
  package func diagnostic(in field: String, danger: String, at location: SourceLocation)
    -> Diagnostic
  {
    Diagnostic(
      "\(field) is not a pattern SOPS can read: \(summary), at character \(offset + 1)",
      reason: "\(reason); \(danger)", remedy: remedy, at: location)
  }
}

extension SelectionRule {
  /// What SOPS makes of a pattern that it cannot read: it says nothing and takes it as never
  /// matching.
  package var dangerOfBadPattern: String {
    switch self {
    case .encryptedRegex, .encryptedCommentRegex:
      "SOPS would ignore it without a word and leave every value in plain text"
    case .unencryptedRegex, .unencryptedCommentRegex:
      "SOPS would ignore it without a word and encrypt every value"
    case .unencryptedSuffix, .encryptedSuffix:
      "SOPS would not look at it"
    }
  }
}
