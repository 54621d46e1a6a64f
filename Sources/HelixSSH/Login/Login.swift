/// How far a login has come: what was shown, what the server says to it, and what is left to try.
struct Login {
  let settings: SSHSettings
  var attempts = LoginAttempts()
  /// Keys that have not been shown yet; nil before they were looked for.
  var keys: ArraySlice<SigningKeys.Candidate>?
  /// What the server is being shown.
  var showing: String?
  /// Something that was shown last, of which only the server's next words tell whether it was good.
  var pending: String?
  /// Some keys are only for the system's `ssh`, which may want them touched.
  var hasSystemKeys = false
  /// Why a key that the server might take could not be used.
  var problem: KeyFileProblem?

  private var tried: Set<LoginMethod> = []
  /// Keys that only the system's `ssh` can show, each in words.
  private var beyond: [String] = []

  init(_ settings: SSHSettings) { self.settings = settings }

  /// The next way that makes sense.
  var next: LoginMethod? {
    settings.methods.first { method in
      guard !tried.contains(method), method == .publicKey || settings.password != nil else {
        return false
      }
      return attempts.serverTakes.isEmpty || attempts.serverTakes.contains(method.rawValue)
    }
  }

  /// The next key that libssh2 can show.
  mutating func takeKey() -> SigningKey? {
    while let candidate = keys?.popFirst() {
      switch candidate {
      case .key(let key): return key
      case .system(let reason): beyond.append(reason)
      }
    }
    return nil
  }

  /// How the next login gets in as this one did with a key.
  func entrance(by key: SigningKey) -> Entrance? {
    guard attempts.accepted.isEmpty else { return nil }
    switch key.signer {
    case .file(let file): return file.isLocked ? nil : .keyFile(path: file.path)
    case .agent: return hasSystemKeys ? nil : .agent
    }
  }

  /// Notes a key that the server refused; one that was tried in two ways counts once.
  mutating func refuse(_ name: String) {
    if !attempts.refused.contains(name) { attempts.refused.append(name) }
  }

  /// Draws conclusions from what the server takes after a way was tried.
  ///
  /// A server that now takes other ways than before found good what it was shown.
  mutating func finished(_ method: LoginMethod, before: [String]) {
    let takesOther = attempts.serverTakes != before && !before.isEmpty
    if let pending {
      if takesOther { attempts.accepted.append(pending) } else { refuse(pending) }
    }
    pending = nil
    tried.insert(method)
    if method == .publicKey, keys?.isEmpty == false { tried.remove(.publicKey) }
  }

  /// Why nobody was let in.
  var error: SSHError {
    var attempts = attempts
    if let showing, !attempts.refused.contains(showing) { attempts.refused.append(showing) }
    if let problem { return .keyFile(problem) }
    if let reason = beyond.first, attempts.farewell == nil { return .needsSystem(reason) }
    return attempts.refused.isEmpty && attempts.accepted.isEmpty
      ? .noKeys(attempts) : .loginRefused(attempts)
  }
}

/// What opened the door, where it does so again without anybody being asked.
enum Entrance: Hashable, Sendable {
  case keyFile(path: String)
  case agent
}
