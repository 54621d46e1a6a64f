import Glibc
import HelixModel

/// Reads configuration files of ssh and all that they include.
struct ConfigFileReader {
  /// Whose file it is: paths of included files begin elsewhere.
  enum Owner: Hashable, Sendable { case user, system }

  /// What has to be so for a file to be read.
  enum Demand: Sendable {
    /// Named by the user: it must be there.
    case mustExist
    /// A usual place, or included: others must not be able to write it.
    case mustBeSafe
    case none
  }

  private(set) var problems: [Diagnostic] = []
  private let local: LocalUser
  private let owner: Owner
  /// A loop of files is told once, not for each of the ways through it.
  private var isTooDeep = false

  init(local: LocalUser, owner: Owner) {
    self.local = local
    self.owner = owner
  }

  /// Reads a file; nil when there is none or it cannot be read, which is a problem unless it may be
  /// missing.
  mutating func read(
    _ path: String, _ demand: Demand, askedFor place: SourceLocation? = nil, depth: Int = 0
  ) -> ConfigFile? {
    guard depth <= 16 else {
      isTooDeep = true
      problems.append(
        Diagnostic(
          "\(path) is included too deep", reason: "ssh follows 16 files, one inside the other",
          remedy: "look for a file that includes itself", at: place.map(Diagnostic.Place.source)))
      return nil
    }
    switch LocalFile.read(path, limit: 16 * 1024 * 1024) {
    case .success(let bytes?):
      if case .mustBeSafe = demand, let problem = ConfigFileSafety.problem(of: path) {
        problems.append(problem)
        return nil
      }
      return parse(bytes, path, depth)
    case .success(nil):
      if case .mustExist = demand { refuse(path, "no such file or directory", place) }
      return nil
    case .failure(let failure):
      refuse(path, failure.reason, place)
      return nil
    }
  }

  private mutating func refuse(_ path: String, _ reason: String, _ place: SourceLocation?) {
    problems.append(
      Diagnostic(
        "cannot read ssh's configuration \(path)", reason: reason,
        remedy: "check the file and its mode", at: place.map(Diagnostic.Place.source)))
  }

  private mutating func parse(_ bytes: [UInt8], _ path: String, _ depth: Int) -> ConfigFile {
    var statements: [ConfigFile.Statement] = []
    var number = 0
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      guard let line = read(line, .line(number, file: path)) else { continue }
      do throws(Diagnostic) {
        if let statement = try statement(line, depth) { statements.append(statement) }
      } catch {
        problems.append(error)
      }
      if isTooDeep { break }
    }
    return ConfigFile(statements: statements)
  }

  private mutating func read(_ line: some Collection<UInt8>, _ place: LinePlace) -> ConfigLine? {
    do throws(ConfigLine.Problem) {
      return try ConfigLine.read(line, at: place)
    } catch {
      problems.append(error.diagnostic)
      return nil
    }
  }

  private mutating func statement(
    _ line: ConfigLine, _ depth: Int
  ) throws(Diagnostic) -> ConfigFile.Statement? {
    guard let keyword = ConfigKeyword.named(line.keyword.value) else {
      return .unknown(line.keyword)
    }
    switch keyword.kind {
    case .host: return .host(try names(line).map { HostPattern($0.value) })
    case .match: return .match(try MatchRule(line))
    case .include: return .include(try names(line).flatMap { include($0, depth) })
    default:
      return try ConfigSetting.effect(of: line, keyword, from: .file).map { .set($0) }
    }
  }

  private func names(_ line: ConfigLine) throws(Diagnostic) -> [Located<String>] {
    guard line.words.allSatisfy({ !$0.value.isEmpty }) else {
      throw Diagnostic(
        "\(line.keyword.value) has an empty name", reason: "ssh would refuse the file, too",
        remedy: "remove the quotation marks", at: line.keyword.location)
    }
    return line.words
  }
}

// MARK: - Included files

extension ConfigFileReader {
  private mutating func include(_ pattern: Located<String>, _ depth: Int) -> [ConfigFile] {
    guard owner == .user || !pattern.value.hasPrefix("~") else {
      problems.append(
        Diagnostic(
          "\"\(pattern.value)\" begins in a home folder",
          reason: "ssh lets only a user's own file include from there",
          remedy: "write the whole path", at: pattern.location))
      return []
    }
    var path = local.expand(pattern.value)
    if !path.hasPrefix("/") {
      path = (owner == .user ? "\(local.home)/.ssh/" : "/etc/ssh/") + path
    }
    var files: [ConfigFile] = []
    for path in Self.paths(matching: path) where !isTooDeep {
      let file = read(path, .mustBeSafe, askedFor: pattern.location, depth: depth + 1)
      if let file { files.append(file) }
    }
    return files
  }

  /// The files that a shell pattern names, sorted.
  private static func paths(matching pattern: String) -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(pattern, 0, nil, &found) == 0 else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { index in
      found.gl_pathv[index].map { String(cString: $0) }
    }
  }
}

extension ConfigLine.Problem {
  /// What people read.
  fileprivate var diagnostic: Diagnostic {
    switch self {
    case .noValue(let keyword):
      Diagnostic(
        "\(keyword.value) has no value", reason: "an option is a name and a value",
        remedy: "write a value after it, or remove the line", at: keyword.location)
    case .openQuote(let location):
      Diagnostic(
        "a quotation mark is never closed", reason: "ssh would refuse the file, too",
        remedy: "close it", at: location)
    }
  }
}
