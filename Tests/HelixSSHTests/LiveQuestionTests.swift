import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "questions to a real sshd", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct LiveQuestionTests {
  private func question(_ line: String, _ input: CommandInput = .nothing) -> Command {
    Command(line, input: input, become: .never, effect: .question, timeout: .seconds(30))
  }

  /// How many commands the server was asked to start.
  private func sessions(_ server: SSHServer) -> Int {
    server.log.components(separatedBy: "Starting session: command").count - 1
  }

  @Test("share one shell on the host, which forgets each of them")
  func oneShell() async throws {
    let server = try SSHServer()
    let provider = SSHShellProvider(local: server.local)
    let shell = try await provider.shell(to: server.host())
    for number in 0..<20 {
      let output = try await shell.run(
        question("echo \(number)${x-}; x=1; cd /; echo e >&2; exit \(number)"))
      #expect(output == CommandOutput(status: number, output: "\(number)\n", errors: "e\n"))
    }
    #expect(sessions(server) == 1)
    await provider.closeAll()
  }

  @Test("at once get a shell each, as far as the server lets us", arguments: [10, 2, 1])
  func atOnce(sessions: Int) async throws {
    let server = try SSHServer(config: ["MaxSessions \(sessions)"])
    let provider = SSHShellProvider(local: server.local)
    let shell = try await provider.shell(to: server.host())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<12 {
        group.addTask {
          let command =
            number.isMultiple(of: 2)
            ? question("sleep 0.05; echo \(number)")
            : Command("sleep 0.05; echo \(number)", become: .never)
          let output = try await shell.run(command)
          #expect(output.output == "\(number)\n")
        }
      }
      try await group.waitForAll()
    }
    await provider.closeAll()
  }

  @Test("may bring input, read or not, and answer at length")
  func streams() async throws {
    let server = try SSHServer()
    let provider = SSHShellProvider(local: server.local)
    let shell = try await provider.shell(to: server.host())
    let text = String(repeating: "0123456789abcdef\n", count: 120_000)
    #expect(try await shell.run(question("cat", .text(text))).output == text)
    #expect(try await shell.run(question("head -c 3", .text(text))).output == "012")
    #expect(try await shell.run(question("wc -c", .text(text))).output == "2040000\n")
    let flood = try await shell.run(question("head -c 9000000 /dev/zero | tr '\\0' x"))
    #expect(flood.isTruncated && flood.output.utf8.count == SSHSession.outputLimit)
    #expect(sessions(server) == 1)
    await provider.closeAll()
  }

  @Test("over their time are ended on the host, and the next one is answered")
  func timeout() async throws {
    let server = try SSHServer()
    let provider = SSHShellProvider(local: server.local)
    let shell = try await provider.shell(to: server.host())
    let mark = "34\(UInt16.random(in: 1000...9999))"
    var slow = question("sleep \(mark)")
    slow.timeout = .milliseconds(300)
    await #expect(throws: Diagnostic.self) { try await shell.run(slow) }
    #expect(try await shell.run(question("echo next")).output == "next\n")
    for _ in 0..<50 {
      let search = "grep -lsa '[s]leep.\(mark)' /proc/[0-9]*/cmdline"
      if try await shell.run(question(search)).output.isEmpty { break }
      try await Task.sleep(for: .milliseconds(100))
    }
    let left = try await shell.run(question("grep -lsa '[s]leep.\(mark)' /proc/[0-9]*/cmdline"))
    #expect(left.output == "")
    await provider.closeAll()
  }

  @Test("survive the end of their shell, and of their connection")
  func killed() async throws {
    let server = try SSHServer()
    let events = EventLog()
    let provider = SSHShellProvider(local: server.local, report: events.add)
    let shell = try await provider.shell(to: server.host())
    let process = try await shell.run(question("echo $$")).output
    _ = try await shell.run(Command("kill -9 \(process)", become: .never))
    // What is left of the shell answers until its end has come through.
    var again = process
    for _ in 0..<100 where again == process {
      again = try await shell.run(question("echo $$")).output
      if again == process { try await Task.sleep(for: .milliseconds(20)) }
    }
    #expect(again != process && Int(again.trimmingCharacters(in: .newlines)) != nil)
    let file = server.folder.file("once")
    // The first time it is asked, the question ends its own connection.
    let output = try await shell.run(
      question(
        """
        if [ -e \(file) ]; then echo second; else
          : >\(file); p=$$
          while [ "$(cat /proc/$p/comm)" != sshd ]; do p=$(cut -d' ' -f4 /proc/$p/stat); done
          kill -9 $p; sleep 5; echo first
        fi
        """))
    #expect(output.output == "second\n")
    #expect(events.logins == 2)
    await provider.closeAll()
  }

  @Test("and deeds become another user with a password that only sudo reads")
  func password() async throws {
    let folder = try ScratchFolder()
    let server = try SSHServer(environment: ["PATH=\(folder.path):/usr/bin:/bin"])
    // Asks as sudo does: the prompt on the errors, the answer from the input.
    try folder.program(
      """
      #!/bin/sh
      [ "$1 $2" = '-S -p' ] || { echo 'sudo: a password is required' >&2; exit 1; }
      prompt=$3; shift 6
      for try in 1 2 3; do
        printf '%s' "$prompt" >&2
        IFS= read -r word || { echo 'sudo: no password was provided' >&2; exit 1; }
        [ "$word" = 'pass word' ] && exec "$@"
        echo 'Sorry, try again.' >&2
      done
      echo 'sudo: 3 incorrect password attempts' >&2; exit 1

      """, "sudo")
    func run(_ password: String?, _ line: String, _ effect: CommandEffect) async throws
      -> CommandOutput
    {
      let provider = SSHShellProvider(local: server.local)
      var host = try server.host()
      host.connection.elevation.password = password.map { SecretValue($0) }
      let shell = try await provider.shell(to: host)
      let output = try await shell.run(
        Command(line, input: .text("in"), become: .user("someone"), effect: effect))
      await provider.closeAll()
      return output
    }
    for effect in [CommandEffect.question, .deed] {
      let output = try await run("pass word", "cat; echo; exit 7", effect)
      #expect(output == CommandOutput(status: 7, output: "in\n"))
      let refused = await #expect(throws: Diagnostic.self) { try await run("wrong", "cat", effect) }
      #expect(refused?.summary.hasPrefix("sudo refused the password of") == true)
      let missing = await #expect(throws: Diagnostic.self) { try await run(nil, "cat", effect) }
      #expect(missing?.summary.hasPrefix("sudo wants a password for") == true)
    }
    #expect(!server.log.contains("pass word"))
  }
}
