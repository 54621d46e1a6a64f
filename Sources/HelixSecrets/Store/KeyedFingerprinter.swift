internal import Crypto
package import HelixModel

/// Compares secrets by SHA-256 under the estate's key; see `Fingerprinter` for the construction.
package struct KeyedFingerprinter: Fingerprinter {
  package let key: SecretValue
  private let secrets: any SecretStore

  package init(key: SecretValue, secrets: any SecretStore) {
    self.key = key
    self.secrets = secrets
  }

  package func fingerprint(of text: TemplateText) throws(Diagnostic) -> String? {
    let filled = try secrets.fill(text)
    return filled.missing == nil ? fingerprint(ofValue: filled.value.reveal()) : nil
  }

  /// The fingerprint of a value at hand.
  package func fingerprint(ofValue value: [UInt8]) -> String {
    let prefix = key.reveal() + [UInt8(ascii: ":")]
    let inner = hexadecimal(SHA256.hash(data: prefix + value))
    return hexadecimal(SHA256.hash(data: prefix + Array(inner.utf8)))
  }

  package func digest(of text: String) -> String { sha256(of: text) }
}

/// The SHA-256 of text, in lower-case hex.
package func sha256(of text: String) -> String {
  var text = text
  return text.withUTF8 { bytes in
    var hash = SHA256()
    hash.update(bufferPointer: UnsafeRawBufferPointer(bytes))
    return hexadecimal(hash.finalize())
  }
}

/// Bytes as lower-case hex.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  var digits: [UInt8] = []
  digits.reserveCapacity(64)
  for byte in bytes {
    digits.append(hexDigit(byte >> 4))
    digits.append(hexDigit(byte & 0x0F))
  }
  return String(decoding: digits, as: UTF8.self)
}

private func hexDigit(_ value: UInt8) -> UInt8 {
  value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}
