import Foundation
import HelixModel
import Testing

@testable import HelixSSH

@Suite(
  "commands through the system's ssh", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct SystemSessionTests {
  let server: SSHServer
  let provider: SSHShellProvider
  let events = EventLog()

  init() throws {
    server = try SSHServer(config: ["MaxStartups 200"])
    provider = SSHShellProvider(local: server.local, report: events.add)
  }

  private func shell(_ server: SSHServer? = nil) async throws -> any Shell {
    try await provider.shell(to: (server ?? self.server).host(transport: .ssh))
  }

  private var connections: Int {
    events.count { if case .connected = $0 { true } else { false } }
  }

  @Test("a command gives its status, output and errors")
  func statusAndStreams() async throws {
    let shell = try await shell()
    let output = try await shell.run(Command("echo out; echo err >&2; exit 3", become: .never))
    #expect(output == CommandOutput(status: 3, output: "out\n", errors: "err\n"))
    #expect(events.all.first == .connected("h1", address: "127.0.0.1"))
    #expect(events.count { $0 == .requested("h1") } == 1)
    await provider.closeAll()
  }

  @Test("a command's own 255 is a status like any other")
  func status255() async throws {
    let output = try await shell().run(Command("exit 255", become: .never))
    #expect(output.status == 255)
    await provider.closeAll()
  }

  @Test("a command ended by a signal gives 128 and the signal's number")
  func signal() async throws {
    let output = try await shell().run(Command("kill -TERM $$; sleep 5", become: .never))
    #expect(output.status == 128 + 15)
    await provider.closeAll()
  }

  @Test("quotes, newlines and dollars reach the remote shell as written")
  func quoting() async throws {
    let line = "x='a b'\nprintf '%s|' \"$x\" 'it'\\''s' \"\\$HOME\" `echo 1`"
    let output = try await shell().run(Command(line, become: .never))
    #expect(output.output == "a b|it's|$HOME|1|")
    await provider.closeAll()
  }

  @Test("8 MiB of input and output pass unchanged, the kept part being the first")
  func bigStreams() async throws {
    let shell = try await shell()
    let pattern = String((0..<64).map { Character(UnicodeScalar(33 + $0)) }) + "\n"
    let text = String(repeating: pattern, count: 8 * 1024 * 1024 / pattern.utf8.count)
    let path = try server.folder.write(text, to: "big")
    let expected = try runLocally("/usr/bin/sha256sum", path).prefix(64)
    let hash = try await shell.run(Command("sha256sum", input: .text(text), become: .never))
    #expect(hash.output.prefix(64) == expected)
    let fromFile = try await shell.run(
      Command("sha256sum", input: .file(path: path), become: .never))
    #expect(fromFile.output.prefix(64) == expected)
    let echo = try await shell.run(Command("cat", input: .text(text), become: .never))
    #expect(echo.isTruncated)
    #expect(echo.output.utf8.count == SSHSession.outputLimit)
    #expect(text.hasPrefix(echo.output))
    await provider.closeAll()
  }

  @Test("a command that does not read its input ends all the same")
  func unreadInput() async throws {
    let text = String(repeating: "x", count: 8 * 1024 * 1024)
    let path = try server.folder.write(text, to: "unread")
    let shell = try await shell()
    for input in [CommandInput.text(text), .file(path: path)] {
      let output = try await shell.run(Command("exit 4", input: input, become: .never))
      #expect(output.status == 4)
    }
    await provider.closeAll()
  }

  @Test("a command may close its output and go on reading")
  func closedOutput() async throws {
    let path = server.folder.file("late")
    let text = String(repeating: "y", count: 4 * 1024 * 1024)
    let output = try await shell().run(
      Command("exec >/dev/null 2>&1; cat >\(path)", input: .text(text), become: .never))
    #expect(output.status == 0)
    #expect(server.folder.text(of: "late").utf8.count == text.utf8.count)
    await provider.closeAll()
  }

  @Test("a missing input file is found before anything runs")
  func missingInput() async throws {
    let shell = try await shell()
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.run(Command("true", input: .file(path: "/no/such/file"), become: .never))
    }
    #expect(error?.summary == "cannot read /no/such/file")
    #expect(events.count { $0 == .requested("h1") } == 0)
    await provider.closeAll()
  }

  @Test("twenty commands at once share one master", arguments: [10, 2])
  func manyCommands(sessions: Int) async throws {
    let server = try SSHServer(config: ["MaxSessions \(sessions)"])
    let shell = try await shell(server)
    let outputs = try await withThrowingTaskGroup(of: String.self) { group in
      for number in 0..<20 {
        group.addTask {
          try await shell.run(Command("sleep 0.1; echo \(number)", become: .never)).output
        }
      }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(outputs == Set((0..<20).map { "\($0)\n" }))
    #expect(connections == 1)
    await provider.closeAll()
  }

  @Test("no session at all is an error with the setting to look at")
  func noSessions() async throws {
    let server = try SSHServer(config: ["MaxSessions 0"])
    let shell = try await shell(server)
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.run(Command("true", become: .never))
    }
    #expect(error?.remedy == "check MaxSessions in the host's sshd_config")
    await provider.closeAll()
  }

  @Test("a command over its time is ended on the host, and the master goes on")
  func timeout() async throws {
    let shell = try await shell()
    let mark = "34\(UInt16.random(in: 1000...9999))"
    let error = await #expect(throws: Diagnostic.self) {
      try await shell.run(
        Command("sleep \(mark); echo late", become: .never, timeout: .milliseconds(300)))
    }
    #expect(error?.summary == "the command took longer than 0.3 s")
    #expect(try await isGone("sleep \(mark)", shell))
    #expect(connections == 1)
    await provider.closeAll()
  }

  @Test("a cancelled command is ended on the host, and the master goes on")
  func cancellation() async throws {
    let shell = try await shell()
    let mark = "35\(UInt16.random(in: 1000...9999))"
    let task = Task { try await shell.run(Command("sleep \(mark)", become: .never)) }
    try await Task.sleep(for: .milliseconds(300))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await isGone("sleep \(mark)", shell))
    #expect(connections == 1)
    await provider.closeAll()
  }

  @Test("a flood of output keeps neither memory nor other commands")
  func flood() async throws {
    let shell = try await shell()
    let flood = Task {
      try await shell.run(Command("yes", become: .never, timeout: .seconds(2)))
    }
    try await Task.sleep(for: .milliseconds(300))
    let other = try await shell.run(Command("echo still", become: .never))
    #expect(other.output == "still\n")
    await #expect(throws: Diagnostic.self) { try await flood.value }
    #expect(connections == 1)
    await provider.closeAll()
  }

  @Test("sudo is told its password at its prompt, and the input comes after")
  func sudoPassword() async throws {
    let folder = try ScratchFolder()
    // Asks as sudo does, on its errors, and reads the answer from its input.
    try folder.write(
      """
      #!/bin/sh
      [ "$1 $2 $4 $5 $6" = '-S -p -u root --' ] || exit 9
      printf %s "$3" >&2
      read -r word
      [ "$word" = hunter2 ] || { echo 'Sorry, try again.' >&2; printf %s "$3" >&2; read -r x; exit 1; }
      shift 6
      exec "$@"
      """, to: "sudo", mode: 0o755)
    let server = try SSHServer(environment: ["PATH=\(folder.path):/usr/bin:/bin"])
    var host = try server.host(user: NSUserName(), transport: .ssh)
    for (password, status) in [("hunter2", 0), ("wrong", 1)] {
      host.connection.elevation.password = SecretValue(password)
      let link = HostLink(
        try SSHSettings(host, local: server.local, policy: .strict), trust: Trust(),
        limiter: ConnectionLimiter(), report: { _ in })
      let result = try await link.run(
        RemoteRequest(
          command: "cat", ascent: Ascent(method: .sudo, user: "root", password: .init(password)),
          input: .bytes(Array("in\n".utf8)), limit: .seconds(30)))
      #expect(result.status == status)
      #expect(result.output.text == (status == 0 ? "in\n" : ""))
      if status != 0 { #expect(AscentProblem(result) == .passwordRefused) }
      await link.close()
    }
  }

  @Test("a master that is killed is an error, and the next command gets a new one")
  func killedMaster() async throws {
    let shell = try await shell()
    let mark = server.folder.file("begun")
    let task = Task { try await shell.run(Command("touch \(mark); sleep 20", become: .never)) }
    for _ in 0..<200 where !FileManager.default.fileExists(atPath: mark) {
      try await Task.sleep(for: .milliseconds(50))
    }
    for master in try masters(server) { kill(master, SIGKILL) }
    let error = await #expect(throws: Diagnostic.self) { try await task.value }
    #expect(error?.summary.hasSuffix("ended the connection while it was in use") == true)
    #expect(try await shell.run(Command("echo again", become: .never)).output == "again\n")
    for master in try masters(server) { kill(master, SIGKILL) }
    try await Task.sleep(for: .milliseconds(200))
    #expect(try await shell.run(Command("echo unnoticed", become: .never)).output == "unnoticed\n")
    #expect(connections == 3)
    await provider.closeAll()
  }

  @Test("a server that stops answering is noticed by keepalives")
  func keepAlive() async throws {
    let server = try SSHServer()
    let shell = try await provider.shell(
      to: server.host(
        options: ["ServerAliveInterval=1", "ServerAliveCountMax=1"], transport: .ssh))
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

  @Test("nothing is left of a session: no process, folder or descriptor")
  func leftovers() async throws {
    let folder = try ScratchFolder()
    let settings = try SSHSettings(
      server.host(transport: .ssh), local: server.local, policy: .strict)
    var environment = ProgramEnvironment.current
    environment["XDG_RUNTIME_DIR"] = folder.path
    for _ in 0..<3 {
      let session = SystemSession(settings, loop: .next(), environment: environment)
      _ = try await session.logIn(Trust())
      let request = RemoteRequest(
        command: "cat", input: .bytes(Array("x".utf8)), limit: .seconds(30))
      #expect(try await session.run(request) {}.output.text == "x")
      #expect(try masters(server).count == 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
      await session.close()
      #expect(try masters(server).isEmpty)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
      // A socket or a pipe of the session would show here; other tests come and go.
      #expect(try openSockets(named: folder.path).isEmpty)
    }
  }

  @Test("a master ends, and its folder goes, when whoever started it is killed")
  func orphan() async throws {
    let folder = try ScratchFolder()
    let settings = try SSHSettings(
      server.host(transport: .ssh), local: server.local, policy: .strict)
    var environment = ProgramEnvironment.current
    environment["XDG_RUNTIME_DIR"] = folder.path
    let session = SystemSession(settings, loop: .next(), environment: environment)
    _ = try await session.logIn(Trust())
    await session.cutLifeline()
    for _ in 0..<100 where await session.obstacle == nil {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(try masters(server).isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    await session.close()
  }

  /// The processes of masters that connect to a server.
  private func masters(_ server: SSHServer) throws -> [Int32] {
    try runLocally("/usr/bin/pgrep", "-f", "^[^ ]*ssh -M .* Port=\(server.port) ")
      .split(separator: "\n").compactMap { Int32($0) }
  }

  /// Lines of the system's table of local sockets that name a path.
  private func openSockets(named path: String) throws -> [Substring] {
    try String(contentsOfFile: "/proc/net/unix", encoding: .utf8).split(separator: "\n")
      .filter { $0.contains(path) }
  }

  /// Waits until no process on the host has these words.
  private func isGone(_ words: String, _ shell: any Shell) async throws -> Bool {
    for _ in 0..<50 {
      // The brackets keep the search from finding itself.
      let search = "grep -lsa '[s]leep.\(words.dropFirst(6))' /proc/[0-9]*/cmdline"
      let output = try await shell.run(Command(search, become: .never))
      if output.output.isEmpty { return true }
      try await Task.sleep(for: .milliseconds(100))
    }
    return false
  }
}
