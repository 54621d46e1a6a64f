package import HelixModel

/// What `ansible_ssh_common_args` and its like ask for, in OpenSSH's own words.
package struct SSHOptions: Hashable, Sendable {
  var user: String?
  var port: Int?
  var hostName: String?
  var hostKeyAlias: String?
  var identityFiles: [String] = []
  var identitiesOnly: Bool?
  /// `none`, `SSH_AUTH_SOCK`, `$NAME` or a path.
  var identityAgent: String?
  var userKnownHosts: [String]?
  var globalKnownHosts: [String]?
  var strictHostKeys: HostKeyPolicy?
  var connectTimeout: Duration?
  var aliveInterval: Duration?
  var aliveCount: Int?
  var family: AddressFamily?

  package init() {}

  /// Reads arguments; every one that is wrong, unknown or not possible yet is a diagnostic.
  package static func read(
    _ arguments: [Located<String>]
  ) -> (options: SSHOptions, problems: [Diagnostic]) {
    var reader = SSHArgumentReader(arguments)
    reader.readAll()
    return (reader.options, reader.problems)
  }
}

/// Which sort of address to use.
enum AddressFamily: Hashable, Sendable {
  case any, v4, v6
}
