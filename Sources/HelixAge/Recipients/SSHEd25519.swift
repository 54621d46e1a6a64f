import Crypto
import Foundation
import HelixModel

/// An ed25519 key of SSH, used as one of X25519.
struct SSHEd25519Recipient: AgeRecipient {
  static let stanzaType = "ssh-ed25519"
  fileprivate static let info = Array("age-encryption.org/v1/ssh-ed25519".utf8)

  let publicKey: SSHPublicKey
  private let key: Curve25519.KeyAgreement.PublicKey

  init(_ publicKey: SSHPublicKey) throws(AgeProblem) {
    guard let point = publicKey.point, let bytes = FieldNumber.montgomery(fromEdwards: point),
      let key = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: bytes)
    else { throw .key("it is no usable ed25519 key") }
    (self.publicKey, self.key) = (publicKey, key)
  }

  var text: String { publicKey.text }
  var labels: Set<String> { [] }

  func wrap(_ fileKey: AgeFileKey) throws(AgeProblem) -> AgeStanza {
    let ephemeral = Curve25519.KeyAgreement.PrivateKey()
    let share = Array(ephemeral.publicKey.rawRepresentation)
    guard
      let wrapping = Self.wrappingKey(
        ephemeral, with: key, share: share, recipient: key, publicKey: publicKey)
    else { throw .key("it is no usable ed25519 key") }
    return AgeStanza(
      type: Self.stanzaType, arguments: [publicKey.tag, StrictBase64.text(share)],
      body: try fileKey.sealed(under: wrapping))
  }

  /// The key both sides come to; nil when everybody would.
  ///
  /// The shared secret is multiplied with a number made from the SSH key, which binds it to that.
  fileprivate static func wrappingKey(
    _ secret: Curve25519.KeyAgreement.PrivateKey, with other: Curve25519.KeyAgreement.PublicKey,
    share: [UInt8], recipient: Curve25519.KeyAgreement.PublicKey, publicKey: SSHPublicKey
  ) -> SymmetricKey? {
    let tweak = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: SymmetricKey(data: [UInt8]()), salt: publicKey.blob, info: info,
      outputByteCount: 32)
    guard let plain = secret.sharedSecret(with: other),
      let point = plain.withUnsafeBytes({
        try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: $0)
      }),
      let scalar = tweak.withUnsafeBytes({
        try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: $0)
      }),
      let bound = scalar.sharedSecret(with: point)
    else { return nil }
    return bound.hkdfDerivedSymmetricKey(
      using: SHA256.self, salt: share + Array(recipient.rawRepresentation), sharedInfo: info,
      outputByteCount: 32)
  }
}

/// A private ed25519 key of SSH.
struct SSHEd25519Identity: AgeIdentity {
  let publicKey: SSHPublicKey
  private let key: Curve25519.KeyAgreement.PrivateKey

  /// Nil when it is another sort of key.
  init?(_ key: any SSHPrivateKey) {
    var isEd25519 = false
    let seed = AgeSecret(count: 32) { isEd25519 = key.copyEd25519Seed(to: $0) }
    guard isEd25519, let publicKey = SSHPublicKey(blob: key.publicBlob) else { return nil }
    let hash = seed.withBytes { SHA512.hash(data: $0) }
    let scalar = hash.withUnsafeBytes {
      try? Curve25519.KeyAgreement.PrivateKey(
        rawRepresentation: UnsafeRawBufferPointer(rebasing: $0.prefix(32)))
    }
    guard let scalar else { return nil }
    (self.publicKey, self.key) = (publicKey, scalar)
  }

  var recipients: [String] { [publicKey.text] }

  func unwrap(_ stanzas: [AgeStanza]) throws(AgeProblem) -> AgeFileKey? {
    for stanza in stanzas where stanza.type == SSHEd25519Recipient.stanzaType {
      if let key = try unwrap(stanza) { return key }
    }
    return nil
  }

  private func unwrap(_ stanza: AgeStanza) throws(AgeProblem) -> AgeFileKey? {
    let malformed = AgeProblem.header("an ssh-ed25519 recipient is malformed")
    guard stanza.arguments.count == 2, let share = StrictBase64.decode(stanza.arguments[1]),
      share.count == 32, stanza.body.count == AgeFileKey.sealedSize,
      let theirs = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: share)
    else { throw malformed }
    guard stanza.arguments[0] == publicKey.tag else { return nil }
    let wrapping = SSHEd25519Recipient.wrappingKey(
      key, with: theirs, share: share, recipient: key.publicKey, publicKey: publicKey)
    guard let wrapping else { throw malformed }
    return AgeFileKey(opening: stanza.body, under: wrapping)
  }
}

extension SSHEd25519Identity: CustomStringConvertible, CustomReflectable {
  var description: String { "‹identity of \(publicKey.text)›" }
  var customMirror: Mirror { Mirror(self, children: []) }
}
