import Crypto
import Foundation
package import HelixModel

/// A public key that holds against quantum computers, too: `age1pq1…`.
package struct HybridRecipient: AgeRecipient {
  static let prefix = "age1pq"
  static let stanzaType = "mlkem768x25519"
  static let label = "postquantum"
  static let shareSize = 1120
  static let info = Data("age-encryption.org/mlkem768x25519".utf8)
  static let suite = HPKE.Ciphersuite(
    kem: .XWingMLKEM768X25519, kdf: .HKDF_SHA256, aead: .chaChaPoly)

  private let key: XWingMLKEM768X25519.PublicKey

  init(_ key: XWingMLKEM768X25519.PublicKey) { self.key = key }

  init(_ bytes: [UInt8]) throws(AgeProblem) {
    guard let key = try? XWingMLKEM768X25519.PublicKey(rawRepresentation: bytes) else {
      throw .key("it has the wrong length")
    }
    // Only using it shows whether its numbers are in range.
    guard (try? key.encapsulate()) != nil else { throw .key("it is no usable public key") }
    self.key = key
  }

  package var text: String { Bech32.encode(prefix: Self.prefix, Array(key.rawRepresentation)) }
  package var labels: Set<String> { [Self.label] }

  package func wrap(_ fileKey: AgeFileKey) throws(AgeProblem) -> AgeStanza {
    let sealed = fileKey.secret.withBytes { bytes in
      Result {
        var sender = try HPKE.Sender(recipientKey: key, ciphersuite: Self.suite, info: Self.info)
        return (sender.encapsulatedKey, try sender.seal(bytes))
      }
    }
    guard case .success(let (share, body)) = sealed else {
      throw .key("the recipient is no usable public key")
    }
    return AgeStanza(
      type: Self.stanzaType, arguments: [StrictBase64.text(Array(share))], body: Array(body))
  }
}

/// A secret key that holds against quantum computers, too: `AGE-SECRET-KEY-PQ-1…`.
package struct HybridIdentity: AgeIdentity {
  static let prefix = "AGE-SECRET-KEY-PQ-"

  private let key: XWingMLKEM768X25519.PrivateKey
  /// Its public half.
  package let recipient: HybridRecipient

  init(_ seed: AgeSecret) throws(AgeProblem) {
    let key = seed.withBytes { bytes in
      try? XWingMLKEM768X25519.PrivateKey(seedRepresentation: bytes, publicKey: nil)
    }
    guard seed.count == 32, let key else { throw .key("it has the wrong length") }
    self.key = key
    recipient = HybridRecipient(key.publicKey)
  }

  package var recipients: [String] { [recipient.text] }

  /// The key as key files have it.
  package var text: SecretValue {
    var bytes = Array(key.seedRepresentation)
    defer { bytes.withUnsafeMutableBytes { AgeSecret.wipe($0) } }
    return SecretValue(Bech32.encode(prefix: Self.prefix, bytes))
  }

  package func unwrap(_ stanzas: [AgeStanza]) throws(AgeProblem) -> AgeFileKey? {
    for stanza in stanzas where stanza.type == HybridRecipient.stanzaType {
      if let key = try unwrap(stanza) { return key }
    }
    return nil
  }

  private func unwrap(_ stanza: AgeStanza) throws(AgeProblem) -> AgeFileKey? {
    // Another key's share gives some other secret, which only opening the body shows; what fails here
    // is a share that is no use to anybody.
    guard stanza.arguments.count == 1, let share = StrictBase64.decode(stanza.arguments[0]),
      share.count == HybridRecipient.shareSize, stanza.body.count == AgeFileKey.sealedSize,
      var opener = try? HPKE.Recipient(
        privateKey: key, ciphersuite: HybridRecipient.suite, info: HybridRecipient.info,
        encapsulatedKey: Data(share))
    else { throw .header("a post-quantum recipient is malformed") }
    guard var plain = try? opener.open(stanza.body) else { return nil }
    return AgeFileKey(secret: AgeSecret.taking(&plain))
  }
}

extension HybridIdentity: CustomStringConvertible, CustomReflectable {
  package var description: String { "‹identity of \(recipient.text.prefix(20))…›" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
