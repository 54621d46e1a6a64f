private import CLibSSH2
import Glibc
import HelixModel

/// A private key file, or the public half of one that an agent holds.
struct KeyFile: Sendable {
  let path: String
  /// The public key, where the file or a `.pub` beside it tells.
  let publicKey: HostKey?
  /// The certificate beside it.
  let certificate: Certificate?
  /// What can be signed with.
  let secret: Secret

  /// The private half.
  enum Secret: Sendable {
    case open(PrivateKey)
    /// It has a passphrase, which is asked for when a server would take the key.
    case locked(KeyText)
    /// It stands for a key in a hardware token.
    case hardware
    /// Signing must be left to an agent.
    case absent
  }

  /// Reads a key file; nil when there is none.
  static func load(_ path: String) -> Result<KeyFile?, KeyFileProblem> {
    let beside = publicKey(in: path + ".pub")
    let certificate = publicKey(in: path + "-cert.pub")
      .flatMap { Certificate($0, path: path + "-cert.pub") }
    func file(_ key: HostKey?, _ secret: Secret) -> KeyFile {
      KeyFile(path: path, publicKey: key, certificate: certificate, secret: secret)
    }
    do throws(KeyFileProblem) {
      guard let text = try read(path) else {
        return .success(beside.map { file($0, .absent) })
      }
      if let key = text.withBytes({ publicKey(line: $0) }) { return .success(file(key, .absent)) }
      if let problem = modeProblem(path) { return .failure(problem) }
      let key = try KeyText(text, path: path)
      if key.publicKey?.isHardware == true { return .success(file(key.publicKey, .hardware)) }
      guard !key.isLocked else { return .success(file(key.publicKey ?? beside, .locked(key))) }
      do throws(KeyText.Refusal) {
        let secret = try key.key(passphrase: nil)
        return .success(file(secret.publicKey, .open(secret)))
      } catch .problem(let problem) {
        return .failure(problem)
      } catch {
        return .failure(.malformed(path: path))
      }
    } catch {
      return .failure(error)
    }
  }

  /// The whole file, in memory that is wiped; nil when there is none.
  private static func read(_ path: String) throws(KeyFileProblem) -> SecretBuffer? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .unreadable(path: path, reason: LocalFile.Failure.current.reason)
    }
    defer { close(descriptor) }
    var code: Int32 = 0
    let text = SecretBuffer(capacity: 1024 * 1024) { memory in
      var count = 0
      while count < memory.count {
        let got = Glibc.read(
          descriptor, memory.baseAddress?.advanced(by: count), memory.count - count)
        if got == 0 { return count }
        if got < 0, errno == EINTR { continue }
        guard got > 0 else { break }
        count += got
      }
      code = count == memory.count ? EFBIG : errno
      return nil
    }
    if let text { return text }
    throw .unreadable(path: path, reason: LocalFile.Failure(code: code).reason)
  }

  /// Others must not read a private key; OpenSSH asks the same of files the user owns.
  private static func modeProblem(_ path: String) -> KeyFileProblem? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_uid == geteuid() else { return nil }
    let open = status.st_mode & 0o077
    return open == 0 ? nil : .tooOpen(path: path, mode: status.st_mode & 0o777)
  }

  /// The key in a file such as `id_ed25519.pub`.
  static func publicKey(in path: String) -> HostKey? {
    guard case .success(let bytes?) = LocalFile.read(path, limit: 64 * 1024) else { return nil }
    return publicKey(line: bytes)
  }

  /// The key of a line such as `ssh-ed25519 AAAA… comment`.
  private static func publicKey(line: some Collection<UInt8>) -> HostKey? {
    guard line.first != UInt8(ascii: "-") else { return nil }
    let fields = String(decoding: line.prefix(64 * 1024), as: UTF8.self)
      .split(maxSplits: 2) { $0 == " " || $0 == "\t" || $0.isNewline }
    guard fields.count >= 2, let blob = Base64.decode(fields[1]) else { return nil }
    let key = HostKey(blob: blob)
    return key.algorithm == fields[0] ? key : nil
  }
}

extension KeyFileProblem: Error {}
