private import CLibSSH2

extension SSHSession {
  /// Shows keys to the server, one after the other, until one is let in.
  func authenticate(_ settings: SSHSettings, _ files: KeyFiles) async throws(SSHError) {
    let agent = settings.agentSocket.map { AgentConnection(path: $0, loop: loop) }
    self.agent = agent
    defer {
      agent?.abort()
      self.agent = nil
    }
    let candidates = try await SigningKeys(settings, files: files, agent: agent)
    var attempts = LoginAttempts(skipped: candidates.skipped)
    for key in candidates.keys {
      do throws(SSHError) {
        if try await show(key, as: settings.user) { return }
        attempts.refused.append(key.name)
      } catch .agent(_, let reason) {
        attempts.skipped.append("\(key.name): \(reason)")
      } catch .disconnected(.logIn, let said) {
        attempts.refused.append(key.name)
        attempts.farewell = said ?? "it hung up"
        throw .loginRefused(attempts)
      }
    }
    attempts.serverTakes = await methods(for: settings.user)
    if attempts.serverTakes.isEmpty, stage == .run { return }
    throw attempts.refused.isEmpty ? .noKeys(attempts) : .loginRefused(attempts)
  }

  /// Whether the server lets this key in.
  private func show(_ key: SigningKey, as user: String) async throws(SSHError) -> Bool {
    switch key.signer {
    case .file(let secret): try await show(secret: secret, name: key.name, as: user)
    case .agent(let agent, let publicKey):
      try await show(Signature(agent: agent, key: publicKey), as: user)
    }
  }

  private func show(
    secret: [UInt8], name: String, as user: String
  ) async throws(SSHError) -> Bool {
    try await drive("log in with \(name)") { handle throws(SSHError) -> Step<Bool> in
      let code = secret.withUnsafeBufferPointer { bytes in
        bytes.withMemoryRebound(to: CChar.self) { bytes in
          libssh2_userauth_publickey_frommemory(
            handle, user, user.utf8.count, nil, 0, bytes.baseAddress, bytes.count - 1, nil)
        }
      }
      return Self.judge(code)
    }
  }

  private func show(_ signature: Signature, as user: String) async throws(SSHError) -> Bool {
    let blob = signature.shownBlob
    return try await drive("log in with an agent's key") { handle throws(SSHError) -> Step<Bool> in
      var context: UnsafeMutableRawPointer? = Unmanaged.passUnretained(signature).toOpaque()
      let code = libssh2_userauth_publickey(
        handle, user, blob, blob.count, Signature.callback, &context)
      if case .failed(let error) = signature.state { throw error }
      if let data = signature.takeRequest() { sign(data, signature) }
      return Self.judge(code)
    }
  }

  /// Asks the agent while libssh2 waits; whoever is parked tries again when it has answered.
  private func sign(_ data: [UInt8], _ signature: Signature) {
    let (agent, key) = (signature.agent, signature.key)
    Task {
      do throws(SSHError) {
        signature.state = .made(try await agent.sign(data, with: key))
      } catch {
        signature.state = .failed(error)
      }
      wakeAll()
    }
  }

  private static func judge(_ code: Int32) -> Step<Bool> {
    switch code {
    case 0: .done(true)
    case LIBSSH2_ERROR_EAGAIN: .again
    case LIBSSH2_ERROR_AUTHENTICATION_FAILED: .done(false)
    default: .failed(code)
    }
  }

  /// The ways of logging in that the server would take; none when it does not say.
  private func methods(for user: String) async -> [String] {
    let list = try? await drive("ask for the ways to log in") {
      handle throws(SSHError) -> Step<[String]> in
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
    return list ?? []
  }
}

/// A signature that an agent makes while libssh2 asks for it again and again.
///
/// Lives inside one session's isolation.
final class Signature {
  enum State {
    case unasked
    case asked([UInt8])
    case waiting
    case made([UInt8])
    case failed(SSHError)
  }

  let agent: AgentConnection
  let key: HostKey
  var state = State.unasked

  init(agent: AgentConnection, key: HostKey) {
    self.agent = agent
    self.key = key
  }

  /// The key as the server is shown it.
  ///
  /// libssh2 1.10 takes the signature's name from the key's own,
  /// which for RSA would mean SHA-1; OpenSSH accepts the key under the name of the better signature.
  var shownBlob: [UInt8] {
    guard key.algorithm == "ssh-rsa" else { return key.blob }
    var reader = WireReader(key.blob)
    _ = reader.string()
    var blob: [UInt8] = []
    blob.appendString("rsa-sha2-512".utf8)
    while let byte = reader.byte() { blob.append(byte) }
    return blob
  }

  /// What is to be signed, once.
  func takeRequest() -> [UInt8]? {
    guard case .asked(let data) = state else { return nil }
    state = .waiting
    return data
  }

  /// What libssh2 calls for a signature.
  static let callback:
    @convention(c) (
      OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?,
      UnsafeMutablePointer<Int>?, UnsafePointer<UInt8>?, Int,
      UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int32 = { _, signature, count, data, dataCount, context in
      guard let object = context?.pointee, let data else { return -1 }
      let me = Unmanaged<Signature>.fromOpaque(object).takeUnretainedValue()
      switch me.state {
      case .unasked:
        me.state = .asked(Array(UnsafeBufferPointer(start: data, count: dataCount)))
        return LIBSSH2_ERROR_EAGAIN
      case .asked, .waiting: return LIBSSH2_ERROR_EAGAIN
      case .failed: return -1
      case .made(let bytes):
        signature?.pointee = helix_copy(bytes, bytes.count)
        count?.pointee = bytes.count
        return 0
      }
    }
}
