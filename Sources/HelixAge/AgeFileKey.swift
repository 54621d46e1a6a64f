import Crypto
import Foundation

/// The sixteen bytes that a file's payload is encrypted under.
package struct AgeFileKey: Sendable {
  static let size = 16

  let secret: AgeSecret

  /// A key drawn for a new file.
  static func random() -> AgeFileKey {
    AgeFileKey(secret: AgeSecret(count: size) { Self.fill($0) })
  }

  /// Fills memory from the system's source of secrets.
  static func fill(_ memory: UnsafeMutableRawBufferPointer) {
    var generator = SystemRandomNumberGenerator()
    for place in memory.indices { memory[place] = generator.next() }
  }

  /// The key for the header's code.
  func headerCode(over header: [UInt8]) -> [UInt8] {
    let key = derived(salt: [], info: "header")
    return Array(HMAC<SHA256>.authenticationCode(for: header, using: key))
  }

  /// Whether a code is the header's, compared in constant time.
  func isCode(_ code: [UInt8], over header: [UInt8]) -> Bool {
    let key = derived(salt: [], info: "header")
    return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: header, using: key)
  }

  /// The key for the payload that follows a nonce.
  func payloadKey(nonce: [UInt8]) -> SymmetricKey { derived(salt: nonce, info: "payload") }

  private func derived(salt: [UInt8], info: String) -> SymmetricKey {
    HKDF<SHA256>.deriveKey(
      inputKeyMaterial: secret.withBytes { SymmetricKey(data: $0) }, salt: salt,
      info: Array(info.utf8), outputByteCount: 32)
  }
}

// MARK: - Wrapping

extension AgeFileKey {
  private static let tagSize = 16
  /// How long the body of a stanza is that holds a key sealed with ChaCha20-Poly1305.
  static let sealedSize = size + tagSize

  /// The key sealed under one that is used only once, so that the nonce may be zero.
  func sealed(under key: SymmetricKey) throws(AgeProblem) -> [UInt8] {
    let box = secret.withBytes { bytes in
      Result { try ChaChaPoly.seal(bytes, using: key, nonce: Self.zeroNonce()) }
    }
    guard case .success(let box) = box else { throw .key("the file's key cannot be sealed") }
    return Array(box.ciphertext + box.tag)
  }

  /// Opens what `sealed` made; nil when it was made with another key.
  init?(opening body: [UInt8], under key: SymmetricKey) {
    guard body.count == Self.sealedSize,
      let box = try? ChaChaPoly.SealedBox(
        nonce: Self.zeroNonce(), ciphertext: body.prefix(Self.size), tag: body.suffix(Self.tagSize)),
      var plain = try? ChaChaPoly.open(box, using: key)
    else { return nil }
    secret = AgeSecret.taking(&plain)
  }

  private static func zeroNonce() throws -> ChaChaPoly.Nonce {
    try ChaChaPoly.Nonce(data: [UInt8](repeating: 0, count: 12))
  }
}

extension AgeSecret {
  /// Takes over the bytes of what a cipher returned and wipes that.
  static func taking(_ bytes: inout Data) -> AgeSecret {
    let secret = bytes.withUnsafeBytes { AgeSecret($0) }
    bytes.withUnsafeMutableBytes { wipe($0) }
    return secret
  }
}
