import Glibc

/// The person at this machine, as far as SSH needs to know them.
package struct LocalUser: Hashable, Sendable {
  package var name: String
  package var home: String
  /// The socket of the person's ssh-agent.
  package var agentSocket: String?
  /// The ssh configuration that holds for everybody on this machine; nil when none is to be read.
  package var systemConfig: String?

  package init(name: String, home: String, agentSocket: String?, systemConfig: String? = nil) {
    self.name = name
    self.home = home
    self.agentSocket = agentSocket
    self.systemConfig = systemConfig
  }

  /// From the environment, and from the user database where it says nothing.
  package static var current: LocalUser {
    let entry = UserEntry.of(geteuid())
    return LocalUser(
      name: variable("USER") ?? variable("LOGNAME") ?? entry?.name ?? "root",
      home: variable("HOME") ?? entry?.home ?? "/", agentSocket: variable("SSH_AUTH_SOCK"),
      systemConfig: "/etc/ssh/ssh_config")
  }

  /// The person's own ssh configuration.
  var userConfig: String { "\(home)/.ssh/config" }

  /// A variable of the environment that is set and not empty.
  static func variable(_ name: String) -> String? {
    guard let text = getenv(name), text.pointee != 0 else { return nil }
    return String(cString: text)
  }

  /// A path with `~` and `~somebody` replaced by home folders.
  func expand(_ path: String) -> String {
    guard path.hasPrefix("~") else { return path }
    let parts = path.dropFirst().split(
      separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.first.map(String.init) ?? ""
    guard let folder = name.isEmpty ? home : UserEntry.named(name)?.home else { return path }
    guard parts.count == 2 else { return folder }
    return "\(folder)/\(parts[1].drop { $0 == "/" })"
  }
}

/// A line of the user database.
private struct UserEntry {
  let name: String
  let home: String

  static func of(_ id: uid_t) -> UserEntry? {
    read { entry, buffer, size, found in getpwuid_r(id, entry, buffer, size, found) }
  }

  static func named(_ name: String) -> UserEntry? {
    read { entry, buffer, size, found in getpwnam_r(name, entry, buffer, size, found) }
  }

  private static func read(
    _ look: (
      UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
      UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32
  ) -> UserEntry? {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16 * 1024)
    guard look(&entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
    return UserEntry(name: String(cString: entry.pw_name), home: String(cString: entry.pw_dir))
  }
}
