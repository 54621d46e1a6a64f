import Foundation
import HelixModel
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
    let server = try SSHServer()
    let relay = try FaultRelay(to: server.address, port: server.port, .delay(.milliseconds(50)))
    let link = peerLink(try server.settings(through: relay.port))
    _ = try await link.liveSession()
    let login = relay.traffic.waits
    #expect(login <= 7)
    for number in 0..<3 {
      let script = "uname; echo \(number); cat /etc/os-release"
      let waits = number + (hasInput ? 3 : 2)
      let result = try await link.run(
        RemoteRequest(
          command: hasInput ? "sh -s" : script,
          input: hasInput ? .bytes(Array(script.utf8)) : .nothing, isQuestion: true,
          limit: .seconds(30)))
      #expect(result.output.text.contains("Linux\n\(number)\n"))
      #expect(relay.traffic.waits - login <= waits)
    }
    #expect(relay.traffic.connections == 1)
    await link.close()
  }

  /// The script of a plan travels on standard input, as it holds a key that argv must not show; the
  /// round trip that this costs is one that the login has saved.
  @Test("a plan's question costs no more round trips than ssh's login and two")
  func againstSSH() async throws {
    let server = try SSHServer()
    let relay = try FaultRelay(to: server.address, port: server.port, .delay(.milliseconds(50)))
    let link = peerLink(try server.settings(through: relay.port))
    let asked = try await link.run(
      RemoteRequest(
        command: "sh -s", input: .bytes(Array("echo said".utf8)), isQuestion: true,
        limit: .seconds(30)))
    #expect(asked.output.text == "said\n")
    await link.close()

    let other = try FaultRelay(to: server.address, port: server.port, .delay(.milliseconds(50)))
    let known = try server.folder.write(
      "[127.0.0.1]:\(other.port) \(server.publicKey())\n", to: "known_hosts_of_ssh")
    // Opening a channel and asking for a command are two round trips behind the login.
    let said = try runLocally(
      SSHClient.program, "-F", "none", "-i", server.userKey, "-o", "IdentitiesOnly=yes", "-o",
      "UserKnownHostsFile=\(known)", "-p", "\(other.port)", "127.0.0.1", "echo said")
    #expect(said == "said\n")
    #expect(relay.traffic.waits <= other.traffic.waits)
  }
}
