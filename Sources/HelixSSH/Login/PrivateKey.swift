private import CLibSSH2

/// A private key that can sign; libcrypto keeps it, and wipes it in the end.
// @unchecked: nobody changes the key once it is made, and libcrypto reads one from many threads.
final class PrivateKey: @unchecked Sendable {
  /// Its public half, as servers know it.
  let publicKey: HostKey
  private let handle: OpaquePointer

  /// Keys of fewer bits are too weak to be shown to anybody.
  static let leastRSABits = 2048

  /// Takes over a key of libcrypto's; nil when it is of a sort that SSH does not know.
  fileprivate init?(_ handle: OpaquePointer?) {
    guard let handle else { return nil }
    guard let publicKey = Self.publicKey(of: handle) else {
      EVP_PKEY_free(handle)
      return nil
    }
    self.handle = handle
    self.publicKey = publicKey
  }

  deinit { EVP_PKEY_free(handle) }

  /// The signature's bytes inside its envelope, for one of the algorithms that the key can do.
  func sign(_ data: [UInt8], as algorithm: String) -> [UInt8]? {
    let digest = Self.digest(for: algorithm)
    var count = Int(EVP_PKEY_get_size(handle))
    var signature = [UInt8](repeating: 0, count: count)
    guard helix_sign(handle, digest, data, data.count, &signature, &count) != 0 else { return nil }
    signature.removeLast(signature.count - count)
    return algorithm.hasPrefix("ecdsa-") ? Self.pair(signature) : signature
  }

  /// Writes the seed of an ed25519 key into 32 bytes of memory; false for other keys.
  func copyEd25519Seed(to memory: UnsafeMutableRawBufferPointer) -> Bool {
    var count = memory.count
    guard count == 32, EVP_PKEY_is_a(handle, "ED25519") != 0 else { return false }
    let bytes = memory.bindMemory(to: UInt8.self).baseAddress
    return EVP_PKEY_get_raw_private_key(handle, bytes, &count) == 1 && count == 32
  }

  /// Decrypts by OAEP with SHA-256, and says how many bytes came; nil for keys other than RSA, too.
  func open(
    rsa sealed: [UInt8], label: [UInt8], into memory: UnsafeMutableRawBufferPointer
  ) -> Int? {
    let size = Int(EVP_PKEY_get_size(handle))
    guard EVP_PKEY_is_a(handle, "RSA") != 0, sealed.count == size else { return nil }
    // libcrypto wants room for the longest content there could be.
    return SecretBuffer(capacity: size) { plain in
      var count = size
      let bytes = plain.bindMemory(to: UInt8.self).baseAddress
      let done = helix_oaep(handle, 0, label, label.count, sealed, sealed.count, bytes, &count)
      return done != 0 && count <= memory.count ? count : nil
    }.map { plain in
      plain.withBytes { memory.copyMemory(from: $0) }
      return plain.count
    }
  }

  /// Signing takes milliseconds, too long for a loop that others live on.
  var isSlow: Bool { !["ssh-ed25519", "ecdsa-sha2-nistp256"].contains(publicKey.algorithm) }

  private static func digest(for algorithm: String) -> String? {
    let name = algorithm.split(separator: "-cert-").first ?? ""
    switch name {
    case "ecdsa-sha2-nistp256", "rsa-sha2-256": return "SHA256"
    case "ecdsa-sha2-nistp384": return "SHA384"
    case "ecdsa-sha2-nistp521", "rsa-sha2-512": return "SHA512"
    default: return nil
    }
  }

  /// The two numbers of an ecdsa signature as SSH writes them, from DER; both have the same form.
  private static func pair(_ der: [UInt8]) -> [UInt8]? {
    var reader = WireReader(der)
    guard reader.byte() == 0x30, let length = reader.byte() else { return nil }
    // Only the signatures of the longest curve have lengths that need a byte more.
    if length == 0x81 { _ = reader.byte() }
    var pair: [UInt8] = []
    for _ in 0..<2 {
      guard reader.byte() == 2, let count = reader.byte(), let number = reader.bytes(Int(count))
      else { return nil }
      pair.appendString(number)
    }
    return pair
  }
}

extension PrivateKey: CustomStringConvertible, CustomReflectable {
  var description: String { "‹private key of \(publicKey.fingerprint)›" }
  var customMirror: Mirror { Mirror(self, children: []) }
}

// MARK: - Making one

extension PrivateKey {
  /// What reading a PEM text came to.
  enum PEM {
    case key(PrivateKey)
    /// It has a passphrase, and the one given is not it.
    case locked
    /// It is locked with something that libcrypto does not do.
    case unknownCipher
    /// A key, but none for SSH.
    case unsupported
    case broken
  }

  /// Reads PKCS#1, SEC1 or PKCS#8.
  static func readPEM(_ text: SecretBuffer, passphrase: [UInt8]?) -> PEM {
    var outcome = HELIX_PEM_BROKEN
    let handle = text.withBytes { text in
      (passphrase ?? []).withUnsafeBytes { bytes in
        var empty: UInt8 = 0
        return withUnsafePointer(to: &empty) { empty in
          helix_read_pem(
            text.baseAddress, text.count,
            passphrase == nil ? nil : bytes.baseAddress ?? UnsafeRawPointer(empty), bytes.count,
            &outcome)
        }
      }
    }
    switch outcome {
    case HELIX_PEM_READ: return PrivateKey(handle).map(PEM.key) ?? .unsupported
    case HELIX_PEM_LOCKED: return .locked
    case HELIX_PEM_UNKNOWN: return .unknownCipher
    default: return .broken
    }
  }

  /// The key of some type whose fields come next in an OpenSSH container.
  static func read(_ type: String, from reader: inout SecretReader) -> PrivateKey? {
    switch type {
    case "ssh-ed25519":
      guard reader.string() != nil, let secret = reader.string(), secret.count == 64 else {
        return nil
      }
      // The seed, and the public key once more.
      let seed = secret.bindMemory(to: UInt8.self).baseAddress
      return PrivateKey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, 32))
    case "ssh-rsa":
      let parts = (0..<6).compactMap { _ in
        reader.string().map { helix_number(bytes: $0.baseAddress, count: $0.count) }
      }
      return parts.count == 6 ? PrivateKey(helix_rsa_key(parts)) : nil
    default:
      guard let curve = curves.first(where: { type == "ecdsa-sha2-\($0.ssh)" }),
        reader.text() == curve.ssh, let point = reader.string(), let secret = reader.string()
      else { return nil }
      return PrivateKey(
        helix_ec_key(
          curve.libcrypto, point.baseAddress, point.count, secret.baseAddress, secret.count))
    }
  }

  private static let curves: [(ssh: String, libcrypto: String)] = [
    ("nistp256", "prime256v1"), ("nistp384", "secp384r1"), ("nistp521", "secp521r1"),
  ]

  // MARK: The public half

  private static func publicKey(of handle: OpaquePointer) -> HostKey? {
    if EVP_PKEY_is_a(handle, "ED25519") != 0 { return ed25519(handle) }
    if EVP_PKEY_is_a(handle, "EC") != 0 { return ecdsa(handle) }
    return EVP_PKEY_is_a(handle, "RSA") != 0 ? rsa(handle) : nil
  }

  private static func ed25519(_ handle: OpaquePointer) -> HostKey? {
    var count = 32
    var point = [UInt8](repeating: 0, count: count)
    guard EVP_PKEY_get_raw_public_key(handle, &point, &count) == 1 else { return nil }
    return HostKey(fields: ["ssh-ed25519".utf8.map { $0 }, point])
  }

  private static func ecdsa(_ handle: OpaquePointer) -> HostKey? {
    var name = [CChar](repeating: 0, count: 64)
    var point = [UInt8](repeating: 0, count: 256)
    var count = 0
    guard EVP_PKEY_get_group_name(handle, &name, name.count, nil) == 1,
      EVP_PKEY_get_octet_string_param(handle, OSSL_PKEY_PARAM_PUB_KEY, &point, 256, &count) == 1
    else { return nil }
    let group = String(
      decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    guard let curve = curves.first(where: { $0.libcrypto == group }) else { return nil }
    return HostKey(
      fields: [
        Array("ecdsa-sha2-\(curve.ssh)".utf8), Array(curve.ssh.utf8), Array(point[..<count]),
      ]
    )
  }

  private static func rsa(_ handle: OpaquePointer) -> HostKey? {
    func number(_ name: String) -> [UInt8] {
      // A number starts with a zero where it would else look negative.
      var bytes = [UInt8](repeating: 0, count: 2049)
      let count = bytes.withUnsafeMutableBytes {
        helix_key_number(
          handle, name, $0.bindMemory(to: UInt8.self).baseAddress?.advanced(by: 1), 2048)
      }
      return Array(bytes[(bytes[1] < 128 ? 1 : 0)...count])
    }
    let (modulus, exponent) = (number(OSSL_PKEY_PARAM_RSA_N), number(OSSL_PKEY_PARAM_RSA_E))
    guard modulus.count > 1 else { return nil }
    return HostKey(fields: [Array("ssh-rsa".utf8), exponent, modulus])
  }
}
