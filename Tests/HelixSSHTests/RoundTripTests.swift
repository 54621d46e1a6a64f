import Foundation
import HelixModel
import Testing

@testable import HelixSSH

@Suite(
  "round trips over a long line", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct RoundTripTests {
  @Test("an observation costs a login and two round trips, and each further one a single one")
  func observation() async throws {
    let server = try SSHServer()
    let relay = try FaultRelay(to: server.address, port: server.port, .delay(.milliseconds(50)))
    let link = peerLink(try server.settings(through: relay.port))
    _ = try await link.liveSession()
    let login = relay.traffic.waits
    #expect(login <= 7)
    for (number, waits) in [2, 3, 4].enumerated() {
      let script = "uname; echo \(number); cat /etc/os-release"
      let result = try await link.run(
        RemoteRequest(
          command: "sh -s", input: .bytes(Array(script.utf8)), isQuestion: true,
          limit: .seconds(30)))
      #expect(result.output.text.contains("Linux\n\(number)\n"))
      #expect(relay.traffic.waits - login <= waits)
    }
    #expect(relay.traffic.connections == 1)
    await link.close()
  }
}
