/// What can go wrong between here and a command's end on a host.
///
/// `SSHError+Diagnostic` holds the words for people; here are only the values to decide by.
indirect enum SSHError: Error, Hashable, Sendable {
  /// A stage of the way, for errors about time and cut connections.
  enum Stage: String, Hashable, Sendable {
    case resolve, dial, greet, exchangeKeys, logIn, open, run
  }

  /// One address and why it could not be reached.
  struct Attempt: Hashable, Sendable {
    var address: String
    var reason: String
  }

  case nameUnknown(reason: String)
  case unreachable([Attempt])
  case timedOut(Stage, after: Duration)
  case foreign(said: String)
  case disconnected(Stage, said: String?)
  /// The server hung up while, or after, a person was asked for something.
  case outwaited(said: String?)
  /// The server has not answered keepalives.
  case silent(Duration)
  /// The server sends and sends what nobody asked for.
  case flooded(bytes: Int)
  /// A host on the way could not be reached, or did not let us through.
  case gate(SSHSettings, SSHError)
  /// The program that should have led to the host did not.
  case proxyFailed(command: String, status: Int?, lines: [String])
  /// A host on the way refused to connect us with the next one.
  case tunnelRefused(to: String, detail: String)
  case noCommonAlgorithm(AlgorithmGap)
  case hostKey(HostKeyProblem)
  case keyFile(KeyFileProblem)
  case agent(path: String, reason: String)
  case loginRefused(LoginAttempts)
  case noKeys(LoginAttempts)
  /// The server wants a new password before anything else.
  case passwordExpired
  /// Only the system's `ssh` can do it; the reason in words.
  case needsSystem(String)
  case channelRefused(detail: String)
  case commandTimedOut(after: Duration)
  case commandTooLong(Int)
  case inputUnreadable(path: String, reason: String)
  /// The command did not start; what the far side said instead.
  case notStarted(status: Int, lines: [String])
  case ascent(Ascent, AscentProblem)
  /// The channel closed, and nobody knows whether the command came to its end.
  case endUnseen
  /// A program of this machine that should help, such as a `ProxyCommand` or `ssh` itself.
  case cannotStart(program: String, reason: String)
  case upload(UploadProblem)
  /// What the system's `ssh` said.
  case system(SystemProblem)
  case library(operation: String, code: Int32, detail: String)
  case closed
}

/// Why a host's key is not trusted.
enum HostKeyProblem: Hashable, Sendable {
  case unknown(HostKey, name: String, file: String?)
  case changed(HostKey, name: String, known: [KnownHosts.Known])
  case revoked(HostKey, at: KnownHosts.Place)
  case onlyAuthority(name: String, at: KnownHosts.Place)
  case onlyUnsupported(name: String, known: [KnownHosts.Known])
  /// The inventory names another key.
  case notPinned(HostKey, name: String, pinned: HostKey)
  case pinUnsupported(HostKey, name: String)
  case unreadable(path: String, reason: String)
  case unwritable(path: String, reason: String)
}

/// Why a private key file cannot be used.
enum KeyFileProblem: Hashable, Sendable {
  case missing(path: String)
  case unreadable(path: String, reason: String)
  case tooOpen(path: String, mode: UInt32)
  /// It has a passphrase, which nobody told.
  case encrypted(path: String, PromptFailure)
  case wrongPassphrase(path: String, tries: Int)
  /// It is locked with a cipher that we cannot do.
  case cipher(path: String, name: String?)
  /// An RSA key of too few bits.
  case weak(path: String, bits: Int)
  case unsupported(path: String, algorithm: String?)
  case malformed(path: String)

  var path: String {
    switch self {
    case .missing(let path), .unreadable(let path, _), .tooOpen(let path, _),
      .encrypted(let path, _), .wrongPassphrase(let path, _), .cipher(let path, _),
      .weak(let path, _), .unsupported(let path, _), .malformed(let path):
      path
    }
  }
}

/// What was shown to a server that let nobody in.
struct LoginAttempts: Hashable, Sendable {
  /// What the server refused, keys and the password, each in words.
  var refused: [String] = []
  /// What it found good but not enough.
  var accepted: [String] = []
  /// Keys and places that could not be used, each with its reason.
  var skipped: [String] = []
  /// The methods the server would take.
  var serverTakes: [String] = []
  /// What the server said when it hung up.
  var farewell: String?
}

extension SSHError {
  /// The connection is gone, so that trying on a new one makes sense.
  var isConnectionLoss: Bool {
    switch self {
    case .disconnected, .silent: true
    default: false
    }
  }

  /// The server has too many logins under way: OpenSSH closes some at once, with or without a word.
  var isTurnedAway: Bool {
    switch self {
    case .disconnected(.greet, _): true
    case .foreign(let said):
      said.hasPrefix("Exceeded MaxStartups") || said.hasPrefix("Not allowed at this time")
    default: false
    }
  }
}
