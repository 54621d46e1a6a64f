import Foundation
import HelixModel
import Testing

@testable import HelixSSH

// Every test here runs in a process of its own: nobody else's memory, threads and descriptors are
// counted.
@Suite(
  "what hostile peers may cost", .tags(.live), .serialized,
  .enabled(if: HostileServer.isAvailable, "python3 with cryptography is not installed"),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(3)))
struct HostileResourceTests {
  @Test(
    "memory stays bounded whatever a server says without end",
    arguments: [
      "ignore-flood", "question-flood", "window-ignored", "noise-flood", "crumb-flood",
    ])
  func flood(_ scenario: String) async {
    await #expect(processExitsWith: .success) { [scenario] in
      try await expectBounded(scenario)
    }
  }

  @Test("memory stays bounded whatever a command prints", arguments: [false, true])
  func output(_ isQuestion: Bool) async {
    await #expect(processExitsWith: .success) { [isQuestion] in
      let server = try SSHServer()
      let link = peerLink(try server.settings(through: server.port))
      let size = 200_000_000
      let before = try await warmed(link)
      let result = try await link.run(
        RemoteRequest(
          command: "head -c \(size) /dev/zero; head -c \(size / 10) /dev/zero >&2; exit 4",
          isQuestion: isQuestion, limit: .seconds(120)))
      #expect(result.status == 4)
      #expect(result.output.isTruncated)
      #expect(result.errors.isTruncated)
      #expect(result.output.text.utf8.count == SSHSession.outputLimit)
      expectGrowth(since: before, below: 64_000_000)
      await link.close()
    }
  }

  @Test("memory stays bounded whatever login shells print beforehand")
  func noise() async {
    await #expect(processExitsWith: .success) {
      let noise = "head -c 40000000 /dev/zero; head -c 40000000 /dev/zero >&2"
      let server = try SSHServer(
        config: ["ForceCommand \(noise); eval \"$SSH_ORIGINAL_COMMAND\""])
      let relay = try FaultRelay(to: server.address, port: server.port)
      let link = peerLink(try server.settings(through: relay.port))
      _ = try await link.liveSession()
      let before = Footprint.peak
      let result = try await link.run(RemoteRequest(command: "echo in", limit: .seconds(120)))
      #expect(result.output.text == "in\n")
      #expect(relay.traffic.toClient > 80_000_000)
      expectGrowth(since: before, below: 32_000_000)
      await link.close()
    }
  }

  @Test("broken connections leave no descriptor, no thread and no memory behind")
  func leaks() async {
    await #expect(processExitsWith: .success) {
      let hostile = try HostileServer()
      let server = try SSHServer(config: ["MaxStartups 1000", "LogLevel QUIET"])
      try await breakConnections(hostile, server, count: 100)
      let before = try await settledFootprint(atMost: 0)
      try await breakConnections(hostile, server, count: 200)
      let after = try await settledFootprint(atMost: before.descriptors)
      #expect(after.descriptors <= before.descriptors)
      #expect(after.threads <= before.threads + 4)
      // A libssh2 session takes 60 KB: two hundred of them would be 12 MB.
      #expect(after.resident - before.resident < 6_000_000)
    }
  }
}

/// Meets a server that floods, and counts what it could make this process hold.
func expectBounded(_ scenario: String) async throws {
  let hostile = try HostileServer()
  let honest = peerLink(try hostile.settings("honest"))
  let before = try await warmed(honest)
  await honest.close()
  let link = peerLink(try hostile.settings(scenario, login: .seconds(3)))
  await #expect(throws: SSHError.self) {
    _ = try await link.run(RemoteRequest(command: "true", limit: .seconds(3)))
  }
  expectGrowth(since: before, below: 64_000_000)
  await link.close()
}

/// Compares the most memory ever used with what was used before.
func expectGrowth(since before: Int, below limit: Int) {
  let growth = Footprint.peak - before
  #expect(growth < limit, "\(growth / 1_000_000) MB")
}

/// The memory of a process that has used SSH already.
func warmed(_ link: HostLink) async throws -> Int {
  _ = try await link.run(RemoteRequest(command: "true", limit: .seconds(60)))
  return Footprint.peak
}

/// Breaks so many connections, in all ways in turn.
private func breakConnections(
  _ hostile: HostileServer, _ server: SSHServer, count: Int
) async throws {
  let scenarios = [
    "silent-after-kexinit", "wrong-signature", "wrong-mac", "rude-goodbye", "rude-refusal",
    "closed-at-once", "silent-after-exec", "goodbye-in-use", "garbage-after-login",
    "rude-algorithms",
  ]
  try await concurrently(0..<count) { index in
    let limit = Duration.milliseconds(500)
    var settings = try hostile.settings(scenarios[index % scenarios.count], login: limit)
    var relay: FaultRelay?
    if index.isMultiple(of: 2) {
      let cut = try FaultRelay(
        to: server.address, port: server.port, .cut(.toClient, after: 2000 + 37 * index))
      settings = try server.settings(through: cut.port)
      relay = cut
    }
    let link = peerLink(settings)
    _ = try? await link.run(
      RemoteRequest(command: "head -c 20000 /dev/zero; cat", limit: limit))
    await link.close()
    relay?.stop()
  }
}

/// What is held once everything has come to rest.
private func settledFootprint(atMost descriptors: Int) async throws -> Footprint {
  var last = Footprint.now
  for _ in 0..<100 {
    try await Task.sleep(for: .milliseconds(100))
    let now = Footprint.now
    if now.descriptors <= descriptors { return now }
    if descriptors == 0, now.descriptors == last.descriptors, now.threads == last.threads {
      return now
    }
    last = now
  }
  return last
}
