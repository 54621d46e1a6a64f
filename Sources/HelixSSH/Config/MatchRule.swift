import HelixModel

/// The criteria of a `Match` line.
struct MatchRule: Sendable {
  /// What a criterion looks at.
  enum Subject: String, Sendable, CaseIterable {
    case all, canonical, final, host, originalhost, user, localuser, exec
    // Of OpenSSH versions after 9.2.
    case localnetwork, tagged, command, sessiontype, version

    var takesValue: Bool { ![.all, .canonical, .final].contains(self) }
  }

  struct Criterion: Sendable {
    let subject: Subject
    let isNegated: Bool
    let value: String
  }

  let criteria: [Criterion]
  let location: SourceLocation

  /// Whether the configuration has to be read once more when the host's final name is known.
  var wantsFinalPass: Bool { criteria.contains { $0.subject == .final } }

  /// What is known about a host while its configuration is being read.
  struct Situation {
    let host: String
    let originalHost: String
    let user: String
    let localUser: String
    let isFinal: Bool
  }

  /// Whether all criteria hold; nil when that cannot be told without running a program.
  func holds(in situation: Situation) -> Bool? {
    var isUnknown = false
    for criterion in criteria {
      guard let answer = Self.answer(criterion, situation) else {
        isUnknown = true
        continue
      }
      if answer == criterion.isNegated { return false }
    }
    return isUnknown ? nil : true
  }

  /// Whether a subject is known only to the `ssh` program itself, or to programs it would run.
  static func isUndecidable(_ subject: Subject) -> Bool {
    [.exec, .localnetwork, .tagged, .command, .sessiontype, .version].contains(subject)
  }

  private static func answer(_ criterion: Criterion, _ situation: Situation) -> Bool? {
    let value = criterion.value
    switch criterion.subject {
    case .all: return true
    case .canonical, .final: return situation.isFinal
    case .host: return ConfigPattern.judge(host: value, situation.host) == .matches
    case .originalhost:
      return ConfigPattern.judge(host: value, situation.originalHost) == .matches
    case .user: return ConfigPattern.judge(value, situation.user) == .matches
    case .localuser: return ConfigPattern.judge(value, situation.localUser) == .matches
    case .exec, .localnetwork, .tagged, .command, .sessiontype, .version: return nil
    }
  }
}

extension MatchRule {
  /// Reads the criteria of a line.
  ///
  /// - Throws: a `Diagnostic` for what OpenSSH would refuse too.
  init(_ line: ConfigLine) throws(Diagnostic) {
    var words = line.criteria()[...]
    var criteria: [Criterion] = []
    while let word = words.popFirst() {
      guard let word else {
        throw Self.malformed("has a quotation mark that is never closed", line)
      }
      guard !word.value.isEmpty else { break }
      guard !word.value.hasPrefix("#") else { break }
      let isNegated = word.value.hasPrefix("!")
      let name = isNegated ? String(word.value.dropFirst()) : word.value
      guard let subject = Subject(rawValue: name.lowercased()) else {
        throw Diagnostic(
          "\"\(name)\" is no criterion of Match", reason: "ssh would refuse the file, too",
          remedy: suggestion(for: name, among: Subject.allCases.map(\.rawValue)),
          at: word.location)
      }
      var value = ""
      if subject.takesValue { value = try Self.value(after: word, &words) }
      criteria.append(Criterion(subject: subject, isNegated: isNegated, value: value))
      if subject == .all {
        try Self.checkAlone(word, criteria, words)
        break
      }
    }
    guard !criteria.isEmpty else { throw Self.malformed("names no criterion", line) }
    self.init(criteria: criteria, location: line.keyword.location)
  }

  private static func value(
    after word: Located<String>, _ words: inout ArraySlice<Located<String>?>
  ) throws(Diagnostic) -> String {
    guard let next = words.popFirst(), let value = next?.value, !value.isEmpty,
      !value.hasPrefix("#")
    else {
      throw Diagnostic(
        "the criterion \"\(word.value)\" has no value", reason: "ssh would refuse the file, too",
        remedy: "write what it has to be after it", at: word.location)
    }
    return value
  }

  private static func checkAlone(
    _ word: Located<String>, _ criteria: [Criterion], _ rest: ArraySlice<Located<String>?>
  ) throws(Diagnostic) {
    let next = rest.first.flatMap { $0?.value } ?? ""
    guard criteria.count > 2 || !next.isEmpty && !next.hasPrefix("#") else { return }
    throw Diagnostic(
      "\"\(word.value)\" stands beside other criteria",
      reason: "everything matches it, so ssh lets it stand alone only",
      remedy: "remove it, or the others", at: word.location)
  }

  private static func malformed(_ what: String, _ line: ConfigLine) -> Diagnostic {
    Diagnostic(
      "Match \(what)", reason: "ssh would refuse the file, too",
      remedy: "write for example: Match host *.example.org", at: line.keyword.location)
  }
}
