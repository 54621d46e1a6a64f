/// Tells which values of a file are encrypted, by the file's rule.
package struct Selection: Sendable {
  private enum Test: Sendable {
    case suffix(String, selects: Bool)
    case pattern(RE2Pattern, selects: Bool)
    case comment(RE2Pattern, selects: Bool)
  }

  /// The rule it was made of.
  package let rule: SelectionRule
  private let test: Test

  /// Reads the rule's pattern.
  ///
  /// - Throws: what RE2 refuses; SOPS would go on as if the pattern never matched.
  package init(_ rule: SelectionRule) throws(RE2Problem) {
    self.rule = rule
    test =
      switch rule {
      case .unencryptedSuffix(let suffix): .suffix(suffix, selects: false)
      case .encryptedSuffix(let suffix): .suffix(suffix, selects: true)
      case .unencryptedRegex(let text): .pattern(try RE2Pattern(text), selects: false)
      case .encryptedRegex(let text): .pattern(try RE2Pattern(text), selects: true)
      case .unencryptedCommentRegex(let text): .comment(try RE2Pattern(text), selects: false)
      case .encryptedCommentRegex(let text): .comment(try RE2Pattern(text), selects: true)
      }
  }

  /// Whether a value is encrypted, by the keys from the root, of which any counts, and the comments
  /// before the value and before what holds it.
  package func selects(keys: [String], comments: [[UInt8]]) -> Bool {
    switch test {
    // Swift compares text by what letters look like, SOPS by bytes.
    case .suffix(let suffix, let selects):
      selects
        == keys.contains { Array($0.utf8).suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }
    case .pattern(let pattern, let selects): selects == keys.contains { pattern.matches($0) }
    case .comment(let pattern, let selects): selects == comments.contains { pattern.matches($0) }
    }
  }

  /// Whether a value or comment of a document is encrypted.
  ///
  /// A comment is looked at itself where it says what stays plain, and not where it says what
  /// becomes secret: then it would hide what it is there to say.
  package func selects(_ item: SOPSItem) -> Bool {
    guard case .comment(let text) = item.value, case .comment(_, selects: false) = test else {
      return selects(keys: item.keys, comments: item.comments)
    }
    return selects(keys: item.keys, comments: item.comments + [text])
  }
}
