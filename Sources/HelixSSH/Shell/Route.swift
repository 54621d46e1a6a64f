import HelixModel

/// The way of the bytes to a host: straight, or through another host.
struct Route: Sendable {
  let loop: EventLoop
  private let settings: SSHSettings
  private let gate: (settings: SSHSettings, link: HostLink)?

  /// Makes the way ready up to the last host before the end.
  init(_ settings: SSHSettings, gates: HostLink.Gates) async throws {
    self.settings = settings
    loop = .next()
    guard let gate = settings.gate else {
      self.gate = nil
      return
    }
    self.gate = try await Self.named(gate) {
      let link = try await gates(gate)
      _ = try await link.liveSession()
      return (gate, link)
    }
  }

  /// A connected, non-blocking descriptor, and the address at its other end in words.
  func open() async throws -> (descriptor: Int32, address: String) {
    if let gate {
      let descriptor = try await Self.named(gate.settings) {
        try await gate.link.tunnel(to: settings.address, port: settings.port)
      }
      return (descriptor, "\(settings.address) through \(gate.settings.host)")
    }
    let dialer = Dialer(loop: loop)
    let addresses = try await dialer.resolve(settings)
    let (descriptor, address) = try await dialer.dial(addresses, limit: settings.connectTimeout)
    return (descriptor, address.text)
  }

  /// An error on the way says which host met it.
  private static func named<Value: Sendable>(
    _ gate: SSHSettings, _ body: () async throws -> Value
  ) async throws -> Value {
    do {
      return try await body()
    } catch let error as SSHError {
      throw SSHError.gate(gate, error)
    }
  }
}

extension SSHSettings {
  /// The last host on the way to this one, itself reached through those before it.
  var gate: SSHSettings? {
    guard var gate = jumps.last else { return nil }
    gate.jumps = Array(jumps.dropLast())
    return gate
  }

  /// What stands for the server where logins under way are counted.
  var limitedName: String { ([self] + jumps).map(\.target).joined(separator: " ") }
}
