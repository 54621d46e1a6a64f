import Glibc

/// The person at this machine, as far as SSH needs to know them.
package struct LocalUser: Hashable, Sendable {
  package var name: String
  package var home: String
  /// The socket of the person's ssh-agent.
  package var agentSocket: String?

  package init(name: String, home: String, agentSocket: String?) {
    self.name = name
    self.home = home
    self.agentSocket = agentSocket
  }

  /// From the environment, and from the user database where it says nothing.
  package static var current: LocalUser {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16 * 1024)
    let known = getpwuid_r(geteuid(), &entry, &buffer, buffer.count, &found) == 0 && found != nil
    let name = known ? String(cString: entry.pw_name) : nil
    let home = known ? String(cString: entry.pw_dir) : nil
    return LocalUser(
      name: variable("USER") ?? variable("LOGNAME") ?? name ?? "root",
      home: variable("HOME") ?? home ?? "/", agentSocket: variable("SSH_AUTH_SOCK"))
  }

  private static func variable(_ name: String) -> String? {
    guard let text = getenv(name), text.pointee != 0 else { return nil }
    return String(cString: text)
  }

  /// A path with `~` replaced by the home folder.
  func expand(_ path: String) -> String {
    if path == "~" { return home }
    return path.hasPrefix("~/") ? home + path.dropFirst() : path
  }
}
