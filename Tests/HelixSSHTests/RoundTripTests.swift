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
}
