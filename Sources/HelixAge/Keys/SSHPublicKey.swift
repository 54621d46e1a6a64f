import Crypto
import Foundation

/// A public SSH key as headers and recipients name it.
struct SSHPublicKey: Hashable, Sendable {
  let algorithm: String
  /// As the SSH protocol has it.
  let blob: [UInt8]
  /// The fields behind the algorithm.
  private let fields: [ArraySlice<UInt8>]

  /// What stands for the key in stanzas, so that not every key must be tried.
  var tag: String { StrictBase64.text(Array(SHA256.hash(data: blob).prefix(4))) }

  var text: String {
    var encoded: [UInt8] = []
    blob.withUnsafeBytes { StrictBase64.append($0, to: &encoded, padded: true) }
    return "\(algorithm) \(String(decoding: encoded, as: UTF8.self))"
  }

  init?(blob: [UInt8]) {
    var (rest, fields): (ArraySlice<UInt8>, [ArraySlice<UInt8>]) = (blob[...], [])
    while !rest.isEmpty {
      guard rest.count >= 4 else { return nil }
      let count = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(4)
      guard rest.count >= count, fields.count < 3 else { return nil }
      fields.append(rest.prefix(count))
      rest = rest.dropFirst(count)
    }
    guard let name = fields.first else { return nil }
    self.blob = blob
    algorithm = String(decoding: name, as: UTF8.self)
    self.fields = Array(fields.dropFirst())
  }

  /// From `ssh-ed25519 AAAA… comment`.
  init?(_ text: String) {
    let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
    guard words.count >= 2 else { return nil }
    var encoded = String(words[1])
    let blob = encoded.withUTF8 { letters -> [UInt8]? in
      var bytes = [UInt8](repeating: 0, count: letters.count / 4 * 3)
      let count = bytes.withUnsafeMutableBytes {
        StrictBase64.decodePadded(UnsafeRawBufferPointer(letters), into: $0)
      }
      return count.map { Array(bytes[..<$0]) }
    }
    guard let blob, let key = SSHPublicKey(blob: blob), key.algorithm == words[0] else {
      return nil
    }
    self = key
  }

  /// The point of an ed25519 key.
  var point: [UInt8]? {
    algorithm == "ssh-ed25519" && fields.count == 1 && fields[0].count == 32
      ? Array(fields[0]) : nil
  }

  /// How long the modulus of an RSA key is.
  var rsaBits: Int? {
    guard algorithm == "ssh-rsa", fields.count == 2 else { return nil }
    let digits = fields[1].drop { $0 == 0 }
    return digits.count * 8 - (digits.first?.leadingZeroBitCount ?? 0)
  }
}
