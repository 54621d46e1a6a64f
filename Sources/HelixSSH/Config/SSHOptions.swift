package import HelixModel

/// What arguments and configuration files say about one host, in OpenSSH's own words.
///
/// Nil means that nothing has been said yet: as in OpenSSH, the first value of an option counts.
package struct SSHOptions: Hashable, Sendable {
  /// A private key file and who named it.
  struct Identity: Hashable, Sendable {
    var path: Located<String>
    /// Named by an argument, so that it must be there.
    var isRequired: Bool
  }

  /// What is said about checking host keys.
  enum Checking: String, Hashable, Sendable {
    case yes, ask, no
    case acceptNew = "accept-new"
  }

  /// The way to a host that cannot be called directly.
  enum Proxy: Hashable, Sendable {
    case none
    /// `ProxyJump none`, after which a command still counts.
    case noJump
    case command(Located<String>)
    case jump(Located<JumpRoute>)
  }

  /// Something that only the system's `ssh` can do; nil where it is said not to be done.
  struct SystemMatter: Hashable, Sendable {
    var keyword: String
    var reason: String?
  }

  var user: String?
  var port: Int?
  var hostName: Located<String>?
  var hostKeyAlias: String?
  var identityFiles: [Identity] = []
  var certificateFiles: [Located<String>] = []
  var identitiesOnly: Bool?
  /// `none`, `SSH_AUTH_SOCK`, `$NAME` or a path.
  var identityAgent: Located<String>?
  var userKnownHosts: [Located<String>]?
  var globalKnownHosts: [Located<String>]?
  var checking: Checking?
  var connectTimeout: Duration?
  var connectionAttempts: Int?
  var aliveInterval: Duration?
  var aliveCount: Int?
  var family: AddressFamily?
  var keyLogin: Bool?
  var passwordLogin: Bool?
  var keyboardLogin: Bool?
  var ticketLogin: Bool?
  var preferredMethods: String?
  var algorithms = AlgorithmChoice()
  var proxy: Proxy?
  /// Patterns of keywords that may be unknown.
  var ignoreUnknown: String?
  /// `-F`: the only configuration file to read, or `none`.
  var configFile: Located<String>?
  private(set) var systemMatters: [SystemMatter] = []

  package init() {}

  /// Reads arguments; every one that is wrong, unknown or not possible is a diagnostic.
  package static func read(
    _ arguments: [Located<String>]
  ) -> (options: SSHOptions, problems: [Diagnostic]) {
    var reader = SSHArgumentReader(SSHOptions())
    reader.read(arguments)
    return (reader.options, reader.problems)
  }
}

extension SSHOptions {
  /// What only the system's `ssh` can do, each in words.
  var needsSystem: [String] { systemMatters.compactMap(\.reason) }

  /// Sets an option that has no value yet.
  mutating func keep<Value>(_ path: WritableKeyPath<SSHOptions, Value?>, _ value: Value) {
    if self[keyPath: path] == nil { self[keyPath: path] = value }
  }

  /// Adds a private key file unless it is there already.
  mutating func add(_ identity: Identity) {
    let isKnown = identityFiles.contains {
      $0.path.value == identity.path.value && $0.isRequired == identity.isRequired
    }
    if !isKnown { identityFiles.append(identity) }
  }

  /// Adds a certificate unless it is there already.
  mutating func add(certificate: Located<String>) {
    if !certificateFiles.contains(where: { $0.value == certificate.value }) {
      certificateFiles.append(certificate)
    }
  }

  /// Remembers what only the system's `ssh` can do, or that it is not to be done.
  mutating func keep(_ matter: SystemMatter) {
    if !systemMatters.contains(where: { $0.keyword == matter.keyword }) {
      systemMatters.append(matter)
    }
  }
}

/// Which sort of address to use.
enum AddressFamily: String, Hashable, Sendable {
  case any
  case v4 = "inet"
  case v6 = "inet6"
}
