import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "kept connections to a real sshd", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct LiveKeeperTests {
  let server: SSHServer
  let house: KeeperHouse
  let events = EventLog()

  init() throws {
    server = try SSHServer(config: ["MaxStartups 200"])
    house = try KeeperHouse()
  }

  @Test("the second run does not log in again, and hears of its own commands alone")
  func secondRun() async throws {
    let first = house.run(server, events)
    #expect(try await server.echo("one", first) == "one\n")
    await first.closeAll()
    let later = EventLog()
    let second = house.run(server, later)
    #expect(try await server.echo("two", second) == "two\n")
    await second.closeAll()
    #expect(events.all == [.connected("h1", address: "127.0.0.1"), .requested("h1")])
    #expect(later.all == [.requested("h1")])
    #expect(house.starts.withLock { $0 } == 1)
    try await house.connections.end()
  }

  @Test("many runs that start at once end up with one keeper and one login")
  func together() async throws {
    let runs = (0..<12).map { _ in house.run(server, events) }
    try await withThrowingTaskGroup(of: String.self) { group in
      for (number, run) in runs.enumerated() {
        group.addTask { try await server.echo("\(number)", run) }
      }
      let said = try await group.reduce(into: Set<String>()) { $0.insert($1) }
      #expect(said == Set((0..<12).map { "\($0)\n" }))
    }
    #expect(house.starts.withLock { $0 } == 1)
    #expect(events.logins == 1)
    for run in runs { await run.closeAll() }
    try await house.connections.end()
  }

  @Test("a socket whose keeper is gone is replaced")
  func staleSocket() async throws {
    try house.place.prepare()
    close(try house.place.listen())
    #expect(house.isOpen)
    let run = house.run(server, events)
    #expect(try await server.echo("on", run) == "on\n")
    await run.closeAll()
    try await house.connections.end()
  }

  @Test("the keeper ends when nobody has asked for its time, though a run is connected")
  func idleEnd() async throws {
    let run = house.run(keep: .seconds(1), server, events)
    try await server.echo("one", run)
    #expect(try await house.isGone())
    #expect(try await server.echo("two", run) == "two\n")
    // On a busy machine a keeper may end even between a login and its first command.
    #expect(events.logins >= 2)
    #expect(house.starts.withLock { $0 } >= 2)
    await run.closeAll()
    try await house.connections.end()
  }

  @Test("a command that takes longer than the time to keep is not cut short")
  func longCommand() async throws {
    let run = house.run(keep: .milliseconds(500), server, events)
    let shell = try await run.shell(to: server.host())
    let output = try await shell.run(Command("sleep 1; echo done", become: .never))
    #expect(output.output == "done\n")
    #expect(try await house.isGone())
    await run.closeAll()
  }

  @Test("one run's wish for a shorter time does not shorten another's")
  func longestWish() async throws {
    let patient = house.run(keep: .seconds(60), server, events)
    try await server.echo("one", patient)
    await patient.closeAll()
    let hasty = house.run(keep: .milliseconds(50), server, events)
    try await server.echo("two", hasty)
    await hasty.closeAll()
    try await Task.sleep(for: .milliseconds(500))
    let last = house.run(server, events)
    try await server.echo("three", last)
    #expect(events.logins == 1)
    await last.closeAll()
    try await house.connections.end()
  }

  @Test("a cancelled command is ended on the host, and the session goes on")
  func cancellation() async throws {
    let run = house.run(server, events)
    let shell = try await run.shell(to: server.host())
    let nap = MarkedSleep()
    let task = Task { try await shell.run(Command(nap.command, become: .never)) }
    #expect(try await nap.isThere(shell))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await nap.isGone(shell))
    #expect(events.logins == 1)
    await run.closeAll()
    try await house.connections.end()
  }

  @Test("a run that vanishes takes its commands along, and nobody else's")
  func vanishedRun() async throws {
    let (first, second) = (house.run(server), house.run(server))
    let nap = MarkedSleep()
    let lost = try await first.shell(to: server.host())
    let task = Task { try await lost.run(Command(nap.command, become: .never)) }
    let shell = try await second.shell(to: server.host())
    #expect(try await nap.isThere(shell))
    let other = Task { try await shell.run(Command("sleep 1; echo still", become: .never)).output }
    await first.closeAll()
    await #expect(throws: Diagnostic.self) { try await task.value }
    #expect(try await nap.isGone(shell))
    #expect(try await other.value == "still\n")
    await second.closeAll()
    try await house.connections.end()
  }

  @Test("a command over its time says the same as without a keeper")
  func timeout() async throws {
    let run = house.run(server, events)
    let shell = try await run.shell(to: server.host())
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.run(Command("sleep 30", become: .never, timeout: .milliseconds(300)))
    }
    #expect(error?.summary == "the command took longer than 0.3 s")
    #expect(error?.evidence?.command == "sleep 30")
    await run.closeAll()
    try await house.connections.end()
  }

  @Test("a refused login says the same as without a keeper")
  func refusedLogin() async throws {
    let key = try makeKey(in: house.folder, "stranger")
    let host = try server.host(key: key, options: ["IdentitiesOnly=yes"])
    let run = house.run(server, events)
    let kept = await #expect(throws: Diagnostic.self) { try await run.shell(to: host) }
    let direct = SSHShellProvider(local: server.local)
    let plain = await #expect(throws: Diagnostic.self) { try await direct.shell(to: host) }
    #expect(kept == plain)
    await direct.closeAll()
    await run.closeAll()
    try await house.connections.end()
  }

  @Test("8 MiB of input and output pass unchanged, from memory, as a secret and from a file")
  func bigStreams() async throws {
    let run = house.run(server, events)
    let shell = try await run.shell(to: server.host())
    let line = String((0..<63).map { Character(UnicodeScalar(33 + $0)) }) + "\n"
    let text = String(repeating: line, count: 8 * 1024 * 1024 / 64)
    let path = try house.folder.write(text, to: "big")
    let expected = try runLocally("/usr/bin/sha256sum", path).prefix(64)
    let inputs: [CommandInput] = [.text(text), .secret(SecretValue(text)), .file(path: path)]
    for input in inputs {
      let hash = try await shell.run(Command("sha256sum", input: input, become: .never))
      #expect(hash.output.prefix(64) == expected)
    }
    let echo = try await shell.run(Command("cat", input: .text(text), become: .never))
    #expect(echo.isTruncated)
    #expect(echo.output.utf8.count == SSHSession.outputLimit)
    #expect(text.hasPrefix(echo.output))
    await run.closeAll()
    try await house.connections.end()
  }

  @Test("a file goes through a kept connection, with its progress, and its faults are told")
  func transfer() async throws {
    let run = house.run(server, events)
    let shell = try await run.shell(to: server.host())
    let text = String(repeating: "0123456789abcde\n", count: 400_000)
    let path = try house.folder.write(text, to: "big")
    let sum = String(try runLocally("/usr/bin/sha256sum", path).prefix(64))
    let told = Lock<[FileTransfer.Progress]>([])
    try await shell.send(
      FileTransfer(
        source: path, destination: server.folder.file("copy"), sha256: sum, become: .never,
        timeout: .seconds(60)
      ) { progress in told.withLock { $0.append(progress) } })
    #expect(server.folder.text(of: "copy") == text)
    #expect(told.withLock { $0.last } == .init(sent: text.utf8.count, total: text.utf8.count))
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.send(
        FileTransfer(
          source: "/no/such/file", destination: server.folder.file("copy"), sha256: sum,
          become: .never, timeout: .seconds(60)))
    }
    #expect(error?.summary == "cannot read /no/such/file")
    await run.closeAll()
    try await house.connections.end()
  }

  @Test("a hundred commands with big answers at once all arrive")
  func manyBigAnswers() async throws {
    let run = house.run(server, events)
    let shell = try await run.shell(to: server.host())
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<100 {
        group.addTask {
          try await shell.run(
            Command("head -c 300000 /dev/zero | tr '\\0' x", become: .never, effect: .question)
          ).output.utf8.count
        }
      }
      for try await count in group { #expect(count == 300_000) }
    }
    #expect(events.count { $0 == .requested("h1") } == 100)
    await run.closeAll()
    try await house.connections.end()
  }
}
