import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "the system's ssh as a session", .tags(.live),
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

  @Test("a command's own 255 is a status like any other")
  func status255() async throws {
    let output = try await shell().run(Command("exit 255", become: .never))
    #expect(output.status == 255)
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
    #expect(events.logins == 1)
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

  @Test("sudo is told its password at its prompt, and the input comes after")
  func sudoPassword() async throws {
    let folder = try ScratchFolder()
    // Asks as sudo does, on its errors, and reads the answer from its input.
    try folder.program(
      """
      #!/bin/sh
      [ "$1 $2 $4 $5 $6" = '-S -p -u root --' ] || exit 9
      printf %s "$3" >&2
      read -r word
      [ "$word" = hunter2 ] || { echo 'Sorry, try again.' >&2; printf %s "$3" >&2; read -r x; exit 1; }
      shift 6
      exec "$@"
      """, "sudo")
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
    for _ in 0..<1200 where !FileManager.default.fileExists(atPath: mark) {
      try await Task.sleep(for: .milliseconds(50))
    }
    for master in try masters(server) { kill(master, SIGKILL) }
    let error = await #expect(throws: Diagnostic.self) { try await task.value }
    #expect(error?.summary.hasSuffix("ended the connection while it was in use") == true)
    #expect(try await shell.run(Command("echo again", become: .never)).output == "again\n")
    for master in try masters(server) { kill(master, SIGKILL) }
    try await Task.sleep(for: .milliseconds(200))
    #expect(try await shell.run(Command("echo unnoticed", become: .never)).output == "unnoticed\n")
    #expect(events.logins == 3)
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
    for _ in 0..<1200 where await session.obstacle == nil {
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
}
