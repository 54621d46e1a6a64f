/// Which values of a file are encrypted; a file has exactly one rule.
///
/// Every component of a path is looked at, so a match high up covers what is below.
package enum SelectionRule: Hashable, Sendable {
  case unencryptedSuffix(String)
  case encryptedSuffix(String)
  case unencryptedRegex(String)
  case encryptedRegex(String)
  case unencryptedCommentRegex(String)
  case encryptedCommentRegex(String)

  /// What holds when nothing is said.
  package static let standard = SelectionRule.unencryptedSuffix("_unencrypted")
}
