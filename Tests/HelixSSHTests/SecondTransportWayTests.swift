import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "ways that the system's ssh takes", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct SecondTransportWayTests {
  @Test(
    "a host behind others is reached through them, by the same rules for each",
    .timeLimit(.minutes(1)))
  func jumps() async throws {
    let (first, second) = (try SSHServer(), try SSHServer())
    let end = try SSHServer(config: ["Ciphers chacha20-poly1305@openssh.com"])
    var settings = try SSHSettings(
      end.host("end", transport: .ssh), local: end.local, policy: .strict)
    let gates = [
      try SSHSettings(first.host("first"), local: first.local, policy: .strict),
      try SSHSettings(second.host("second"), local: second.local, policy: .strict),
    ]
    settings.jumps = gates
    let session = SystemSession(settings, loop: .next())
    _ = try await session.logIn(Trust())
    let request = RemoteRequest(command: "echo through", limit: .seconds(30))
    #expect(try await session.run(request) {}.output.text == "through\n")
    await session.close()
    #expect(first.log.contains("Accepted publickey"))
    #expect(second.log.contains("Accepted publickey"))

    func failure() async throws -> Diagnostic {
      let session = SystemSession(settings, loop: .next())
      let error = await #expect(throws: SSHError.self) { _ = try await session.logIn(Trust()) }
      await session.close()
      return try #require(error).diagnostic(settings)
    }
    settings.jumps[1].userKnownHosts = [try first.folder.write("", to: "empty")]
    let unknown = try await failure()
    #expect(
      unknown.summary
        == "on the way through second: the host key of [127.0.0.1]:\(second.port) is not known")
    #expect(
      unknown.reason?.contains(HostKey(line: second.publicKey()).fingerprint) == true)
    settings.jumps = gates
    settings.jumps[1].port = end.port
    settings.port = 1
    let refused = try await failure()
    #expect(refused.summary.hasPrefix("on the way through "))
    let stranger = try makeKey(in: first.folder, "stranger")
    settings.jumps[0] = try SSHSettings(
      first.host("first", key: stranger, options: ["IdentitiesOnly=yes"]), local: first.local,
      policy: .strict)
    #expect(try await failure().summary.hasPrefix("on the way through first: "))
    #expect(try await failure().summary.hasSuffix("refused the login"))
  }

  @Test("others are reached through a host that only the system's ssh can serve")
  func gate() async throws {
    let gate = try SSHServer(config: ["Ciphers chacha20-poly1305@openssh.com"])
    let end = try SSHServer()
    var settings = try SSHSettings(end.host("end"), local: end.local, policy: .strict)
    settings.jumps = [try SSHSettings(gate.host("gate"), local: gate.local, policy: .strict)]
    let trust = Trust()
    let door = HostLink(
      settings.jumps[0], trust: trust, limiter: ConnectionLimiter(), report: { _ in })
    let link = HostLink(
      settings, trust: trust, limiter: ConnectionLimiter(), gates: { _ in door },
      report: { _ in })
    let bytes = (0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) % 64 + 32 }
    let result = try await link.run(
      RemoteRequest(command: "cat", input: .bytes(bytes), limit: .seconds(60)))
    #expect(Array(result.output.text.utf8) == bytes)
    settings.port = 1
    let nowhere = HostLink(
      settings, trust: trust, limiter: ConnectionLimiter(), gates: { _ in door },
      report: { _ in })
    let error = await #expect(throws: SSHError.self) { _ = try await nowhere.liveSession() }
    #expect(
      error?.diagnostic(settings).summary.contains("does not connect us with [127.0.0.1]:1") == true
    )
    await link.close()
    await door.close()
  }

  @Test("a ProxyCommand leads the system's ssh too, and is blamed when it does not")
  func proxyCommand() async throws {
    let server = try SSHServer()
    var settings = try SSHSettings(
      server.host(transport: .ssh), local: server.local, policy: .strict)
    settings.proxyCommand = "sh -c 'echo \"a 100% wrong way\" >&2; exit 3'"
    let lost = SystemSession(settings, loop: .next())
    let error = await #expect(throws: SSHError.self) { _ = try await lost.logIn(Trust()) }
    await lost.close()
    guard case .proxyFailed(let command, _, let lines) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(command == settings.proxyCommand)
    #expect(lines.contains("a 100% wrong way"))
  }
}
