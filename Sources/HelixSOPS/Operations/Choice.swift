/// Which items of a file are encrypted, as upstream decides it.
enum Choice: Sendable {
  case rule(Selection)
  /// The pattern is none that SOPS can read, so it never matches.
  case ignored(RE2Problem, SelectionRule)

  init(_ rule: SelectionRule) {
    do throws(RE2Problem) {
      self = .rule(try Selection(rule))
    } catch {
      self = .ignored(error, rule)
    }
  }

  func selects(_ item: SOPSItem) -> Bool {
    switch self {
    case .rule(let selection): return selection.selects(item)
    case .ignored(_, let rule):
      switch rule {
      case .unencryptedRegex, .unencryptedCommentRegex, .unencryptedSuffix: return true
      case .encryptedRegex, .encryptedCommentRegex, .encryptedSuffix: return false
      }
    }
  }

  /// Refuses to write by a rule that SOPS ignores.
  func checkReadable(file: String) throws(SOPSProblem) {
    if case .ignored(let problem, let rule) = self { throw .rule(problem, rule, file: file) }
  }
}
