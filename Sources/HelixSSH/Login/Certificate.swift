import Glibc

/// An OpenSSH certificate: a public key that an authority has signed for some users.
struct Certificate: Hashable, Sendable {
  /// The whole certificate, as servers are shown it.
  let shown: HostKey
  /// The key that it is about.
  let key: HostKey
  /// How an error names it.
  let name: String

  static let suffix = "-cert-v01@openssh.com"

  /// Takes a certificate apart; nil when it is none, or one for hosts.
  init?(_ shown: HostKey, path: String?) {
    let algorithm = shown.algorithm
    guard algorithm.hasSuffix(Self.suffix) else { return nil }
    let plain = String(algorithm.dropLast(Self.suffix.count))
    var reader = WireReader(shown.blob)
    guard reader.string() != nil, reader.string() != nil,
      let key = Self.key(plain, from: &reader), reader.bytes(8) != nil, reader.number() == 1,
      let id = reader.string(), reader.string() != nil, let start = reader.bytes(8),
      let end = reader.bytes(8)
    else { return nil }
    (self.shown, self.key) = (shown, key)
    let validity = Self.validity(start, end, now: UInt64(max(0, time(nil))))
    let place = path ?? "\(key.word) \(key.fingerprint)"
    name = "certificate \"\(printable(id))\" (\(place)\(validity))"
  }

  private static func key(_ plain: String, from reader: inout WireReader) -> HostKey? {
    let count: Int
    switch plain {
    case "ssh-ed25519": count = 1
    case "ssh-rsa", "sk-ssh-ed25519": count = 2
    case "sk-ecdsa-sha2-nistp256": count = 3
    default: count = plain.hasPrefix("ecdsa-sha2-") ? 2 : 0
    }
    let fields = (0..<count).compactMap { _ in reader.string() }
    guard count > 0, fields.count == count else { return nil }
    let isHardware = plain.hasPrefix("sk-")
    return HostKey(fields: [Array((plain + (isHardware ? "@openssh.com" : "")).utf8)] + fields)
  }

  /// Words for a time that is over or has not begun; servers only say no.
  private static func validity(_ start: [UInt8], _ end: [UInt8], now: UInt64) -> String {
    func number(_ bytes: [UInt8]) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    if now < number(start) { return ", not valid yet" }
    return now >= number(end) ? ", expired" : ""
  }
}

extension HostKey {
  /// The private half never leaves a token.
  var isHardware: Bool { algorithm.hasPrefix("sk-") }
}
