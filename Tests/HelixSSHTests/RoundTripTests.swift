import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "round trips over a long line", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct RoundTripTests {
  /// sshd takes no input for a command before it has begun it.
  @Test(
    "a question costs two round trips, or three with input; further ones one",
    arguments: [false, true])
  func question(hasInput: Bool) async throws {
    let most = [7, hasInput ? 3 : 2, 1, 1]
    let waits = try await fewest(most) {
      let server = try SSHServer()
      let relay = try FaultRelay(to: server.address, port: server.port, .delay(.milliseconds(50)))
      let link = peerLink(try server.settings(through: relay.port))
      _ = try await link.liveSession()
      var counts = [relay.traffic.waits]
      for number in 0..<3 {
        let script = "uname; echo \(number); cat /etc/os-release"
        let result = try await link.run(
          RemoteRequest(
            command: hasInput ? "sh -s" : script,
            input: hasInput ? .bytes(Array(script.utf8)) : .nothing, isQuestion: true,
            limit: .seconds(30)))
        #expect(result.output.text.contains("Linux\n\(number)\n"))
        counts.append(relay.traffic.waits - counts.reduce(0, +))
      }
      #expect(relay.traffic.connections == 1)
      await link.close()
      return counts
    }
    #expect(zip(waits, most).allSatisfy { $0 <= $1 }, "\(waits) and not \(most)")
  }

  /// The script of a plan travels on standard input, as it holds a key that argv must not show; the
  /// round trip that this costs is one that the login has saved.
  @Test("a plan's question costs no more round trips than ssh's login and two")
  func againstSSH() async throws {
    let ours = try await fewest([8]) {
      let server = try SSHServer()
      let relay = try FaultRelay(to: server.address, port: server.port, .delay(.milliseconds(50)))
      let link = peerLink(try server.settings(through: relay.port))
      let asked = try await link.run(
        RemoteRequest(
          command: "sh -s", input: .bytes(Array("echo said".utf8)), isQuestion: true,
          limit: .seconds(30)))
      #expect(asked.output.text == "said\n")
      await link.close()
      return [relay.traffic.waits]
    }
    let theirs = try await fewest([8]) { [try waitsOfSSH()] }
    #expect(ours[0] <= theirs[0])
  }

  /// What a command costs by the system's ssh: opening a channel and asking for the command are two
  /// round trips behind the login.
  private func waitsOfSSH() throws -> Int {
    let server = try SSHServer()
    let relay = try FaultRelay(to: server.address, port: server.port, .delay(.milliseconds(50)))
    let known = try server.folder.write(
      "[127.0.0.1]:\(relay.port) \(server.publicKey())\n", to: "known_hosts_of_ssh")
    let said = try runLocally(
      SSHClient.program, "-F", "none", "-i", server.userKey, "-o", "IdentitiesOnly=yes", "-o",
      "UserKnownHostsFile=\(known)", "-p", "\(relay.port)", "127.0.0.1", "echo said")
    #expect(said == "said\n")
    return relay.traffic.waits
  }

  /// The fewest waits of up to six goes, each count by itself.
  ///
  /// Who must hear before it speaks is counted every time; a machine under load can only add waits,
  /// when it splits what belongs together, and never take one away.
  private func fewest(
    _ enough: [Int], of measure: () async throws -> [Int]
  ) async throws -> [Int] {
    var least = try await measure()
    for _ in 0..<5 where zip(least, enough).contains(where: { $0 > $1 }) {
      least = zip(least, try await measure()).map { min($0, $1) }
    }
    return least
  }
}
