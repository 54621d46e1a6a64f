import HelixModel

/// An RSA key of SSH.
struct SSHRSARecipient: AgeRecipient {
  static let stanzaType = "ssh-rsa"
  static let label = Array("age-encryption.org/v1/ssh-rsa".utf8)
  /// Shorter keys are too weak to be trusted with anything.
  private static let leastBits = 2048

  let publicKey: SSHPublicKey
  private let keys: any SSHKeys

  init(_ publicKey: SSHPublicKey, _ keys: any SSHKeys) throws(AgeProblem) {
    guard let bits = publicKey.rsaBits else { throw .key("it is no usable RSA key") }
    guard bits >= Self.leastBits else { throw .key("an RSA key of \(bits) bits is too weak") }
    (self.publicKey, self.keys) = (publicKey, keys)
  }

  var text: String { publicKey.text }
  var labels: Set<String> { [] }

  func wrap(_ fileKey: AgeFileKey) throws(AgeProblem) -> AgeStanza {
    let body = fileKey.secret.withBytes { bytes in
      keys.seal(bytes, toRSA: publicKey.blob, label: Self.label)
    }
    guard let body else { throw .key("it is no usable RSA key") }
    return AgeStanza(type: Self.stanzaType, arguments: [publicKey.tag], body: body)
  }
}

/// A private RSA key of SSH.
struct SSHRSAIdentity: AgeIdentity {
  let publicKey: SSHPublicKey
  private let key: any SSHPrivateKey

  /// Nil when it is another sort of key.
  init?(_ key: any SSHPrivateKey) {
    guard let publicKey = SSHPublicKey(blob: key.publicBlob), publicKey.rsaBits != nil else {
      return nil
    }
    (self.publicKey, self.key) = (publicKey, key)
  }

  var recipients: [String] { [publicKey.text] }

  func unwrap(_ stanzas: [AgeStanza]) throws(AgeProblem) -> AgeFileKey? {
    for stanza in stanzas where stanza.type == SSHRSARecipient.stanzaType {
      guard stanza.arguments.count == 1 else {
        throw .header("an ssh-rsa recipient is malformed")
      }
      if stanza.arguments[0] == publicKey.tag, let key = unwrap(stanza) { return key }
    }
    return nil
  }

  private func unwrap(_ stanza: AgeStanza) -> AgeFileKey? {
    var count: Int?
    let secret = AgeSecret(count: AgeFileKey.size) {
      count = key.open(rsa: stanza.body, label: SSHRSARecipient.label, into: $0)
    }
    return count == AgeFileKey.size ? AgeFileKey(secret: secret) : nil
  }
}

extension SSHRSAIdentity: CustomStringConvertible, CustomReflectable {
  var description: String { "‹identity of an RSA key›" }
  var customMirror: Mirror { Mirror(self, children: []) }
}
