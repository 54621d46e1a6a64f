import Foundation
import HelixModel
import TestSupport

@testable import HelixSSH

/// An SSH server that breaks the rules: `Fixtures/hostile_server.py`, with a port per scenario.
final class HostileServer: Sendable {
  private static let python = [
    ProcessInfo.processInfo.environment["HELIX_ORACLES"].map { "\($0)/bin/python" },
    "/usr/bin/python3",
  ].compactMap(\.self).first { FileManager.default.isExecutableFile(atPath: $0) }

  /// In CI a missing program fails the tests rather than skipping them.
  static let isAvailable: Bool =
    ProcessInfo.processInfo.environment["CI"] == "true"
    || python.map { python in
      (try? runLocally(python, "-c", "import cryptography; print('there')")) == "there\n"
    } ?? false

  /// One for all tests of a process; it ends when the process does.
  static let shared = Result { try HostileServer() }

  private let folder: ScratchFolder
  private let ports: [String: Int]
  private let process: LocalProcess

  init() throws {
    folder = try ScratchFolder()
    _ = try makeKey(in: folder, "host")
    _ = try makeKey(in: folder, "user")
    let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/hostile_server.py").path
    process = try LocalProcess(
      [Self.python ?? "python3", "-B", program, folder.path, String(getpid())],
      log: folder.file("log"))
    for _ in 0..<3000 where process.isRunning && folder.text(of: "ports").isEmpty {
      usleep(20_000)
    }
    let lines = folder.text(of: "ports").split(separator: "\n").map { $0.split(separator: " ") }
    guard !lines.isEmpty else {
      throw Diagnostic("the hostile server did not start: \(folder.text(of: "log"))")
    }
    ports = Dictionary(uniqueKeysWithValues: lines.map { (String($0[0]), Int($0[1]) ?? 0) })
    let key = folder.text(of: "host.pub").split(separator: " ").prefix(2).joined(separator: " ")
    try folder.write("hostile \(key)\n", to: "known_hosts")
  }

  deinit {
    process.terminate()
    process.wait()
  }

  /// Settings that reach the server in one of its moods, with its key known.
  func settings(_ scenario: String, login: Duration = .seconds(20)) throws -> SSHSettings {
    guard let port = ports[scenario] else { throw Diagnostic("no scenario \(scenario)") }
    var settings = try peerSettings(port: port, login: login)
    settings.hostKeyAlias = "hostile"
    settings.userKnownHosts = [folder.file("known_hosts")]
    settings.identityFiles = [folder.file("user")]
    return settings
  }
}

extension SSHServer {
  /// Settings that reach the server through another door, with its key known.
  func settings(through port: Int, login: Duration = .seconds(20)) throws -> SSHSettings {
    var settings = try peerSettings(port: port, login: login)
    settings.user = NSUserName()
    settings.hostKeyAlias = "server"
    settings.userKnownHosts = [
      try folder.write("server \(publicKey())\n", to: "known_through_\(port)")
    ]
    settings.identityFiles = [userKey]
    return settings
  }
}

/// Settings for some port of this machine, with no keys and nothing known.
func peerSettings(
  _ name: String = "peer", address: String = "127.0.0.1", port: Int,
  login: Duration = .seconds(20)
) throws -> SSHSettings {
  let place = SourceLocation(file: "hosts.yaml", line: 1, column: 1)
  let host = HelixModel.Host(
    name: HostName(name), connection: Connection(address: address, port: port), groups: [],
    variables: Mapping(), location: place)
  let local = LocalUser(name: "me", home: "/nonexistent", agentSocket: nil)
  var settings = try SSHSettings(host, local: local, policy: .strict)
  settings.loginTimeout = login
  return settings
}

/// A link of its own to a host.
func peerLink(
  _ settings: SSHSettings, report: @escaping @Sendable (SSHEvent) -> Void = { _ in }
) -> HostLink {
  HostLink(
    settings, trust: Trust(), limiter: ConnectionLimiter(limit: 1000, total: 1000), report: report)
}

/// Does something for each case, some of them at the same time.
func concurrently<Case: Sendable>(
  _ cases: some Sequence<Case>, atOnce: Int = 16,
  _ body: @escaping @Sendable (Case) async throws -> Void
) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for (index, one) in cases.enumerated() {
      if index >= atOnce { _ = try await group.next() }
      group.addTask { try await body(one) }
    }
    try await group.waitForAll()
  }
}
