private import CLibSSH2

/// Which algorithms are asked for, best first; libssh2 drops those that its version does not know.
///
/// Nothing with SHA-1, MD5, CBC or DSA is ever asked for.
enum Algorithms {
  /// What an algorithm is for.
  enum Purpose: String, CaseIterable, Sendable {
    case keyExchange = "key exchange"
    case hostKey = "host key"
    case cipher
    case mac = "MAC"
  }

  static let keyExchange = [
    "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512", "diffie-hellman-group14-sha256",
    "diffie-hellman-group-exchange-sha256",
  ]
  static let ciphers = [
    "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com",
    "aes128-ctr", "aes256-ctr", "aes192-ctr",
  ]
  static let macs = [
    "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256",
    "hmac-sha2-512",
  ]

  /// All that is ever asked for, best first.
  static func usual(_ purpose: Purpose) -> [String] {
    switch purpose {
    case .keyExchange: keyExchange
    case .hostKey: HostKeyCheck.preferred
    case .cipher: ciphers
    case .mac: macs
    }
  }

  /// What the linked libssh2 can do, found out once.
  static let able: [Purpose: [String]] = {
    guard SSHSession.isLibraryReady, let session = libssh2_session_init_ex(nil, nil, nil, nil)
    else { return [:] }
    defer { libssh2_session_free(session) }
    return [
      .keyExchange: supported(by: session, method: LIBSSH2_METHOD_KEX),
      .hostKey: supported(by: session, method: LIBSSH2_METHOD_HOSTKEY),
      .cipher: supported(by: session, method: LIBSSH2_METHOD_CRYPT_CS),
      .mac: supported(by: session, method: LIBSSH2_METHOD_MAC_CS),
    ]
  }()

  /// What the linked libssh2 can do for one purpose.
  static func supported(
    by session: OpaquePointer, method: Int32
  ) -> [String] {
    var list: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    let count = libssh2_session_supported_algs(session, method, &list)
    guard count > 0, let list else { return [] }
    defer { libssh2_free(session, list) }
    return (0..<Int(count)).compactMap { list[$0].map { String(cString: $0) } }
  }
}

/// Why two sides cannot agree: one purpose, and what each side has for it.
struct AlgorithmGap: Hashable, Sendable {
  let purpose: String
  let offered: [String]
  let ours: [String]

  init(purpose: String, offered: [String], ours: [String]) {
    self.purpose = purpose
    self.offered = offered
    self.ours = ours
  }

  /// The first purpose for which both sides share nothing; nil when they do for all.
  init?(offer: Greeting.Offer, ours: Greeting.Offer) {
    let pairs: [(Algorithms.Purpose, [String], [String])] = [
      (.keyExchange, offer.keyExchange, ours.keyExchange),
      (.hostKey, offer.hostKey, ours.hostKey),
      (.cipher, offer.cipher, ours.cipher),
      (.mac, offer.mac, ours.mac),
    ]
    guard let gap = pairs.first(where: { Set($0.1).isDisjoint(with: $0.2) }) else { return nil }
    purpose = gap.0.rawValue
    offered = gap.1
    self.ours = gap.2
  }
  /// The first purpose for which a choice has left us nothing to offer; nil when there is none.
  init?(nothingLeftIn ours: Greeting.Offer) {
    let pairs: [(Algorithms.Purpose, [String])] = [
      (.keyExchange, ours.keyExchange), (.hostKey, ours.hostKey), (.cipher, ours.cipher),
      (.mac, ours.mac),
    ]
    guard let gap = pairs.first(where: { $0.1.isEmpty }) else { return nil }
    purpose = gap.0.rawValue
    offered = []
    self.ours = []
  }
}
