import HelixModel

/// The second connection of a link, which the system's `ssh` holds for large files.
struct BulkState {
  var link: HostLink?
  /// It could not be made, and is not tried again.
  var isRefused = false
}

extension HostLink {
  /// The link for large files, connected; nil where they stay on this one.
  ///
  /// Nobody is asked, or told, when it cannot be had: it only saves time.
  func bulkLink() async -> HostLink? {
    guard !bulk.isRefused, let wanted = await bulkSettings, !isRetired else { return nil }
    if let old = bulk.link, old.settings != wanted {
      // The first connection was made again, to another address.
      bulk.link = nil
      Task { await old.retire() }
    }
    let link = bulk.link ?? makeBulkLink(wanted)
    bulk.link = link
    do {
      _ = try await link.liveSession()
      return link
    } catch let error as SSHError {
      // What we closed ourselves may be tried again.
      guard error != .closed, !isRetired, !bulk.isRefused else { return nil }
      bulk.isRefused = true
      report(.bulkRefused(settings.host, reason: error.diagnostic(wanted).summary))
      await link.close()
    } catch {
      // Whoever wanted it does so no more.
    }
    return nil
  }

  private func makeBulkLink(_ settings: SSHSettings) -> HostLink {
    HostLink(settings, trust: trust.silent, limiter: limiter) { [host = settings.host, report] in
      switch $0 {
      case .connected: report(.bulkConnected(host))
      case .requested, .touchNeeded: report($0)
      default: break
      }
    }
  }
}

extension SSHSettings {
  /// What a connection that saves a second may take.
  private static let bulkPatience = Duration.seconds(10)

  /// The libssh2 that is linked hands its ciphers to libcrypto in pieces of 16 bytes.
  static let isLibrarySlow = !(Algorithms.able[.cipher] ?? []).contains {
    $0.hasSuffix("-gcm@openssh.com")
  }

  /// The same host for the system's `ssh`, as it was reached and entered before; nil where libssh2
  /// should carry large files too.
  ///
  /// Behind jump hosts and programs every connection means another login on the way, or another
  /// run of the program, which may ask.
  func forBulk(at place: String, _ entrance: Entrance) -> SSHSettings? {
    guard Self.isLibrarySlow, transport == .auto, password == nil, jumps.isEmpty,
      proxyCommand == nil
    else { return nil }
    var other = self
    other.transport = .ssh
    other.hostKeyAlias = knownHostsName.full
    // Behind one name there may be several hosts.
    other.address = place
    other.hostKeyPolicy = .strict
    other.connectionAttempts = 1
    other.connectTimeout = min(connectTimeout, Self.bulkPatience)
    other.loginTimeout = min(loginTimeout, Self.bulkPatience)
    other.systemArguments = bulkArguments + systemArguments
    if case .keyFile(let path) = entrance {
      other.identityFiles = [path]
      other.optionalIdentityFiles = []
      other.defaultIdentityFiles = []
      other.identitiesOnly = true
      other.agentSocket = nil
    }
    return other
  }

  /// What is fast, where nobody chose.
  private var bulkArguments: [String] {
    // By its address, other parts of ssh's configuration may match and lead through other hosts.
    var options = ["Compression=no", "ProxyCommand=none"]
    // The first connection has no better one, and ssh's own choice costs more than it saves here.
    if algorithms.keyExchange == nil { options.append("KexAlgorithms=^curve25519-sha256") }
    if algorithms.cipher == nil { options.append("Ciphers=^aes128-gcm@openssh.com") }
    return options.flatMap { ["-o", $0] }
  }
}
