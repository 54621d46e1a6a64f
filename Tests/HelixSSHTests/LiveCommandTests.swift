import Foundation
import HelixModel
import Testing

@testable import HelixSSH

@Suite(
  "commands on a real sshd", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct LiveCommandTests {
  let server: SSHServer
  let provider: SSHShellProvider
  let events = EventLog()

  init() throws {
    server = try SSHServer()
    provider = SSHShellProvider(local: server.local, report: events.add)
  }

  @Test("a command gives its status, output and errors")
  func statusAndStreams() async throws {
    let shell = try await provider.shell(to: server.host())
    let output = try await shell.run(Command("echo out; echo err >&2; exit 3", become: .never))
    #expect(output == CommandOutput(status: 3, output: "out\n", errors: "err\n"))
    await provider.closeAll()
  }
}

/// Collects events from any thread.
final class EventLog: Sendable {
  private let events = Lock<[SSHEvent]>([])
  var all: [SSHEvent] { events.withLock { $0 } }
  var add: @Sendable (SSHEvent) -> Void { { event in self.events.withLock { $0.append(event) } } }
  func count(_ matches: (SSHEvent) -> Bool) -> Int { all.filter(matches).count }
}
