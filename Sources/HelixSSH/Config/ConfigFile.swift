import HelixModel

/// A configuration file of ssh as a list of statements, the same for all hosts.
struct ConfigFile: Sendable {
  /// A line that says something.
  enum Statement: Sendable {
    case host([HostPattern])
    case match(MatchRule)
    case include([ConfigFile])
    case set(ConfigSetting.Effect)
    /// An error unless `IgnoreUnknown` names it, which may depend on the host.
    case unknown(Located<String>)
  }

  let statements: [Statement]
}

/// Reads what the files say about one host, in the order in which ssh would.
struct ConfigReading {
  private(set) var options: SSHOptions
  private(set) var problems: [Diagnostic] = []
  private(set) var wantsFinalPass = false
  private let original: String
  private let local: LocalUser
  /// The name that `Host` looks at: as asked for, and in the final pass where it really is.
  private var host: String
  private var isFinal = false

  init(_ options: SSHOptions, host: String, local: LocalUser) {
    self.options = options
    self.host = host
    self.local = local
    original = host
  }

  /// Goes through files, the user's before the system's.
  mutating func read(_ files: [ConfigFile]) throws(Diagnostics) {
    do throws(Diagnostic) {
      for file in files { try read(file, isActive: true, isDormant: false) }
    } catch {
      problems.append(error)
    }
    guard problems.isEmpty else { throw Diagnostics(problems) }
  }

  /// Goes through them once more with the host's final name, for `Match final`.
  mutating func readAgain(_ files: [ConfigFile], finalName: String) throws(Diagnostics) {
    isFinal = true
    host = finalName
    try read(files)
  }

  /// Goes through a file; in one that is included where nothing counts (`isDormant`), nothing does.
  private mutating func read(
    _ file: ConfigFile, isActive: Bool, isDormant: Bool
  ) throws(Diagnostic) {
    var isActive = isActive
    for statement in file.statements {
      switch statement {
      case .set(let effect): if isActive { effect(&options) }
      case .host(let patterns): isActive = !isDormant && HostPattern.choose(patterns, host)
      case .match(let rule):
        if rule.wantsFinalPass { wantsFinalPass = true }
        isActive = isDormant ? false : try holds(rule)
      case .include(let files):
        for file in files { try read(file, isActive: isActive, isDormant: !isActive) }
      case .unknown(let name): checkUnknown(name)
      }
    }
  }

  private mutating func holds(_ rule: MatchRule) throws(Diagnostic) -> Bool {
    var host = host
    if !isFinal, let name = options.hostName {
      host = try Tokens.fill(hostName: name, original: original)
    }
    let situation = MatchRule.Situation(
      host: host, originalHost: original, user: options.user ?? local.name,
      localUser: local.name, isFinal: isFinal)
    if let answer = rule.holds(in: situation) { return answer }
    let undecided = rule.criteria.first { MatchRule.isUndecidable($0.subject) }
    options.keep(
      SSHOptions.SystemMatter(
        keyword: "\(rule.location)",
        reason: "Match \(undecided?.subject.rawValue ?? "") at \(rule.location)"))
    return false
  }

  private mutating func checkUnknown(_ name: Located<String>) {
    if let patterns = options.ignoreUnknown,
      ConfigPattern.judge(patterns.lowercased(), name.value.lowercased()) == .matches
    {
      return
    }
    let problem = Diagnostic(
      "unknown ssh option \"\(name.value)\"",
      reason: "nobody would know what it was meant to change, and ssh would refuse the file, too",
      remedy: nearestName(to: name.value, among: ConfigKeyword.names).map {
        "did you mean \"\($0)\"?"
      } ?? "see man 5 ssh_config for the names, or name it in IgnoreUnknown before",
      at: name.location)
    if !problems.contains(problem) { problems.append(problem) }
  }
}
