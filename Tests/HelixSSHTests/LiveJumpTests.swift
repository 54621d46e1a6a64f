import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "hosts behind hosts", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct LiveJumpTests {
  /// Links that share their gates, as a provider's do.
  private actor Gates {
    let trust = Trust()
    private(set) var links: [SSHSettings: HostLink] = [:]

    func link(_ settings: SSHSettings) -> HostLink {
      if let link = links[settings] { return link }
      let link = HostLink(
        settings, trust: trust, limiter: ConnectionLimiter(), gates: { await self.link($0) },
        report: { _ in })
      links[settings] = link
      return link
    }

    func close() async { for link in links.values { await link.close() } }
  }

  private func settings(_ server: SSHServer, _ name: String) throws -> SSHSettings {
    try SSHSettings(server.host(name), local: server.local, policy: .strict)
  }

  @Test("are reached through one connection to each host on the way, however many they are")
  func chain() async throws {
    let (first, second, end) = (try SSHServer(), try SSHServer(), try SSHServer())
    let gates = Gates()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<15 {
        var target = try settings(end, "end-\(number)")
        target.jumps = [try settings(first, "first"), try settings(second, "second")]
        let link = await gates.link(target)
        group.addTask {
          let result = try await link.run(
            RemoteRequest(command: "echo \(number)", limit: .seconds(30)))
          #expect(result.output.text == "\(number)\n")
        }
      }
      try await group.waitForAll()
    }
    #expect(first.log.components(separatedBy: "Accepted publickey").count == 2)
    #expect(second.log.components(separatedBy: "Accepted publickey").count == 2)
    #expect(end.log.components(separatedBy: "Accepted publickey").count == 16)
    await gates.close()
  }

  @Test("get much through unchanged, both ways")
  func bigStreams() async throws {
    let (first, end) = (try SSHServer(), try SSHServer())
    let gates = Gates()
    var target = try settings(end, "end")
    target.jumps = [try settings(first, "first")]
    let bytes = (0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) % 64 + 32 }
    let result = try await gates.link(target).run(
      RemoteRequest(command: "cat", input: .bytes(bytes), limit: .seconds(60)))
    #expect(Array(result.output.text.utf8) == bytes)
    await gates.close()
  }

  @Test("a way that ends in nothing says where")
  func refusals() async throws {
    let (first, end) = (try SSHServer(), try SSHServer())
    let closed = try SSHServer(config: ["AllowTcpForwarding no"])
    var target = try settings(end, "end")
    let gates = Gates()
    func failure() async throws -> Diagnostic {
      let link = await gates.link(target)
      let error = await #expect(throws: SSHError.self) { _ = try await link.liveSession() }
      return try #require(error).diagnostic(target)
    }
    target.jumps = [try settings(closed, "closed")]
    #expect(
      try await failure().summary
        == "on the way through closed: \(target.jumps[0].target) does not connect us with"
        + " [127.0.0.1]:\(end.port)")
    target.jumps = [try settings(first, "first")]
    end.stop()
    #expect(try await failure().summary.hasPrefix("on the way through first: "))
    first.stop()
    target.jumps[0].connectTimeout = .seconds(9)
    let error = try await failure()
    #expect(
      error.summary == "on the way through first: cannot connect to \(target.jumps[0].target)")
    #expect(error.reason == "127.0.0.1: connection refused")
    await gates.close()
  }

  @Test("come back when the host on the way was restarted")
  func brokenGate() async throws {
    let (first, end) = (try SSHServer(), try SSHServer())
    let gates = Gates()
    var target = try settings(end, "end")
    target.jumps = [try settings(first, "first")]
    let link = await gates.link(target)
    let gate = try await gates.link(settings(first, "first"))
    #expect(
      try await link.run(RemoteRequest(command: "echo 1", limit: .seconds(20))).output.text == "1\n"
    )
    _ = try? await gate.run(
      RemoteRequest(
        command: "p=$PPID; while [ \"$(cat /proc/$p/comm)\" != sshd ]; do"
          + " p=$(cut -d' ' -f4 /proc/$p/stat); done; kill -9 $p; sleep 5", limit: .seconds(20)))
    let again = RemoteRequest(command: "echo 2", isQuestion: true, limit: .seconds(20))
    #expect(try await link.run(again).output.text == "2\n")
    await gates.close()
  }
}

@Suite(
  "hosts behind a program", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct LiveProxyTests {
  private func link(_ server: SSHServer, _ command: String) throws -> HostLink {
    var settings = try SSHSettings(server.host(), local: server.local, policy: .strict)
    settings.proxyCommand = command
    return HostLink(settings, trust: Trust(), limiter: ConnectionLimiter()) { _ in }
  }

  /// Carries bytes between its own streams and a port, and ends with either.
  private func carrier(_ folder: ScratchFolder, to port: Int) throws -> String {
    try folder.write(
      """
      import os, select, socket
      far = socket.create_connection(("127.0.0.1", \(port)))
      while True:
          for end in select.select([0, far], [], [])[0]:
              data = os.read(0, 65536) if end == 0 else far.recv(65536)
              if not data:
                  raise SystemExit
              far.sendall(data) if end == 0 else os.write(1, data)

      """, to: "carrier.py")
  }

  @Test("run commands like any other, and the program ends with the connection")
  func works() async throws {
    let server = try SSHServer()
    let folder = try ScratchFolder()
    let path = try carrier(folder, to: server.port)
    let link = try link(server, "python3 \(path)")
    let result = try await link.run(RemoteRequest(command: "echo in", limit: .seconds(20)))
    #expect(result.output.text == "in\n")
    // The brackets keep the search from finding itself.
    let search = folder.file("[c]arrier.py")
    #expect(try runLocally("/usr/bin/pgrep", "-f", search) != "")
    await link.close()
    for _ in 0..<100 where try runLocally("/usr/bin/pgrep", "-f", search) != "" {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(try runLocally("/usr/bin/pgrep", "-f", search) == "")
  }

  @Test("a program that fails is blamed in its own words")
  func fails() async throws {
    let server = try SSHServer()
    let link = try link(server, "sh -c 'echo no way to the gate >&2; exit 3'")
    let error = await #expect(throws: SSHError.self) { _ = try await link.liveSession() }
    #expect(
      error
        == .proxyFailed(
          command: "sh -c 'echo no way to the gate >&2; exit 3'", status: 3,
          lines: ["no way to the gate"]))
    await link.close()
  }
}
