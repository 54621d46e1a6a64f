private import CLibSSH2

/// A key or certificate to log in with, and who signs for it.
struct SigningKey: Sendable {
  enum Signer: Sendable {
    case agent(AgentConnection, HostKey)
    case file(KeyFile)
  }

  /// How an error names the key.
  let name: String
  let signer: Signer
  /// What the server is shown; nil when only unlocking the file can tell.
  let shown: HostKey?
  /// What a signature by RSA is hashed with.
  private var rsaSignature = "rsa-sha2-512"

  init(agent: AgentConnection, _ held: AgentKey) {
    let comment = held.comment.isEmpty ? "" : " \"\(held.comment)\""
    let certificate = Certificate(held.key, path: nil)
    name =
      certificate.map { "agent \($0.name)" }
      ?? "agent key \(held.key.word) \(held.key.fingerprint)\(comment)"
    signer = .agent(agent, held.key)
    shown = held.key
  }

  init(file: KeyFile) {
    let fingerprint = file.publicKey.map { " (\($0.word) \($0.fingerprint))" } ?? ""
    name = "key file \(file.path)\(fingerprint)"
    signer = .file(file)
    shown = file.publicKey
  }

  init(_ certificate: Certificate, signer: Signer) {
    name = certificate.name
    self.signer = signer
    shown = certificate.shown
  }

  /// Somebody may have to be asked before it can sign.
  var isLocked: Bool {
    if case .file(let file) = signer { file.isLocked } else { false }
  }

  /// The same key with the weaker hash, for servers that know no better; nil when it makes no
  /// difference.
  ///
  /// libssh2 1.10 does not hear which hashes a server knows, so it is tried out; later ones choose.
  var withOtherHash: SigningKey? {
    guard !Self.isAutomatic, shown?.algorithm == "ssh-rsa" else { return nil }
    var other = self
    other.rsaSignature = "rsa-sha2-256"
    return other
  }

  /// The key as the server is shown it.
  ///
  /// libssh2 1.10 takes the signature's name from the key's own,
  /// which for RSA would mean SHA-1; OpenSSH accepts the key under the name of the better signature.
  func blob(of key: HostKey) -> [UInt8] {
    guard !Self.isAutomatic, key.algorithm == "ssh-rsa" else { return key.blob }
    var reader = WireReader(key.blob)
    _ = reader.string()
    var blob: [UInt8] = []
    blob.appendString(rsaSignature.utf8)
    while let byte = reader.byte() { blob.append(byte) }
    return blob
  }
}

// MARK: - What libssh2 can do

extension SigningKey {
  /// From 1.11 on, libssh2 chooses RSA's hash by itself and knows more certificates.
  private static let isAutomatic = libssh2_version(0x010b00) != nil

  /// The linked libssh2, by its version.
  static let library = "libssh2 " + (libssh2_version(0).map { String(cString: $0) } ?? "")

  /// Keys that are neither certificates nor in hardware.
  static let plain: Set<String> = [
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
  ]

  /// Whether libssh2 can show a key of this sort to a server.
  static func isSupported(_ algorithm: String) -> Bool {
    if plain.contains(algorithm) { return true }
    guard algorithm.hasSuffix(Certificate.suffix) else { return false }
    let certified = String(algorithm.dropLast(Certificate.suffix.count))
    return plain.contains(certified) && (isAutomatic || certified.hasPrefix("ecdsa-"))
  }

  /// Whether the system's `ssh` could show it instead.
  static func isForSystem(_ algorithm: String) -> Bool {
    !isSupported(algorithm)
      && (algorithm.hasSuffix(Certificate.suffix) || algorithm.hasPrefix("sk-"))
  }
}
