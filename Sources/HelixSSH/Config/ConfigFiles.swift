import HelixModel

/// ssh's configuration files, each read once for all hosts of a process.
package final class ConfigFiles: Sendable {
  private struct Key: Hashable {
    let local: LocalUser
    /// `-F`: the only file.
    let only: String?
  }

  private let cache = Lock<[Key: Result<[ConfigFile], Diagnostics>]>([:])

  package init() {}

  /// The files that hold for a user, in the order in which they count.
  ///
  /// Blocks while it reads, the first time.
  ///
  /// - Throws: all that is wrong with them, whichever host it would concern.
  func read(
    for local: LocalUser, only file: Located<String>?
  ) throws(Diagnostics) -> [ConfigFile] {
    let key = Key(local: local, only: file?.value)
    if let known = cache.withLock({ $0[key] }) { return try known.get() }
    let result = Self.parse(local, file)
    cache.withLock { $0[key] = result }
    return try result.get()
  }

  private static func parse(
    _ local: LocalUser, _ only: Located<String>?
  ) -> Result<[ConfigFile], Diagnostics> {
    var user = ConfigFileReader(local: local, owner: .user)
    var system = ConfigFileReader(local: local, owner: .system)
    var files: [ConfigFile?] = []
    if let only {
      if only.value.lowercased() != "none" {
        files = [user.read(only.value, .mustExist, askedFor: only.location)]
      }
    } else {
      files = [user.read(local.userConfig, .mustBeSafe)]
      if let path = local.systemConfig { files.append(system.read(path, .none)) }
    }
    let problems = user.problems + system.problems
    return problems.isEmpty ? .success(files.compactMap(\.self)) : .failure(Diagnostics(problems))
  }
}
