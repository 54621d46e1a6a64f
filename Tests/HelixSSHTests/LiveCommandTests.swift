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
    server = try SSHServer(config: ["MaxStartups 200"])
    provider = SSHShellProvider(local: server.local, report: events.add)
  }

  @Test("a command gives its status, output and errors")
  func statusAndStreams() async throws {
    let shell = try await provider.shell(to: server.host())
    let output = try await shell.run(Command("echo out; echo err >&2; exit 3", become: .never))
    #expect(output == CommandOutput(status: 3, output: "out\n", errors: "err\n"))
    await provider.closeAll()
  }

  @Test("a command ended by a signal gives 128 and the signal's number")
  func signal() async throws {
    let shell = try await provider.shell(to: server.host())
    let output = try await shell.run(Command("kill -TERM $$; sleep 5", become: .never))
    #expect(output.status == 128 + 15)
    await provider.closeAll()
  }

  @Test("quotes, newlines and dollars reach the remote shell as written")
  func quoting() async throws {
    let shell = try await provider.shell(to: server.host())
    let line = "x='a b'\nprintf '%s|' \"$x\" 'it'\\''s' \"\\$HOME\" `echo 1`"
    let output = try await shell.run(Command(line, become: .never))
    #expect(output.output == "a b|it's|$HOME|1|")
    await provider.closeAll()
  }

  @Test("8 MiB of input and output pass unchanged, the kept part being the first")
  func bigStreams() async throws {
    let shell = try await provider.shell(to: server.host())
    let pattern = String((0..<64).map { Character(UnicodeScalar(33 + $0)) }) + "\n"
    let text = String(repeating: pattern, count: 8 * 1024 * 1024 / pattern.utf8.count)
    let hash = try await shell.run(
      Command("sha256sum", input: .text(text), become: .never))
    let folder = try ScratchFolder()
    let path = try folder.write(text, to: "big")
    let expected = try runLocally("/usr/bin/sha256sum", path)
    #expect(hash.output.prefix(64) == expected.prefix(64))
    let fromFile = try await shell.run(
      Command("sha256sum", input: .file(path: path), become: .never))
    #expect(fromFile.output.prefix(64) == expected.prefix(64))
    let echo = try await shell.run(Command("cat", input: .text(text), become: .never))
    #expect(echo.isTruncated)
    #expect(echo.output.utf8.count == SSHSession.outputLimit)
    #expect(text.hasPrefix(echo.output))
    await provider.closeAll()
  }

  @Test("a command that does not read its input ends all the same")
  func unreadInput() async throws {
    let shell = try await provider.shell(to: server.host())
    let text = String(repeating: "x", count: 8 * 1024 * 1024)
    let output = try await shell.run(Command("exit 4", input: .text(text), become: .never))
    #expect(output.status == 4)
    await provider.closeAll()
  }

  @Test("a command may close its output and go on reading")
  func closedOutput() async throws {
    let shell = try await provider.shell(to: server.host())
    let path = server.folder.file("late")
    let text = String(repeating: "y", count: 4 * 1024 * 1024)
    let output = try await shell.run(
      Command("exec >/dev/null 2>&1; cat >\(path)", input: .text(text), become: .never))
    #expect(output.status == 0)
    #expect(server.folder.text(of: "late").utf8.count == text.utf8.count)
    await provider.closeAll()
  }

  @Test("a missing input file is found before anything runs")
  func missingInput() async throws {
    let shell = try await provider.shell(to: server.host())
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.run(Command("true", input: .file(path: "/no/such/file"), become: .never))
    }
    #expect(error?.summary == "cannot read /no/such/file")
    #expect(events.count { $0 == .requested("h1") } == 0)
    await provider.closeAll()
  }

  @Test("twenty commands at once share one session, whatever its limit of channels")
  func manyCommands() async throws {
    let shell = try await provider.shell(to: server.host())
    let outputs = try await withThrowingTaskGroup(of: String.self) { group in
      for number in 0..<20 {
        group.addTask {
          try await shell.run(Command("sleep 0.1; echo \(number)", become: .never)).output
        }
      }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(outputs == Set((0..<20).map { "\($0)\n" }))
    #expect(events.count { if case .connected = $0 { true } else { false } } == 1)
    #expect(events.count { $0 == .requested("h1") } == 20)
    await provider.closeAll()
  }

  @Test("asking for one host many times at once connects once")
  func sharedConnection() async throws {
    let host = try server.host()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<20 {
        group.addTask { [provider] in
          let shell = try await provider.shell(to: host)
          _ = try await shell.run(Command("true", become: .never))
        }
      }
      try await group.waitForAll()
    }
    #expect(events.count { if case .connected = $0 { true } else { false } } == 1)
    await provider.closeAll()
  }

  @Test("fifty hosts are asked at once")
  func manyHosts() async throws {
    let hosts = try (1...50).map { try server.host("h\($0)") }
    let outputs = try await withThrowingTaskGroup(of: String.self) { group in
      for host in hosts {
        group.addTask { [provider] in
          let shell = try await provider.shell(to: host)
          return try await shell.run(Command("echo \(host.name)", become: .never)).output
        }
      }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(outputs == Set((1...50).map { "h\($0)\n" }))
    await provider.closeAll()
  }

  @Test("a command over its time is ended on the host, and the session goes on")
  func timeout() async throws {
    let shell = try await provider.shell(to: server.host())
    let mark = "31\(UInt16.random(in: 1000...9999))"
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.run(
        Command("sleep \(mark); echo late", become: .never, timeout: .milliseconds(300)))
    }
    #expect(error?.summary == "the command took longer than 0.3 s")
    #expect(try await isGone("sleep \(mark)", shell))
    #expect(events.count { if case .connected = $0 { true } else { false } } == 1)
    await provider.closeAll()
  }

  @Test("a cancelled command is ended on the host, and the session goes on")
  func cancellation() async throws {
    let shell = try await provider.shell(to: server.host())
    let mark = "32\(UInt16.random(in: 1000...9999))"
    let task = Task { try await shell.run(Command("sleep \(mark)", become: .never)) }
    try await Task.sleep(for: .milliseconds(300))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await isGone("sleep \(mark)", shell))
    await provider.closeAll()
  }

  @Test("a command that was given up is ended on the host even when the session ends at once")
  func givenUpAndClosed() async throws {
    let shell = try await provider.shell(to: server.host())
    let mark = "33\(UInt16.random(in: 1000...9999))"
    await #expect(throws: Diagnostic.self) {
      try await shell.run(
        Command("sleep \(mark); echo late", become: .never, timeout: .milliseconds(300)))
    }
    await provider.closeAll()
    #expect(try await isGone("sleep \(mark)", provider.shell(to: server.host())))
    await provider.closeAll()
  }

  @Test("a flood of output keeps neither memory nor other commands")
  func flood() async throws {
    let shell = try await provider.shell(to: server.host())
    let flood = Task {
      try await shell.run(Command("yes", become: .never, timeout: .seconds(2)))
    }
    try await Task.sleep(for: .milliseconds(300))
    let other = try await shell.run(Command("echo still", become: .never))
    #expect(other.output == "still\n")
    await #expect(throws: Diagnostic.self) { try await flood.value }
    await provider.closeAll()
  }

  @Test("invalid UTF-8 is repaired")
  func invalidText() async throws {
    let shell = try await provider.shell(to: server.host())
    let output = try await shell.run(Command("printf 'a\\377b'", become: .never))
    #expect(output.output == "a\u{FFFD}b")
    await provider.closeAll()
  }

  @Test("a command too long for one packet is refused with words")
  func longCommand() async throws {
    let shell = try await provider.shell(to: server.host())
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.run(
        Command("true " + String(repeating: "x", count: 40_000), become: .never))
    }
    #expect(error?.remedy == "send it as the input of sh")
    await provider.closeAll()
  }

  @Test("a long command that still fits runs")
  func fittingCommand() async throws {
    let shell = try await provider.shell(to: server.host())
    let line = "echo " + String(repeating: "x", count: 29_000)
    let output = try await shell.run(Command(line, become: .never))
    #expect(output.output.utf8.count == 29_001)
    await provider.closeAll()
  }

  /// Whether a process with these words in its arguments ends within some seconds.
  private func isGone(_ words: String, _ shell: any Shell) async throws -> Bool {
    for _ in 0..<40 {
      // The brackets keep the search from finding itself.
      let search = "grep -lsa '[s]leep.\(words.dropFirst(6))' /proc/[0-9]*/cmdline"
      let output = try await shell.run(Command(search, become: .never))
      if output.output.isEmpty { return true }
      try await Task.sleep(for: .milliseconds(100))
    }
    return false
  }
}

/// Collects events from any thread.
final class EventLog: Sendable {
  private let events = Lock<[SSHEvent]>([])
  var all: [SSHEvent] { events.withLock { $0 } }
  var add: @Sendable (SSHEvent) -> Void { { event in self.events.withLock { $0.append(event) } } }
  func count(_ matches: (SSHEvent) -> Bool) -> Int { all.filter(matches).count }
}
