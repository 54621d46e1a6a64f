import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

extension Tag {
  /// Needs a real sshd on this machine.
  @Tag static var live: Self
}

extension TransportChoice {
  /// libssh2, which is taken where it can do all that is needed, and the system's `ssh`.
  static let both: [TransportChoice] = [.auto, .ssh]
}

/// A real sshd of our own on a loopback address, with its own keys and config.
final class SSHServer: Sendable {
  static let program = "/usr/sbin/sshd"
  /// In CI a missing sshd fails the tests rather than skipping them.
  static let isAvailable =
    FileManager.default.isExecutableFile(atPath: program)
    || ProcessInfo.processInfo.environment["CI"] == "true"

  let folder: ScratchFolder
  let address: String
  let port: Int
  let userKey: String
  private let process: LocalProcess
  private let isStopped = Lock(false)

  /// - Parameters:
  ///   - address: Any of 127.0.0.0/8.
  ///   - hostKeys: Types of host keys to make.
  ///   - config: Lines of sshd_config beside the usual ones.
  ///   - environment: Variables that commands get; their home is empty, since the start files of
  ///     whoever runs the tests could do anything.
  ///   - authority: A private key that signs the host keys.
  ///   - certified: The name that the host keys are signed for.
  /// - Throws: A `Diagnostic` with sshd's own words when it does not start.
  init(
    address: String = "127.0.0.1", hostKeys: [String] = ["ed25519"], config: [String] = [],
    environment: [String] = [], authority: String? = nil, certified: String = "127.0.0.1"
  ) throws {
    folder = try ScratchFolder()
    self.address = address
    port = try Self.freePort()
    userKey = try makeKey(in: folder, "user")
    try folder.write(folder.text(of: "user.pub"), to: "authorized_keys")
    var lines = [
      "Port \(port)", "ListenAddress \(address)", "PidFile none", "StrictModes no", "UsePAM no",
      "PermitRootLogin yes", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
      "AuthorizedKeysFile \(folder.file("authorized_keys"))", "UseDNS no", "LogLevel VERBOSE",
      "PrintMotd no",
      "SetEnv " + (["HOME=\(folder.path)"] + environment).joined(separator: " "),
    ]
    for type in hostKeys {
      let key = try makeKey(in: folder, "host_\(type)", type: type)
      lines.append("HostKey \(key)")
      guard let authority else { continue }
      try runLocally(
        "/usr/bin/ssh-keygen", "-q", "-s", authority, "-I", "host", "-h", "-n", certified,
        "\(key).pub")
      lines.append("HostCertificate \(key)-cert.pub")
    }
    let config = try folder.write((config + lines).joined(separator: "\n") + "\n", to: "config")
    if geteuid() == 0 {
      try? FileManager.default.createDirectory(
        atPath: "/run/sshd", withIntermediateDirectories: true)
    }
    process = try LocalProcess([Self.program, "-D", "-e", "-f", config], log: folder.file("log"))
    try waitUntilListening()
  }

  deinit { stop() }

  /// Ends the listener; its connections live on.
  func stop() {
    let isFirst = isStopped.withLock { isStopped in
      defer { isStopped = true }
      return !isStopped
    }
    guard isFirst else { return }
    process.terminate()
    process.wait()
  }

  /// What sshd wrote.
  var log: String { folder.text(of: "log") }

  /// The public key of one type, `ssh-ed25519 AAAA…`.
  func publicKey(_ type: String = "ed25519") -> String {
    folder.text(of: "host_\(type).pub").split(separator: " ").prefix(2).joined(separator: " ")
  }

  /// A known_hosts file with the server's keys.
  func knownHosts(_ types: [String] = ["ed25519"]) throws -> String {
    let lines = types.map { "[\(address)]:\(port) \(publicKey($0))\n" }
    return try folder.write(lines.joined(), to: "known_hosts")
  }

  /// The person who asks, with a home of their own and no agent.
  var local: LocalUser { LocalUser(name: NSUserName(), home: folder.path, agentSocket: nil) }

  /// The server as an inventory host.
  func host(
    _ name: String = "h1", key: String? = nil, knownHosts: String? = nil, user: String? = nil,
    options: [String] = [], address: String? = nil, transport: TransportChoice = .auto
  ) throws -> HelixModel.Host {
    let place = SourceLocation(file: "hosts.yaml", line: 3, column: 7)
    var connection = Connection(
      address: address ?? self.address, port: port, user: user, privateKeyFile: key ?? userKey,
      knownHostsFiles: [try knownHosts ?? self.knownHosts()],
      sshArguments: options.flatMap { ["-o", $0] }.map { Located($0, at: place) })
    connection.transport = transport
    return HelixModel.Host(
      name: HostName(name), connection: connection, groups: ["all"], variables: Mapping(),
      location: place)
  }

  private func waitUntilListening() throws {
    for _ in 0..<3000 {
      if let descriptor = try? connectedSocket(to: address, port: port) {
        close(descriptor)
        return
      }
      guard process.isRunning else { break }
      usleep(20_000)
    }
    throw Diagnostic("sshd did not start: \(log)")
  }

  /// Below those that the system hands out: such a one could be somebody else's before sshd has it.
  private static func freePort() throws -> Int {
    for _ in 0..<1000 {
      let port = nextPort.withLock { port in
        port = port == 31_999 ? 20_000 : port + 1
        return port
      }
      if let listener = try? Listener(port: port) {
        listener.stop()
        return port
      }
    }
    throw Diagnostic("no port is free")
  }

  private static let nextPort = Lock(Int.random(in: 20_000..<32_000))
}

/// A blocking connection to a port.
func connectedSocket(to address: String, port: Int) throws -> Int32 {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  var target = internetAddress(address, port)
  let code = withUnsafePointer(to: &target) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
  guard code == 0 else {
    close(descriptor)
    throw Diagnostic("cannot connect")
  }
  return descriptor
}

func internetAddress(_ address: String, _ port: Int) -> sockaddr_in {
  var target = sockaddr_in()
  target.sin_family = sa_family_t(AF_INET)
  target.sin_port = in_port_t(port).bigEndian
  inet_pton(AF_INET, address, &target.sin_addr)
  return target
}
