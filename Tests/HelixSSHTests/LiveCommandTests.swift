import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "commands on a real sshd, whoever speaks ssh", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct LiveCommandTests {
  let server: SSHServer
  let provider: SSHShellProvider
  let events = EventLog()

  init() throws {
    server = try SSHServer(config: ["MaxStartups 200"])
    provider = SSHShellProvider(local: server.local, report: events.add)
  }

  @Test("a command gives its status, output and errors", arguments: TransportChoice.both)
  func statusAndStreams(through transport: TransportChoice) async throws {
    let shell = try await provider.shell(to: server.host(transport: transport))
    let output = try await shell.run(Command("echo out; echo err >&2; exit 3", become: .never))
    #expect(output == CommandOutput(status: 3, output: "out\n", errors: "err\n"))
    #expect(events.all == [.connected("h1", address: "127.0.0.1"), .requested("h1")])
    await provider.closeAll()
  }

  @Test(
    "a command ended by a signal gives 128 and the signal's number", arguments: TransportChoice.both
  )
  func signal(through transport: TransportChoice) async throws {
    let shell = try await provider.shell(to: server.host(transport: transport))
    let output = try await shell.run(Command("kill -TERM $$; sleep 5", become: .never))
    #expect(output.status == 128 + 15)
    await provider.closeAll()
  }

  @Test(
    "quotes, newlines and dollars reach the remote shell as written",
    arguments: TransportChoice.both)
  func quoting(through transport: TransportChoice) async throws {
    let shell = try await provider.shell(to: server.host(transport: transport))
    let line = "x='a b'\nprintf '%s|' \"$x\" 'it'\\''s' \"\\$HOME\" `echo 1`"
    let output = try await shell.run(Command(line, become: .never))
    #expect(output.output == "a b|it's|$HOME|1|")
    await provider.closeAll()
  }

  @Test(
    "8 MiB of input and output pass unchanged, the kept part being the first",
    arguments: TransportChoice.both)
  func bigStreams(through transport: TransportChoice) async throws {
    let shell = try await provider.shell(to: server.host(transport: transport))
    let pattern = String((0..<64).map { Character(UnicodeScalar(33 + $0)) }) + "\n"
    let text = String(repeating: pattern, count: 8 * 1024 * 1024 / pattern.utf8.count)
    let path = try server.folder.write(text, to: "big")
    let expected = try runLocally("/usr/bin/sha256sum", path).prefix(64)
    for input in [CommandInput.text(text), .file(path: path)] {
      let hash = try await shell.run(Command("sha256sum", input: input, become: .never))
      #expect(hash.output.prefix(64) == expected)
    }
    let echo = try await shell.run(Command("cat", input: .text(text), become: .never))
    #expect(echo.isTruncated)
    #expect(echo.output.utf8.count == SSHSession.outputLimit)
    #expect(text.hasPrefix(echo.output))
    await provider.closeAll()
  }

  @Test("a command that does not read its input ends all the same", arguments: TransportChoice.both)
  func unreadInput(through transport: TransportChoice) async throws {
    let shell = try await provider.shell(to: server.host(transport: transport))
    let text = String(repeating: "x", count: 8 * 1024 * 1024)
    let path = try server.folder.write(text, to: "unread")
    for input in [CommandInput.text(text), .file(path: path)] {
      let output = try await shell.run(Command("exit 4", input: input, become: .never))
      #expect(output.status == 4)
    }
    await provider.closeAll()
  }

  @Test("a command may close its output and go on reading", arguments: TransportChoice.both)
  func closedOutput(through transport: TransportChoice) async throws {
    let shell = try await provider.shell(to: server.host(transport: transport))
    let path = server.folder.file("late")
    let text = String(repeating: "y", count: 4 * 1024 * 1024)
    let output = try await shell.run(
      Command("exec >/dev/null 2>&1; cat >\(path)", input: .text(text), become: .never))
    #expect(output.status == 0)
    #expect(server.folder.text(of: "late").utf8.count == text.utf8.count)
    await provider.closeAll()
  }

  @Test("a missing input file is found before anything runs", arguments: TransportChoice.both)
  func missingInput(through transport: TransportChoice) async throws {
    let shell = try await provider.shell(to: server.host(transport: transport))
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
    #expect(events.logins == 1)
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
    #expect(events.logins == 1)
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

  @Test(
    "a command over its time is ended on the host, and the session goes on",
    arguments: TransportChoice.both)
  func timeout(through transport: TransportChoice) async throws {
    let shell = try await provider.shell(to: server.host(transport: transport))
    let nap = MarkedSleep()
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.run(
        Command("\(nap.command); echo late", become: .never, timeout: .milliseconds(300)))
    }
    #expect(error?.summary == "the command took longer than 0.3 s")
    #expect(try await nap.isGone(shell))
    #expect(events.logins == 1)
    await provider.closeAll()
  }

  @Test(
    "a cancelled command is ended on the host, and the session goes on",
    arguments: TransportChoice.both)
  func cancellation(through transport: TransportChoice) async throws {
    let shell = try await provider.shell(to: server.host(transport: transport))
    let nap = MarkedSleep()
    let task = Task { try await shell.run(Command(nap.command, become: .never)) }
    try await Task.sleep(for: .milliseconds(300))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await nap.isGone(shell))
    #expect(events.logins == 1)
    await provider.closeAll()
  }

  @Test("a command that was given up is ended on the host even when the session ends at once")
  func givenUpAndClosed() async throws {
    let shell = try await provider.shell(to: server.host())
    let nap = MarkedSleep()
    await #expect(throws: Diagnostic.self) {
      try await shell.run(
        Command("\(nap.command); echo late", become: .never, timeout: .milliseconds(300)))
    }
    await provider.closeAll()
    #expect(try await nap.isGone(provider.shell(to: server.host())))
    await provider.closeAll()
  }

  @Test(
    "a flood of output keeps neither memory nor other commands", arguments: TransportChoice.both)
  func flood(through transport: TransportChoice) async throws {
    let shell = try await provider.shell(to: server.host(transport: transport))
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
}
