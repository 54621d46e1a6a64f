private import CLibSSH2
import HelixModel

/// The text of a private key file, taken apart as far as that goes without its passphrase.
struct KeyText: Sendable {
  /// Why a passphrase, or none, does not open a key.
  enum Refusal: Error, Hashable {
    case wrongPassphrase
    case problem(KeyFileProblem)
  }

  private enum Form: Sendable {
    case openSSH(Container)
    case pem
  }

  let path: String
  /// The public half, which OpenSSH's form tells even when the key is locked.
  let publicKey: HostKey?
  let isLocked: Bool
  /// PEM as it stands, or what was base64 in OpenSSH's form.
  private let content: SecretBuffer
  private let form: Form

  /// - Throws: a `KeyFileProblem` when this is no private key.
  init(_ text: SecretBuffer, path: String) throws(KeyFileProblem) {
    self.path = path
    let body = text.withBytes { text in Self.body(of: text) }
    switch body {
    case .openSSH(let bytes):
      guard let container = bytes.withBytes({ Container($0) }) else {
        throw .malformed(path: path)
      }
      (content, form) = (bytes, .openSSH(container))
      (publicKey, isLocked) = (container.publicKey, container.cipher != "none")
    case .pem(let isLocked):
      (content, form, self.isLocked) = (text, .pem, isLocked)
      publicKey = nil
    case nil: throw .malformed(path: path)
    }
  }

  /// The key itself; with a passphrase this takes a good part of a second, on purpose.
  func key(passphrase: SecretValue?) throws(Refusal) -> PrivateKey {
    let key: PrivateKey
    switch form {
    case .openSSH(let container): key = try open(container, passphrase)
    case .pem: key = try openPEM(passphrase)
    }
    if let bits = key.publicKey.rsaBits, bits < PrivateKey.leastRSABits {
      throw .problem(.weak(path: path, bits: bits))
    }
    return key
  }

  private func openPEM(_ passphrase: SecretValue?) throws(Refusal) -> PrivateKey {
    switch PrivateKey.readPEM(content, passphrase: passphrase?.reveal()) {
    case .key(let key): return key
    case .locked: throw .wrongPassphrase
    case .unknownCipher: throw .problem(.cipher(path: path, name: nil))
    case .unsupported: throw .problem(.unsupported(path: path, algorithm: nil))
    case .broken: throw .problem(.malformed(path: path))
    }
  }

  private func open(
    _ container: Container, _ passphrase: SecretValue?
  ) throws(Refusal) -> PrivateKey {
    let algorithm = container.publicKey.algorithm
    guard SigningKey.plain.contains(algorithm) else {
      throw .problem(.unsupported(path: path, algorithm: algorithm))
    }
    guard let cipher = Cipher(container.cipher), container.isOpenable else {
      throw .problem(.cipher(path: path, name: container.cipher))
    }
    let plain = content.withBytes {
      container.decrypt($0, with: cipher, passphrase: passphrase?.reveal() ?? [])
    }
    guard let plain else { throw .wrongPassphrase }
    let key = plain.withBytes { bytes -> Result<PrivateKey?, Refusal> in
      var reader = SecretReader(bytes)
      guard let check = reader.number(), check == reader.number() else {
        return .failure(.wrongPassphrase)
      }
      return .success(reader.text().flatMap { PrivateKey.read($0, from: &reader) })
    }
    guard let key = try key.get(), key.publicKey == container.publicKey else {
      throw .problem(.malformed(path: path))
    }
    return key
  }
}

// MARK: - Forms

extension KeyText {
  private enum Body {
    case openSSH(SecretBuffer)
    case pem(isLocked: Bool)
  }

  private static func body(of text: UnsafeRawBufferPointer) -> Body? {
    let lines = text.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    let begin = Array("-----BEGIN ".utf8)
    guard let start = lines.firstIndex(where: { $0.starts(with: begin) }) else { return nil }
    let title = String(decoding: lines[start], as: UTF8.self)
    guard title.hasSuffix("PRIVATE KEY-----") else { return nil }
    guard title == "-----BEGIN OPENSSH PRIVATE KEY-----" else {
      let isLocked = lines[start...].prefix(2).contains {
        String(decoding: $0.prefix(80), as: UTF8.self).contains("ENCRYPTED")
      }
      return .pem(isLocked: isLocked)
    }
    let encoded = lines[(start + 1)...].prefix { !$0.starts(with: begin.prefix(5)) }
    let capacity = encoded.reduce(0) { $0 + $1.count }
    let bytes = SecretBuffer(capacity: capacity) { memory in
      Base64.decode(encoded.lazy.joined(), into: memory)
    }
    return bytes.map(Body.openSSH)
  }

  /// A cipher that locks an OpenSSH key, by the sizes of what it needs.
  private struct Cipher {
    let name: String
    let keyCount: Int
    let ivCount: Int
    let tagCount: Int

    init?(_ name: String) {
      let parts = name.split(whereSeparator: { "-@".contains($0) })
      switch name {
      case "none": (self.name, keyCount, ivCount, tagCount) = ("", 0, 0, 0)
      case "3des-cbc": (self.name, keyCount, ivCount, tagCount) = ("DES-EDE3-CBC", 24, 8, 0)
      case "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr",
        "aes256-ctr", "aes128-cbc", "aes192-cbc", "aes256-cbc":
        let bits = parts[0].dropFirst(3)
        let isGCM = parts[1] == "gcm"
        self.name = "AES-\(bits)-\(parts[1].uppercased())"
        (keyCount, ivCount, tagCount) = ((Int(bits) ?? 0) / 8, isGCM ? 12 : 16, isGCM ? 16 : 0)
      default: return nil
      }
    }
  }

  /// OpenSSH's own form: its head is plain even when the key inside is locked.
  private struct Container: Sendable {
    let cipher: String
    let publicKey: HostKey
    private let kdf: String
    private let salt: [UInt8]
    private let rounds: Int
    private let secret: Range<Int>

    init?(_ bytes: UnsafeRawBufferPointer) {
      var reader = SecretReader(bytes)
      guard let magic = reader.bytes(15), magic.elementsEqual("openssh-key-v1\0".utf8),
        let cipher = reader.text(), let kdf = reader.text(), let options = reader.string(),
        reader.number() == 1, let blob = reader.string(), let count = reader.number(),
        count <= reader.remaining.count
      else { return nil }
      var option = SecretReader(options)
      salt = option.string().map { Array($0) } ?? []
      rounds = option.number() ?? 0
      (self.cipher, self.kdf, publicKey) = (cipher, kdf, HostKey(blob: Array(blob)))
      let start = bytes.count - reader.remaining.count
      secret = start..<start + count
    }

    var isOpenable: Bool { kdf == "none" || kdf == "bcrypt" && rounds > 0 && !salt.isEmpty }

    /// The container's secret part; nil when the passphrase is wrong, as far as that shows here.
    func decrypt(
      _ bytes: UnsafeRawBufferPointer, with cipher: Cipher, passphrase: [UInt8]
    ) -> SecretBuffer? {
      let locked = UnsafeRawBufferPointer(rebasing: bytes[secret])
      guard cipher.keyCount > 0 else {
        return SecretBuffer(capacity: locked.count) { memory in
          memory.copyMemory(from: locked)
          return locked.count
        }
      }
      let tag = bytes[secret.upperBound...].prefix(cipher.tagCount)
      guard tag.count == cipher.tagCount,
        let key = SecretBuffer(
          capacity: cipher.keyCount + cipher.ivCount,
          { memory in
            Bcrypt.derive(memory, from: passphrase, salt: salt, rounds: rounds)
            return memory.count
          })
      else { return nil }
      return key.withBytes { key in
        unlock(locked, cipher, key, tag: UnsafeRawBufferPointer(rebasing: tag))
      }
    }

    private func unlock(
      _ locked: UnsafeRawBufferPointer, _ cipher: Cipher, _ key: UnsafeRawBufferPointer,
      tag: UnsafeRawBufferPointer
    ) -> SecretBuffer? {
      func pointer(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
        bytes.bindMemory(to: UInt8.self).baseAddress
      }
      return SecretBuffer(capacity: locked.count) { plain in
        let start = pointer(key)
        let done = helix_decrypt(
          cipher.name, start, start?.advanced(by: cipher.keyCount),
          cipher.tagCount > 0 ? pointer(tag) : nil, Int32(cipher.tagCount), pointer(locked),
          Int32(locked.count), plain.bindMemory(to: UInt8.self).baseAddress)
        return done != 0 ? locked.count : nil
      }
    }
  }
}
