import Crypto
import Foundation
package import HelixModel

/// A public key of age's usual sort, `age1…`.
package struct X25519Recipient: AgeRecipient {
  static let prefix = "age"
  static let stanzaType = "X25519"
  private static let info = Array("age-encryption.org/v1/X25519".utf8)

  private let key: Curve25519.KeyAgreement.PublicKey

  init(_ key: Curve25519.KeyAgreement.PublicKey) { self.key = key }

  init(_ bytes: [UInt8]) throws(AgeProblem) {
    guard bytes.count == 32,
      let key = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: bytes)
    else { throw .key("it has the wrong length") }
    self.key = key
  }

  package var text: String { Bech32.encode(prefix: Self.prefix, Array(key.rawRepresentation)) }
  package var labels: Set<String> { [] }

  package func wrap(_ fileKey: AgeFileKey) throws(AgeProblem) -> AgeStanza {
    let ephemeral = Curve25519.KeyAgreement.PrivateKey()
    guard let secret = ephemeral.sharedSecret(with: key) else {
      throw .key("the recipient is no usable public key")
    }
    let share = Array(ephemeral.publicKey.rawRepresentation)
    let wrapping = Self.wrappingKey(secret, share: share, recipient: key)
    return AgeStanza(
      type: Self.stanzaType, arguments: [StrictBase64.text(share)],
      body: try fileKey.sealed(under: wrapping))
  }

  fileprivate static func wrappingKey(
    _ secret: SharedSecret, share: [UInt8], recipient: Curve25519.KeyAgreement.PublicKey
  ) -> SymmetricKey {
    secret.hkdfDerivedSymmetricKey(
      using: SHA256.self, salt: share + Array(recipient.rawRepresentation), sharedInfo: info,
      outputByteCount: 32)
  }
}

/// A secret key of age's usual sort, `AGE-SECRET-KEY-1…`.
package struct X25519Identity: AgeIdentity {
  static let prefix = "AGE-SECRET-KEY-"

  private let key: Curve25519.KeyAgreement.PrivateKey
  /// Its public half.
  package let recipient: X25519Recipient

  init(_ secret: AgeSecret) throws(AgeProblem) {
    guard secret.count == 32,
      let key = secret.withBytes({
        try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: $0)
      })
    else { throw .key("it has the wrong length") }
    self.key = key
    recipient = X25519Recipient(key.publicKey)
  }

  package var recipients: [String] { [recipient.text] }

  /// The key as key files have it.
  package var text: SecretValue {
    var bytes = Array(key.rawRepresentation)
    defer { bytes.withUnsafeMutableBytes { AgeSecret.wipe($0) } }
    return SecretValue(Bech32.encode(prefix: Self.prefix, bytes))
  }

  package func unwrap(_ stanzas: [AgeStanza]) throws(AgeProblem) -> AgeFileKey? {
    for stanza in stanzas where stanza.type == X25519Recipient.stanzaType {
      if let key = try unwrap(stanza) { return key }
    }
    return nil
  }

  private func unwrap(_ stanza: AgeStanza) throws(AgeProblem) -> AgeFileKey? {
    guard stanza.arguments.count == 1, let share = StrictBase64.decode(stanza.arguments[0]),
      share.count == 32, stanza.body.count == AgeFileKey.sealedSize,
      let theirs = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: share),
      let secret = key.sharedSecret(with: theirs)
    else { throw .header("an X25519 recipient is malformed") }
    let wrapping = X25519Recipient.wrappingKey(secret, share: share, recipient: key.publicKey)
    return AgeFileKey(opening: stanza.body, under: wrapping)
  }
}

extension X25519Identity: CustomStringConvertible, CustomReflectable {
  package var description: String { "‹identity of \(recipient.text)›" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension Curve25519.KeyAgreement.PrivateKey {
  /// What both sides know; nil for a public key with which everybody would know it.
  ///
  /// For points of low order the result is zero, which the library does not refuse.
  func sharedSecret(with key: Curve25519.KeyAgreement.PublicKey) -> SharedSecret? {
    guard let secret = try? sharedSecretFromKeyAgreement(with: key) else { return nil }
    return secret.withUnsafeBytes { $0.reduce(0, |) } == 0 ? nil : secret
  }
}
