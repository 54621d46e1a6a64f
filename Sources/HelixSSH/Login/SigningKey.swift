/// A key to log in with, and who signs with it.
struct SigningKey: Sendable {
  enum Signer: Sendable {
    case agent(AgentConnection, HostKey)
    case file([UInt8])
  }

  /// How an error names the key.
  let name: String
  let signer: Signer

  /// Whether libssh2 1.10 can show a key of this sort to a server: no certificates, no hardware.
  static func isSupported(_ algorithm: String) -> Bool {
    [
      "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
      "ssh-rsa",
    ].contains(algorithm)
  }

  init(agent: AgentConnection, _ held: AgentKey) {
    let comment = held.comment.isEmpty ? "" : " \"\(held.comment)\""
    name = "agent key \(held.key.word) \(held.key.fingerprint)\(comment)"
    signer = .agent(agent, held.key)
  }

  init(file: KeyFile, secret: [UInt8]) {
    let fingerprint = file.publicKey.map { " (\($0.word) \($0.fingerprint))" } ?? ""
    name = "key file \(file.path)\(fingerprint)"
    signer = .file(secret)
  }
}

/// Collects the keys to try, in order: keys named for the host first, then the agent's others.
struct SigningKeys {
  private(set) var keys: [SigningKey] = []
  /// Keys and places that cannot be used, with reasons.
  private(set) var skipped: [String] = []

  private let agent: AgentConnection?
  private var held: [AgentKey] = []
  private var taken: Set<HostKey> = []

  /// - Throws: an `SSHError` when a key that was named for the host cannot be used at all.
  init(
    _ settings: SSHSettings, files: KeyFiles, agent: AgentConnection?
  ) async throws(SSHError) {
    self.agent = agent
    await listAgent()
    if settings.identityFiles.isEmpty {
      if !settings.identitiesOnly { addHeld() }
      for path in settings.defaultIdentityFiles { await addDefault(path, files) }
    } else {
      for path in settings.identityFiles {
        if settings.optionalIdentityFiles.contains(path) {
          await addDefault(path, files)
        } else {
          try await addNamed(path, files)
        }
      }
      if !settings.identitiesOnly { addHeld() }
    }
  }

  private mutating func listAgent() async {
    guard let agent else {
      skipped.append("no agent (SSH_AUTH_SOCK is not set)")
      return
    }
    do {
      held = try await agent.keys()
      if held.isEmpty { skipped.append("the agent holds no keys") }
    } catch {
      if case .agent(let path, let reason) = error {
        skipped.append("the agent at \(path): \(reason)")
      }
    }
  }

  private mutating func addHeld() {
    for held in held where !taken.contains(held.key) { add(held) }
  }

  private mutating func add(_ held: AgentKey) {
    guard let agent, taken.insert(held.key).inserted else { return }
    guard SigningKey.isSupported(held.key.algorithm) else {
      skipped.append("agent key \(held.key.algorithm) \(held.key.fingerprint): not supported yet")
      return
    }
    keys.append(SigningKey(agent: agent, held))
  }

  private mutating func addNamed(_ path: String, _ files: KeyFiles) async throws(SSHError) {
    guard let file = try await files.load(path).mapError(SSHError.keyFile).get() else {
      throw .keyFile(.missing(path: path))
    }
    if let problem = add(file) { throw .keyFile(problem) }
  }

  private mutating func addDefault(_ path: String, _ files: KeyFiles) async {
    switch await files.load(path) {
    case .success(nil): return
    case .success(let file?):
      if let problem = add(file) { skipped.append(problem.summary) }
    case .failure(let problem): skipped.append(problem.summary)
    }
  }

  /// Adds a file's key, by the agent where it holds it; returns why that is not possible.
  private mutating func add(_ file: KeyFile) -> KeyFileProblem? {
    if let key = file.publicKey, let held = held.first(where: { $0.key == key }) {
      add(held)
      return nil
    }
    switch file.secret {
    case .unusable(let problem): return problem
    case .usable(let secret):
      keys.append(SigningKey(file: file, secret: secret))
      return nil
    }
  }
}
