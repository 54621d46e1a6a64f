import HelixModel

/// An open way to a host.
struct OpenRoute: Sendable {
  /// Connected and non-blocking.
  let descriptor: Int32
  /// What is at the other end, in words.
  let address: String
  /// The program that carries the bytes, to be ended with the connection.
  var proxy: ChildProcess?
}

/// The way of the bytes to a host: straight, through another host, or through a program.
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

  /// Opens the last part of the way, which ends at the host's sshd.
  func open() async throws -> OpenRoute {
    if let command = settings.proxyCommand {
      let (descriptor, child) = try ChildProcess.connected(command, loop: loop)
      return OpenRoute(descriptor: descriptor, address: settings.address, proxy: child)
    }
    if let gate {
      let descriptor = try await Self.named(gate.settings) {
        try await gate.link.tunnel(to: settings.address, port: settings.port)
      }
      return OpenRoute(
        descriptor: descriptor, address: "\(settings.address) through \(gate.settings.host)")
    }
    let dialer = Dialer(loop: loop)
    let addresses = try await dialer.resolve(settings)
    let (descriptor, address) = try await dialer.dial(addresses, limit: settings.connectTimeout)
    return OpenRoute(descriptor: descriptor, address: address.text)
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

  /// All hosts on the way to this one.
  var gates: [SSHSettings] { gate.map { [$0] + $0.gates } ?? [] }

  /// What stands for the server where logins under way are counted.
  ///
  /// Whoever logs in, it is the same sshd.
  var limitedName: String {
    ([self] + jumps).map { "\($0.address):\($0.port)" }.joined(separator: " ")
  }
}
