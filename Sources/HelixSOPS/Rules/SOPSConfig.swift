package import HelixModel

/// What a `.sops.yaml` says about the files around it.
package struct SOPSConfig: Sendable {
  /// The config's own path, as it was found or named.
  package let file: String
  /// In order; nil when the file has no `creation_rules`, which is as if there were no file.
  package let rules: [CreationRule]?
  /// What is noteworthy about it and no mistake.
  package internal(set) var warnings: [Diagnostic]

  /// Reads the text of a config.
  ///
  /// - Throws: all its mistakes, each with its place.
  package static func read(_ text: String, file: String) throws(Diagnostics) -> SOPSConfig {
    var reader = ConfigReader(text: text, file: file)
    let rules = reader.rules()
    guard reader.problems.isEmpty else { throw Diagnostics(reader.problems) }
    return SOPSConfig(file: file, rules: rules, warnings: reader.warnings)
  }

  /// Which rule is for a file; nil when there are no rules at all.
  ///
  /// The first one wins whose pattern is found in the file's path below the config's folder, or in
  /// its whole path when it lies elsewhere. Relative paths are meant from the working folder, which
  /// must be given in full.
  package func decision(for file: String, workingFolder: String) -> RuleDecision? {
    guard let rules else { return nil }
    let whole = ConfigPath.absolute(file, in: workingFolder)
    let config = ConfigPath.absolute(self.file, in: workingFolder)
    let path = ConfigPath.below(ConfigPath.folder(of: config), whole) ?? whole
    let index = rules.firstIndex { $0.pathPattern?.matches(path) ?? true }
    return RuleDecision(
      path: path, rule: index.map { rules[$0] }, passedOver: Array(rules[..<(index ?? rules.count)])
    )
  }
}

extension SOPSConfig {
  /// What looking for a config found.
  package struct Search: Sendable {
    /// Nil when there is none.
    package let config: SOPSConfig?
    package let warnings: [Diagnostic]
  }

  /// As far up as SOPS looks.
  private static let mostFolders = 100
  private static let name = ".sops.yaml"
  private static let otherName = ".sops.yml"

  /// Finds and reads the config: the one named, or the one that `SOPS_CONFIG` names, or the nearest
  /// `.sops.yaml` in a folder or above it.
  ///
  /// - Parameters:
  ///   - path: What the user named.
  ///   - environment: The variables of the environment.
  ///   - folder: Where the search begins; SOPS begins in the working folder, not at the file.
  ///   - reader: Reads the files.
  /// - Returns: The config, if there is one, and what is noteworthy.
  /// - Throws: the mistakes of the config, or why it cannot be read.
  package static func find(
    named path: String?, environment: [String: String], from folder: String,
    reader: some SourceReader
  ) throws(Diagnostics) -> Search {
    let variable = environment["SOPS_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    if let named = path ?? variable {
      guard let config = try read(named, reader) else {
        throw Diagnostics(
          Diagnostic(
            "there is no config \"\(named)\"",
            reason: path == nil ? "the environment's SOPS_CONFIG names it" : nil,
            remedy: "name a file that exists, or leave it away to search for \(name)"))
      }
      return Search(config: config, warnings: config.warnings)
    }
    return try search(from: folder, reader)
  }

  private static func search(
    from start: String, _ reader: some SourceReader
  ) throws(Diagnostics) -> Search {
    var folder = start
    var ignored: String?
    for _ in 0..<mostFolders {
      if let config = try read(ConfigPath.joined(folder, name), reader) {
        return Search(
          config: config, warnings: ignoring(ignored, for: config.file) + config.warnings)
      }
      let other = ConfigPath.joined(folder, otherName)
      // Only whether it is there counts: nobody reads it.
      if ignored == nil, (try? reader.text(of: other)) != .some(nil) { ignored = other }
      guard let above = ConfigPath.above(folder) else { break }
      folder = above
    }
    return Search(config: nil, warnings: ignoring(ignored, for: nil))
  }

  private static func read(
    _ path: String, _ reader: some SourceReader
  ) throws(Diagnostics) -> SOPSConfig? {
    let text: String?
    do { text = try reader.text(of: path) } catch { throw Diagnostics(error) }
    return try text.map { text throws(Diagnostics) in try read(text, file: path) }
  }

  private static func ignoring(_ path: String?, for config: String?) -> [Diagnostic] {
    guard let path else { return [] }
    return [
      Diagnostic(
        "\"\(path)\" is not read",
        reason: "SOPS looks only for \(name)" + (config.map { ", and found \($0)" } ?? ""),
        remedy: "rename it to \(name)", at: SourceLocation(file: path, line: 1, column: 1),
        severity: .warning)
    ]
  }
}

/// Paths as text, for a config that need not be on a disk.
enum ConfigPath {
  static func joined(_ folder: String, _ name: String) -> String {
    switch folder {
    case "", ".": name
    case _ where folder.hasSuffix("/"): folder + name
    default: folder + "/" + name
    }
  }

  /// The folder above; nil above the root.
  static func above(_ folder: String) -> String? {
    let parts = folder.split(separator: "/")
    switch parts.last {
    case nil where folder.hasPrefix("/"): return nil
    case nil, ".": return joined(parts.dropLast().joined(separator: "/"), "..")
    case "..": return folder + "/.."
    default:
      let rest = parts.dropLast().joined(separator: "/")
      return folder.hasPrefix("/") ? "/" + rest : rest.isEmpty ? "." : rest
    }
  }

  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// A path from the root, without "." and "..".
  static func absolute(_ path: String, in folder: String) -> String {
    let whole = path.hasPrefix("/") ? path : folder + "/" + path
    var parts: [Substring] = []
    for part in whole.split(separator: "/") where part != "." {
      if part == ".." { parts = parts.dropLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// What is left of a path below a folder; nil when it is elsewhere.
  static func below(_ folder: String, _ path: String) -> String? {
    let start = folder == "/" ? "/" : folder + "/"
    return path.hasPrefix(start) ? String(path.dropFirst(start.count)) : nil
  }
}
