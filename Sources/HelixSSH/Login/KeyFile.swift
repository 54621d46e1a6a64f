import Glibc

/// A private key file, or the public half of one that an agent holds.
struct KeyFile: Sendable {
  let path: String
  /// The public key, where the file or a `.pub` beside it tells.
  let publicKey: HostKey?
  /// What can be signed with.
  let secret: Secret

  /// The private half.
  enum Secret: Sendable {
    /// The file's bytes and a zero: libssh2 1.10 looks for one, although it is told the length.
    case usable([UInt8])
    /// The file is there, but signing must be left to an agent.
    case unusable(KeyFileProblem)
  }

  /// Reads a key file; nil when there is none.
  static func load(_ path: String) -> Result<KeyFile?, KeyFileProblem> {
    let beside = publicKey(in: path + ".pub")
    switch LocalFile.read(path, limit: 1024 * 1024) {
    case .failure(let failure):
      return .failure(.unreadable(path: path, reason: failure.reason))
    case .success(nil):
      guard let beside else { return .success(nil) }
      let missing = KeyFileProblem.missing(path: path)
      return .success(KeyFile(path: path, publicKey: beside, secret: .unusable(missing)))
    case .success(let bytes?):
      return parse(bytes, path: path, beside: beside)
    }
  }

  private static func parse(
    _ bytes: [UInt8], path: String, beside: HostKey?
  ) -> Result<KeyFile?, KeyFileProblem> {
    let text = String(decoding: bytes, as: UTF8.self)
    if let key = publicKey(line: text) {
      let missing = KeyFileProblem.missing(path: path)
      return .success(KeyFile(path: path, publicKey: key, secret: .unusable(missing)))
    }
    if let problem = modeProblem(path) { return .failure(problem) }
    let form = KeyForm(text)
    guard form.kind != .none else { return .failure(.malformed(path: path)) }
    let secret = form.problem(path: path).map(Secret.unusable) ?? .usable(bytes + [0])
    return .success(KeyFile(path: path, publicKey: form.publicKey ?? beside, secret: secret))
  }

  /// Others must not read a private key; OpenSSH asks the same of files the user owns.
  private static func modeProblem(_ path: String) -> KeyFileProblem? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_uid == geteuid() else { return nil }
    let open = status.st_mode & 0o077
    return open == 0 ? nil : .tooOpen(path: path, mode: status.st_mode & 0o777)
  }

  private static func publicKey(in path: String) -> HostKey? {
    guard case .success(let bytes?) = LocalFile.read(path, limit: 64 * 1024) else { return nil }
    return publicKey(line: String(decoding: bytes, as: UTF8.self))
  }

  /// The key of a line such as `ssh-ed25519 AAAA… comment`.
  private static func publicKey(line: String) -> HostKey? {
    let fields = line.split(maxSplits: 2) { $0 == " " || $0.isNewline }
    guard fields.count >= 2, let blob = Base64.decode(fields[1]) else { return nil }
    let key = HostKey(blob: blob)
    return key.algorithm == fields[0] ? key : nil
  }
}

/// What the outside of a private key file tells.
struct KeyForm {
  enum Kind { case none, openSSH, pem }

  private(set) var kind = Kind.none
  private(set) var publicKey: HostKey?
  private var isEncrypted = false
  private var isRSA = false

  init(_ text: String) {
    let lines = text.split { $0.isNewline }
    guard let start = lines.firstIndex(where: { $0.hasPrefix("-----BEGIN ") }) else { return }
    let title = lines[start]
    guard title.hasSuffix("PRIVATE KEY-----") else { return }
    if title == "-----BEGIN OPENSSH PRIVATE KEY-----" {
      readOpenSSH(lines[(start + 1)...].prefix { !$0.hasPrefix("-----") }.joined())
    } else {
      kind = .pem
      isEncrypted = title.contains("ENCRYPTED") || text.contains("Proc-Type: 4,ENCRYPTED")
      isRSA = title.contains("RSA")
    }
  }

  /// The container's head is plain text even when the key inside is encrypted.
  private mutating func readOpenSSH(_ encoded: String) {
    let magic = Array("openssh-key-v1\0".utf8)
    guard let bytes = Base64.decode(encoded) else { return }
    var reader = WireReader(bytes)
    guard reader.bytes(magic.count) == magic, let cipher = reader.text(), reader.string() != nil,
      reader.string() != nil, reader.number() != nil, let blob = reader.string()
    else { return }
    let key = HostKey(blob: blob)
    kind = .openSSH
    publicKey = key
    isEncrypted = cipher != "none"
    isRSA = key.algorithm == "ssh-rsa"
  }

  /// Why this key's file cannot be used to sign; nil when it can.
  func problem(path: String) -> KeyFileProblem? {
    if isEncrypted { return .encrypted(path: path) }
    if isRSA { return .rsa(path: path) }
    guard let algorithm = publicKey?.algorithm else { return nil }
    return SigningKey.isSupported(algorithm)
      ? nil : .unsupported(path: path, algorithm: algorithm)
  }
}

/// Key files, each read once for all hosts.
final class KeyFiles: Sendable {
  private let cache = Lock<[String: Result<KeyFile?, KeyFileProblem>]>([:])

  /// The key in a file; nil when there is no such file.
  func load(_ path: String) async -> Result<KeyFile?, KeyFileProblem> {
    if let known = cache.withLock({ $0[path] }) { return known }
    let result = await blocking { KeyFile.load(path) }
    cache.withLock { $0[path] = result }
    return result
  }
}

extension KeyFileProblem: Error {}
