/// Names with `*` and `?`, as ssh's configuration compares them.
enum ConfigPattern {
  /// How a list of patterns judges a name.
  enum Verdict { case matches, excluded, neither }

  /// Whether one pattern fits the whole name.
  static func matches(_ pattern: String, _ name: String) -> Bool {
    KnownHosts.matches(pattern: pattern[...].utf8, name[...].utf8)
  }

  /// Patterns separated by commas; one with `!` that fits outweighs all others.
  static func judge(_ list: String, _ name: String) -> Verdict {
    var verdict = Verdict.neither
    for pattern in list.split(separator: ",", omittingEmptySubsequences: false) {
      if pattern.hasPrefix("!") {
        if matches(String(pattern.dropFirst()), name) { return .excluded }
      } else if matches(String(pattern), name) {
        verdict = .matches
      }
    }
    return verdict
  }

  /// The same for names of hosts, which know no case.
  static func judge(host list: String, _ name: String) -> Verdict {
    judge(list.lowercased(), name.lowercased())
  }
}

/// One of a `Host` line's patterns.
struct HostPattern: Sendable {
  let text: String
  let isNegated: Bool

  init(_ text: String) {
    isNegated = text.hasPrefix("!")
    self.text = isNegated ? String(text.dropFirst()) : text
  }

  /// Whether a line's patterns choose a host: one fits, and none before or after says otherwise.
  static func choose(_ patterns: [HostPattern], _ host: String) -> Bool {
    var isChosen = false
    for pattern in patterns where ConfigPattern.matches(pattern.text, host) {
      if pattern.isNegated { return false }
      isChosen = true
    }
    return isChosen
  }
}
