import HelixModel

/// Collects the keys to try, in order: certificates and keys named for the host first, then the
/// agent's others; a key that somebody must unlock is no default's first choice.
struct SigningKeys {
  /// Something to log in with.
  enum Candidate: Sendable {
    case key(SigningKey)
    /// Only the system's `ssh` can show it; the reason in words.
    case system(String)
  }

  private(set) var candidates: [Candidate] = []
  /// Keys and places that cannot be used, with reasons.
  private(set) var skipped: [String] = []

  private let agent: AgentConnection?
  private let files: KeyFiles
  private let settings: SSHSettings
  private var held: [AgentKey] = []
  private var taken: Set<HostKey> = []

  /// - Throws: an `SSHError` when a key that was named for the host cannot be used at all.
  init(
    _ settings: SSHSettings, files: KeyFiles, agent: AgentConnection?
  ) async throws(SSHError) {
    (self.settings, self.files, self.agent) = (settings, files, agent)
    await listAgent()
    let named = try await loadNamed()
    let defaults = settings.identityFiles.isEmpty ? await loadDefaults() : []
    await addCertificates(signedBy: named + defaults)
    for file in named { try addNamed(file) }
    if !settings.identitiesOnly { for held in held { add(held) } }
    for file in defaults where !file.isLocked { addDefault(file) }
    for file in defaults where file.isLocked { addDefault(file) }
    for case .key(let key) in candidates {
      if let other = key.withOtherHash { candidates.append(.key(other)) }
    }
  }

  /// Why the system's `ssh` is needed to show the keys that are left, or those that come first.
  static func systemReason(_ candidates: some Sequence<Candidate>) -> String? {
    for case .system(let reason) in candidates { return reason }
    return nil
  }
}

// MARK: - Sources

extension SigningKeys {
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

  /// Files that only the configuration names may be missing, as OpenSSH sees it.
  private mutating func loadNamed() async throws(SSHError) -> [KeyFile] {
    var loaded: [KeyFile] = []
    for path in settings.identityFiles {
      let isOptional = settings.optionalIdentityFiles.contains(path)
      switch await files.load(path) {
      case .success(let file?): loaded.append(file)
      case .success(nil) where isOptional: continue
      case .success(nil): throw .keyFile(.missing(path: path))
      case .failure(let problem) where isOptional: skipped.append(problem.summary)
      case .failure(let problem): throw .keyFile(problem)
      }
    }
    return loaded
  }

  private mutating func loadDefaults() async -> [KeyFile] {
    var loaded: [KeyFile] = []
    for path in settings.defaultIdentityFiles {
      switch await files.load(path) {
      case .success(let file): loaded += file.map { [$0] } ?? []
      case .failure(let problem): skipped.append(problem.summary)
      }
    }
    return loaded
  }
}

// MARK: - Candidates

extension SigningKeys {
  /// Certificates that were named; as with OpenSSH, they come before all keys.
  private mutating func addCertificates(signedBy files: [KeyFile]) async {
    for path in settings.certificateFiles {
      guard let key = await self.files.certificate(in: path) else {
        skipped.append("\(path): no certificate")
        continue
      }
      guard let certificate = Certificate(key, path: path) else {
        skipped.append("\(path): not a certificate for users")
        continue
      }
      let file = files.first { $0.publicKey == certificate.key }
      guard let signer = signer(for: certificate.key, file) else {
        skipped.append("\(certificate.name): the private key is neither in a file nor in the agent")
        continue
      }
      add(certificate, signer)
    }
  }

  private mutating func add(_ certificate: Certificate, _ signer: SigningKey.Signer) {
    guard taken.insert(certificate.shown).inserted else { return }
    let algorithm = certificate.shown.algorithm
    if SigningKey.isSupported(algorithm) {
      candidates.append(.key(SigningKey(certificate, signer: signer)))
    } else {
      leave(certificate.name, algorithm)
    }
  }

  private mutating func addNamed(_ file: KeyFile) throws(SSHError) {
    guard !settings.optionalIdentityFiles.contains(file.path) else { return addDefault(file) }
    guard !add(file) else { return }
    throw .keyFile(.missing(path: file.path))
  }

  private mutating func addDefault(_ file: KeyFile) {
    if !add(file) { skipped.append(KeyFileProblem.missing(path: file.path).summary) }
  }

  /// Adds a file's key and then its certificate; false when nobody could sign with it.
  private mutating func add(_ file: KeyFile) -> Bool {
    guard let signer = signer(for: file.publicKey, file) else {
      guard case .hardware = file.secret, let key = file.publicKey else { return false }
      leave("key file \(file.path)", key.algorithm)
      return true
    }
    switch signer {
    case .agent(_, let key):
      if let held = held.first(where: { $0.key == key }) { add(held) }
    case .file:
      if file.publicKey.map({ taken.insert($0).inserted }) ?? true {
        candidates.append(.key(SigningKey(file: file)))
      }
    }
    if let certificate = file.certificate { add(certificate, signer) }
    return true
  }

  private mutating func add(_ held: AgentKey) {
    guard let agent, taken.insert(held.key).inserted else { return }
    let (key, algorithm) = (held.key, held.key.algorithm)
    if let bits = key.rsaBits, bits < PrivateKey.leastRSABits {
      skipped.append("agent key \(key.fingerprint): an RSA key of \(bits) bits is too weak")
    } else if SigningKey.isSupported(algorithm) {
      candidates.append(.key(SigningKey(agent: agent, held)))
    } else if SigningKey.isForSystem(algorithm) {
      leave("agent key \(key.fingerprint)", algorithm)
    } else {
      skipped.append("agent key \(key.fingerprint): \(algorithm) is not supported")
    }
  }

  /// Leaves a key to the system's `ssh`, unless that was ruled out.
  private mutating func leave(_ name: String, _ algorithm: String) {
    let reason = "\(SigningKey.library) cannot show the \(name), which is \(algorithm)"
    if settings.transport == .libssh2 {
      skipped.append(reason)
    } else {
      candidates.append(.system(reason))
    }
  }

  /// Who can sign with a key: the agent where it holds it, so that nobody is asked to unlock it.
  private func signer(for key: HostKey?, _ file: KeyFile?) -> SigningKey.Signer? {
    if let key, let agent, held.contains(where: { $0.key == key }) { return .agent(agent, key) }
    switch file?.secret {
    case .open, .locked: return file.map(SigningKey.Signer.file)
    case .hardware, .absent, nil: return nil
    }
  }
}

extension KeyFile {
  /// Somebody must type a passphrase to sign with it.
  var isLocked: Bool {
    if case .locked = secret { true } else { false }
  }
}
