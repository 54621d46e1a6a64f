import Foundation
import HelixModel
import Testing

@testable import HelixSSH

@Suite(
  "slow hosts beside good ones", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct SlowHostTests {
  @Test("a hundred silent hosts hold up nobody")
  func hundredSilent() async throws {
    let server = try SSHServer()
    let (met, ended) = (Lock(0), Lock(0))
    let dead = try (2...101).map { number in
      try Listener(on: "127.0.0.\(number)") { peer in
        met.withLock { $0 += 1 }
        waitForEnd(of: peer)
      }
    }
    defer { for listener in dead { listener.stop() } }
    let provider = SSHShellProvider(local: server.local)
    let waits = try dead.enumerated().map { index, listener in
      let host = try silentHost("dead-\(index)", "127.0.0.\(index + 2)", listener.port)
      return Task {
        defer { ended.withLock { $0 += 1 } }
        _ = try await provider.shell(to: host)
      }
    }
    for _ in 0..<3000 where met.withLock({ $0 }) < 100 {
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(met.withLock { $0 } == 100)
    let shell = try await provider.shell(to: server.host())
    #expect(try await shell.run(Command("echo in", become: .never)).output == "in\n")
    #expect(ended.withLock { $0 } == 0)
    for wait in waits { wait.cancel() }
    await provider.closeAll()
  }

  private func silentHost(_ name: String, _ address: String, _ port: Int) throws -> HelixModel.Host
  {
    HelixModel.Host(
      name: HostName(name), connection: Connection(address: address, port: port), groups: [],
      variables: Mapping(), location: SourceLocation(file: "hosts.yaml", line: 1, column: 1))
  }

  @Test(
    "hosts that flood hold up nobody",
    .enabled(if: HostileServer.isAvailable, "python3 with cryptography is not installed"),
    arguments: ["crumb-flood", "noise-flood", "window-ignored"])
  func flooding(_ scenario: String) async throws {
    let server = try SSHServer()
    let ended = Lock(0)
    // As many as there are event loops, so that the good host shares its own with one of them.
    let hostile = try HostileServer()
    let links = try (0..<min(4, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))).map { _ in
      peerLink(try hostile.settings(scenario))
    }
    for link in links { _ = try await link.liveSession() }
    let floods = links.map { link in
      Task {
        defer { ended.withLock { $0 += 1 } }
        _ = try await link.run(RemoteRequest(command: "true", limit: .seconds(100)))
      }
    }
    let good = peerLink(try server.settings(through: server.port))
    for number in 0..<5 {
      let result = try await good.run(RemoteRequest(command: "echo \(number)", limit: .seconds(60)))
      #expect(result.output.text == "\(number)\n")
    }
    #expect(ended.withLock { $0 } == 0)
    for flood in floods { flood.cancel() }
    for link in links { await link.close() }
    await good.close()
  }
}
