import Foundation
import HelixModel
import Testing

@testable import HelixSSH

@Suite(
  "what a hostile server still gets", .tags(.live),
  .enabled(if: HostileServer.isAvailable, "python3 with cryptography is not installed"),
  .timeLimit(.minutes(2)))
struct HostileClaimTests {
  @Test("a command that ends without a status is no success")
  func noStatus() async throws {
    let link = peerLink(try HostileServer.shared.get().settings("closed-without-status"))
    do {
      let result = try await link.run(RemoteRequest(command: "exit 3", limit: .seconds(20)))
      #expect(result.status == 3)
    } catch is SSHError {}
    await link.close()
  }

  @Test("closing ends a command that waits for its turn, and no connection is made for it")
  func closeWhileWaiting() async throws {
    let link = peerLink(try HostileServer.shared.get().settings("silent-after-login"))
    _ = try await link.liveSession()
    let task = Task {
      _ = try await link.run(RemoteRequest(command: "true", limit: .seconds(10)))
    }
    try await Task.sleep(for: .seconds(1))
    await link.close()
    await #expect(throws: SSHError.closed) { try await task.value }
    await link.close()
  }

  @Test(
    "memory stays bounded whatever packets come that nobody asked for",
    arguments: ["kexinit-flood", "banner-flood", "stranger-flood"])
  func strangerFlood(_ scenario: String) async {
    await #expect(processExitsWith: .success) { [scenario] in
      try await expectBounded(scenario)
    }
  }

  @Test("memory stays bounded when the end of an answer never ends")
  func endlessEnding() async {
    await #expect(processExitsWith: .success) {
      let server = try SSHServer()
      let link = peerLink(try server.settings(through: server.port))
      let before = try await warmed(link)
      let flood = "printf '\\n%s ' \"$helix_mark\"; head -c 200000000 /dev/zero"
      do {
        _ = try await link.run(
          RemoteRequest(command: flood, isQuestion: true, limit: .seconds(20)))
      } catch SSHError.commandTimedOut {
        Issue.record("the ending was looked through again and again")
      } catch is SSHError {}
      expectGrowth(since: before, below: 64_000_000)
      await link.close()
    }
  }
}
