/// Does with SSH keys what encryption for them needs.
package protocol SSHKeys: Sendable {
  /// Takes the text of a private key apart, as far as that goes without its passphrase.
  func read(_ text: SecretValue) throws(SSHKeyRefusal) -> any SSHKeyText
  /// Encrypts for a public RSA key by OAEP with SHA-256; nil for a key with which that cannot be done.
  func seal(
    _ secret: UnsafeRawBufferPointer, toRSA publicBlob: [UInt8], label: [UInt8]
  ) -> [UInt8]?
}

/// The text of a private SSH key, which may be locked with a passphrase.
package protocol SSHKeyText: Sendable {
  /// The public half as the SSH protocol has it; nil where only unlocking tells.
  var publicBlob: [UInt8]? { get }
  var isLocked: Bool { get }
  /// The key itself; with a passphrase this takes a good part of a second, on purpose.
  func key(passphrase: SecretValue?) throws(SSHKeyRefusal) -> any SSHPrivateKey
}

/// A private SSH key that can be used.
package protocol SSHPrivateKey: Sendable {
  /// The public half as the SSH protocol has it.
  var publicBlob: [UInt8] { get }
  /// Writes the seed of an ed25519 key into 32 bytes of memory; false for other keys.
  func copyEd25519Seed(to memory: UnsafeMutableRawBufferPointer) -> Bool
  /// Decrypts by OAEP with SHA-256, and says how many bytes came; nil for keys other than RSA, too.
  func open(
    rsa sealed: [UInt8], label: [UInt8], into memory: UnsafeMutableRawBufferPointer
  ) -> Int?
}

/// Why a private key's text gives no key.
package enum SSHKeyRefusal: Error, Hashable, Sendable {
  case malformed
  /// It is locked, and what was given does not unlock it.
  case wrongPassphrase
  /// It is locked with a cipher that nobody here can do.
  case cipher(String?)
  case unsupported(algorithm: String?)
  /// An RSA key of too few bits.
  case weak(bits: Int)
}
