private import CLibSSH2
import HelixModel

/// A public key as the SSH protocol writes it.
struct HostKey: Hashable, Sendable {
  let blob: [UInt8]

  init(blob: [UInt8]) { self.blob = blob }

  /// A key of which each field is a string.
  init(fields: [[UInt8]]) {
    var blob: [UInt8] = []
    for field in fields { blob.appendString(field) }
    self.init(blob: blob)
  }

  /// `ssh-ed25519`, `ecdsa-sha2-nistp256`: the name inside the key.
  var algorithm: String {
    var reader = WireReader(blob)
    return reader.text() ?? ""
  }

  /// `SHA256:…`, as `ssh-keygen -l` prints it.
  var fingerprint: String {
    var digest = [UInt8](repeating: 0, count: 32)
    _ = helix_sha256(blob, blob.count, &digest)
    let encoded = Base64.encode(digest)
    return "SHA256:" + encoded.prefix { $0 != "=" }
  }

  /// How long an RSA key's modulus is; nil for other keys.
  var rsaBits: Int? {
    var reader = WireReader(blob)
    guard reader.text() == "ssh-rsa", reader.string() != nil, let modulus = reader.string() else {
      return nil
    }
    let digits = modulus.drop { $0 == 0 }
    return digits.count * 8 - (digits.first?.leadingZeroBitCount ?? 0)
  }

  /// `ED25519`, `ECDSA`, `RSA`: the word people know the algorithm by.
  var word: String { Self.word(for: algorithm) }

  static func word(for algorithm: String) -> String {
    switch algorithm {
    case "ssh-ed25519": "ED25519"
    case "ssh-rsa", "rsa-sha2-256", "rsa-sha2-512": "RSA"
    case "ssh-dss": "DSA"
    default: algorithm.hasPrefix("ecdsa-sha2-") ? "ECDSA" : algorithm
    }
  }
}
