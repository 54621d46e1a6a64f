private import CLibSSH2
package import HelixModel

/// SSH keys for encrypting, in libcrypto's hands.
package struct EncryptionKeys: SSHKeys {
  /// Longer numbers would keep libcrypto busy for minutes, if it took them.
  private static let mostBlobBytes = 4096

  package init() {}

  package func read(_ text: SecretValue) throws(SSHKeyRefusal) -> any SSHKeyText {
    let bytes = text.reveal()
    let memory = SecretBuffer(capacity: bytes.count) { memory in
      memory.copyBytes(from: bytes)
      return bytes.count
    }
    guard let memory else { throw .malformed }
    do {
      return EncryptionKeyText(text: try KeyText(memory, path: ""))
    } catch {
      throw error.refusal
    }
  }

  package func seal(
    _ secret: UnsafeRawBufferPointer, toRSA publicBlob: [UInt8], label: [UInt8]
  ) -> [UInt8]? {
    var reader = WireReader(publicBlob)
    guard publicBlob.count <= Self.mostBlobBytes, reader.text() == "ssh-rsa",
      let exponent = reader.string(), let modulus = reader.string(),
      let key = helix_rsa_public_key(
        Array(modulus), modulus.count, Array(exponent), exponent.count)
    else { return nil }
    defer { EVP_PKEY_free(key) }
    var sealed = [UInt8](repeating: 0, count: Int(EVP_PKEY_get_size(key)))
    var count = sealed.count
    let done = helix_oaep(
      key, 1, label, label.count, secret.baseAddress, secret.count, &sealed, &count)
    return done != 0 ? Array(sealed[..<count]) : nil
  }
}

private struct EncryptionKeyText: SSHKeyText {
  let text: KeyText

  var publicBlob: [UInt8]? { text.publicKey?.blob }
  var isLocked: Bool { text.isLocked }

  func key(passphrase: SecretValue?) throws(SSHKeyRefusal) -> any SSHPrivateKey {
    do throws(KeyText.Refusal) {
      return try text.key(passphrase: passphrase)
    } catch .problem(let problem) {
      throw problem.refusal
    } catch {
      throw .wrongPassphrase
    }
  }
}

extension PrivateKey: SSHPrivateKey {
  var publicBlob: [UInt8] { publicKey.blob }
}

extension KeyFileProblem {
  fileprivate var refusal: SSHKeyRefusal {
    switch self {
    case .encrypted, .wrongPassphrase: .wrongPassphrase
    case .cipher(_, let name): .cipher(name)
    case .weak(_, let bits): .weak(bits: bits)
    case .unsupported(_, let algorithm): .unsupported(algorithm: algorithm)
    case .missing, .unreadable, .tooOpen, .malformed: .malformed
    }
  }
}
