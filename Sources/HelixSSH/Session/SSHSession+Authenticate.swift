private import CLibSSH2
import HelixModel

/// What one try to log in came to.
enum LoginOutcome: Hashable, Sendable {
  case loggedIn
  case refused
  /// It was good, and the server wants something else as well.
  case notEnough
}

extension SSHSession {
  /// Tries the ways to log in, in the order of the settings, until the server lets us in.
  func authenticate(_ settings: SSHSettings, _ files: KeyFiles) async throws(SSHError) {
    let agent = settings.agentSocket.map { AgentConnection(path: $0, loop: loop) }
    self.agent = agent
    defer {
      agent?.abort()
      self.agent = nil
    }
    var login = Login(settings)
    // With a password at hand, keys are not shown to a server that takes none.
    if settings.password != nil, try await learnMethods(&login) { return }
    while let method = login.next {
      do throws(SSHError) {
        let before = login.attempts.serverTakes
        switch method {
        case .publicKey: if try await showKeys(&login, files) { return }
        case .keyboardInteractive: if try await answerQuestions(&login) { return }
        case .password: if try await givePassword(&login) { return }
        }
        if try await learnMethods(&login) { return }
        login.finished(method, before: before)
      } catch .disconnected(.logIn, let said) {
        login.attempts.farewell = said ?? "it hung up"
        throw deadline?.wasPersonAsked == true ? .outwaited(said: said) : login.error
      }
    }
    throw login.error
  }

  /// Asks the server which ways it would take; true when it took none at all to let us in.
  private func learnMethods(_ login: inout Login) async throws(SSHError) -> Bool {
    login.attempts.serverTakes = try await methods(for: login.settings.user)
    return stage == .run
  }

  /// The ways of logging in that the server would take; none when it does not say.
  private func methods(for user: String) async throws(SSHError) -> [String] {
    try await drive("ask for the ways to log in") { handle throws(SSHError) -> Step<[String]> in
      if let text = libssh2_userauth_list(handle, user, UInt32(user.utf8.count)) {
        return .done(String(cString: text).split(separator: ",").map { printable($0.utf8) })
      }
      if libssh2_userauth_authenticated(handle) != 0 {
        stage = .run
        return .done([])
      }
      let code = libssh2_session_last_errno(handle)
      return code == LIBSSH2_ERROR_EAGAIN ? .again : .failed(code)
    }
  }

  private static func judge(_ code: Int32) -> Step<LoginOutcome> {
    switch code {
    case 0: .done(.loggedIn)
    case LIBSSH2_ERROR_EAGAIN: .again
    case LIBSSH2_ERROR_AUTHENTICATION_FAILED: .done(.refused)
    // The signature itself was refused, or it was not enough: libssh2 does not tell them apart.
    case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED: .done(.notEnough)
    default: .failed(code)
    }
  }
}

// MARK: - Keys

extension SSHSession {
  /// Shows keys, one after the other, until one is let in.
  private func showKeys(_ login: inout Login, _ files: KeyFiles) async throws(SSHError) -> Bool {
    if login.keys == nil {
      let found = try await SigningKeys(login.settings, files: files, agent: agent)
      login.attempts.skipped += found.skipped
      login.keys = found.candidates[...]
      login.hasSystemKeys = SigningKeys.systemReason(found.candidates) != nil
      if case .system(let reason) = found.candidates.first { throw .needsSystem(reason) }
    }
    while let key = login.takeKey() {
      login.showing = key.name
      do throws(SSHError) {
        switch try await show(key, login.settings, files) {
        case .loggedIn:
          entrance = login.entrance(by: key)
          return true
        case .refused: login.refuse(key.name)
        case .notEnough:
          login.attempts.accepted.append(key.name)
          login.showing = nil
          return false
        }
      } catch .agent(_, let reason) {
        login.attempts.skipped.append("\(key.name): \(reason)")
      } catch .keyFile(let problem) {
        login.attempts.skipped.append(problem.summary)
        login.problem = login.problem ?? problem
      }
      login.showing = nil
    }
    return false
  }

  private func show(
    _ key: SigningKey, _ settings: SSHSettings, _ files: KeyFiles
  ) async throws(SSHError) -> LoginOutcome {
    let shown: HostKey
    if let known = key.shown {
      shown = known
    } else {
      shown = try await unlock(key, files).publicKey
    }
    let (signature, user) = (Signature(blob: key.blob(of: shown)), settings.user)
    defer {
      signing?.cancel()
      signing = nil
    }
    return try await drive("log in with \(key.name)") {
      handle throws(SSHError) -> Step<LoginOutcome> in
      var context: UnsafeMutableRawPointer? = Unmanaged.passUnretained(signature).toOpaque()
      let code = libssh2_userauth_publickey(
        handle, user, signature.blob, signature.blob.count, Signature.callback, &context)
      if case .failed(let error) = signature.state { throw error }
      if let data = signature.takeRequest() { sign(data, signature, key, files) }
      return Self.judge(code)
    }
  }

  /// Has a signature made while libssh2 waits; whoever is parked tries again when it is there.
  private func sign(
    _ data: [UInt8], _ signature: Signature, _ key: SigningKey, _ files: KeyFiles
  ) {
    signing = Task {
      do throws(SSHError) {
        guard let algorithm = Signature.algorithm(in: data) else {
          throw .library(operation: "sign", code: 0, detail: "it asks for no known signature")
        }
        switch key.signer {
        case .agent(let agent, let held):
          signature.state = .made(try await agent.sign(data, with: held, as: algorithm))
        case .file:
          let secret = try await unlock(key, files)
          let made =
            secret.isSlow
            ? await blocking { secret.sign(data, as: algorithm) }
            : secret.sign(data, as: algorithm)
          guard let made else {
            throw .library(operation: "sign", code: 0, detail: "libcrypto refused the key")
          }
          signature.state = .made(made)
        }
      } catch {
        signature.state = .failed(error)
      }
      wakeAll()
    }
  }

  /// The private key of a file; a person's typing does not count against the login's time.
  private func unlock(_ key: SigningKey, _ files: KeyFiles) async throws(SSHError) -> PrivateKey {
    guard case .file(let file) = key.signer else { throw .closed }
    let isAsked = await files.mustAsk(for: file)
    if isAsked { pauseDeadline(forPerson: true) }
    defer { if isAsked { resumeDeadline() } }
    return try await files.unlock(file).mapError(SSHError.keyFile).get()
  }
}

// MARK: - Passwords

extension SSHSession {
  private func answerQuestions(_ login: inout Login) async throws(SSHError) -> Bool {
    guard let password = login.settings.password else { return false }
    let (interview, user) = (Interview(password: password), login.settings.user)
    login.showing = LoginMethod.keyboardInteractive.rawValue
    let outcome = try await drive("answer the server's questions") {
      handle throws(SSHError) -> Step<LoginOutcome> in
      let code = interview.run(handle, user: user)
      return Self.judge(code)
    }
    login.showing = nil
    if outcome == .loggedIn { return true }
    if interview.isExpired { throw .passwordExpired }
    login.pending = interview.refusal.map { "keyboard-interactive (\($0))" } ?? "the password"
    return false
  }

  private func givePassword(_ login: inout Login) async throws(SSHError) -> Bool {
    guard let password = login.settings.password?.reveal() else { return false }
    let user = login.settings.user
    login.showing = "the password"
    let outcome = try await drive("log in with a password") {
      handle throws(SSHError) -> Step<LoginOutcome> in
      let code = password.withUnsafeBufferPointer { bytes in
        bytes.withMemoryRebound(to: CChar.self) { bytes in
          libssh2_userauth_password_ex(
            handle, user, UInt32(user.utf8.count), bytes.baseAddress, UInt32(bytes.count), nil)
        }
      }
      if code == LIBSSH2_ERROR_PASSWORD_EXPIRED { throw .passwordExpired }
      return Self.judge(code)
    }
    login.showing = nil
    login.pending = "the password"
    return outcome == .loggedIn
  }
}
