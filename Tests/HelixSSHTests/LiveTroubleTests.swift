import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "trouble on a real sshd", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct LiveTroubleTests {
  @Test("what login shells print beforehand is no part of a command's output")
  func noise() async throws {
    let server = try SSHServer(
      config: ["ForceCommand echo WELCOME; echo motd >&2; eval \"$SSH_ORIGINAL_COMMAND\""])
    let provider = SSHShellProvider(local: server.local)
    let shell = try await provider.shell(to: server.host())
    let output = try await shell.run(Command("echo out; echo err >&2", become: .never))
    #expect(output == CommandOutput(status: 0, output: "out\n", errors: "err\n"))
    await provider.closeAll()
  }

  @Test("a forced command, or a shell that lets nobody in, is told from the command's own failure")
  func forcedCommand() async throws {
    let server = try SSHServer(config: ["ForceCommand echo 'This account is not available'; exit 1"]
    )
    let provider = SSHShellProvider(local: server.local)
    let shell = try await provider.shell(to: server.host())
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.run(Command("true", become: .never))
    }
    #expect(error?.summary == "the host did not run the command")
    #expect(error?.reason == "it said \"This account is not available\" and exit 1")
    #expect(error?.evidence?.command == "true")
    await provider.closeAll()
  }

  @Test("sudo runs the command as written, and its refusals are named")
  func sudo() async throws {
    let folder = try ScratchFolder()
    let server = try SSHServer(environment: ["PATH=\(folder.path):/usr/bin:/bin"])
    let link = HostLink(
      try SSHSettings(server.host(), local: server.local, policy: .strict), trust: Trust(),
      limiter: ConnectionLimiter(), report: { _ in })
    func run(_ sudo: String) async throws -> RemoteResult {
      try folder.program("#!/bin/sh\n\(sudo)\n", "sudo")
      return try await link.run(
        RemoteRequest(
          command: "cat; echo \"it's $SUDO\"; exit 7", ascent: Ascent(method: .sudo, user: "root"),
          input: .bytes(Array("in\n".utf8)), limit: .seconds(30)))
    }
    let good = try await run(
      "[ \"$1 $2 $3 $4\" = '-n -u root --' ] && shift 4 && SUDO=yes exec \"$@\"")
    #expect(good.output.text == "in\nit's yes\n")
    #expect(good.status == 7)
    let bad = try await run("echo 'sudo: a password is required' >&2; exit 1")
    #expect(bad.output.announcement == nil)
    #expect(AscentProblem(bad) == .passwordNeeded)
    await link.close()
  }

  @Test("a server that dies during a command shows as an error, and the next command reconnects")
  func killedServer() async throws {
    let server = try SSHServer()
    let events = EventLog()
    let provider = SSHShellProvider(local: server.local, report: events.add)
    let shell = try await provider.shell(to: server.host())
    // The parent of a command's shell is the sshd of its session.
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.run(
        Command(
          "p=$PPID; while [ \"$(cat /proc/$p/comm)\" != sshd ]; do"
            + " p=$(cut -d' ' -f4 /proc/$p/stat); done; kill -9 $p; sleep 2; echo never",
          become: .never))
    }
    #expect(error?.summary.hasSuffix("ended the connection while it was in use") == true)
    let output = try await shell.run(Command("echo again", become: .never))
    #expect(output.output == "again\n")
    #expect(events.logins == 2)
    await provider.closeAll()
  }

  @Test("a connection that ended unnoticed is made again before the next command")
  func idleEnd() async throws {
    let server = try SSHServer()
    let provider = SSHShellProvider(local: server.local)
    let shell = try await provider.shell(to: server.host())
    let first = try await shell.run(
      Command(
        "p=$PPID; while [ \"$(cat /proc/$p/comm)\" != sshd ]; do"
          + " p=$(cut -d' ' -f4 /proc/$p/stat); done; (sleep 1; kill -9 $p) >/dev/null 2>&1"
          + " </dev/null & echo first", become: .never))
    #expect(first.output == "first\n")
    try await Task.sleep(for: .seconds(2))
    #expect(try await shell.run(Command("echo second", become: .never)).output == "second\n")
    await provider.closeAll()
  }

  @Test("a server that allows few channels is learned")
  func fewChannels() async throws {
    let server = try SSHServer(config: ["MaxSessions 2"])
    let provider = SSHShellProvider(local: server.local)
    let shell = try await provider.shell(to: server.host())
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<12 {
        group.addTask { try await shell.run(Command("sleep 0.05", become: .never)).status }
      }
      for try await status in group { #expect(status == 0) }
    }
    await provider.closeAll()
  }

  @Test("no channel at all is an error with the setting to look at")
  func noChannels() async throws {
    let server = try SSHServer(config: ["MaxSessions 0"])
    let provider = SSHShellProvider(local: server.local)
    let shell = try await provider.shell(to: server.host())
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.run(Command("true", become: .never))
    }
    #expect(error?.remedy == "check MaxSessions in the host's sshd_config")
    await provider.closeAll()
  }

  @Test(
    "a server that stops answering is noticed by keepalives", arguments: TransportChoice.both)
  func keepAlive(through transport: TransportChoice) async throws {
    let server = try SSHServer()
    let provider = SSHShellProvider(local: server.local)
    let shell = try await provider.shell(
      to: server.host(
        options: ["ServerAliveInterval=1", "ServerAliveCountMax=1"], transport: transport))
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.run(
        Command(
          "p=$PPID; while [ \"$(cat /proc/$p/comm)\" != sshd ]; do"
            + " p=$(cut -d' ' -f4 /proc/$p/stat); done; (sleep 8; kill -CONT $p) >/dev/null 2>&1"
            + " </dev/null & kill -STOP $p; sleep 20", become: .never))
    }
    #expect(error?.summary.hasPrefix("lost ") == true)
    await provider.closeAll()
  }

  @Test("rekeying in the middle of a stream is not noticed")
  func rekey() async throws {
    let server = try SSHServer(config: ["RekeyLimit 1M"])
    let provider = SSHShellProvider(local: server.local)
    let shell = try await provider.shell(to: server.host())
    let text = String(repeating: "0123456789abcde\n", count: 300_000)
    let output = try await shell.run(Command("wc -c", input: .text(text), become: .never))
    #expect(output.output.contains("4800000"))
    let back = try await shell.run(
      Command("yes 0123456789abcde | head -n 200000", become: .never))
    #expect(back.output.utf8.count == 3_200_000)
    await provider.closeAll()
  }
}
