import Glibc
import HelixModel
import Testing

@testable import HelixRun

@Suite("the local shell")
struct LocalShellTests {
  private let shell = LocalShell()

  private func run(
    _ line: String, input: CommandInput = .nothing, timeout: Duration = .seconds(60)
  ) async throws -> CommandOutput {
    try await shell.run(Command(line, input: input, become: .never, timeout: timeout))
  }

  @Test("output, errors and status come back apart")
  func basics() async throws {
    #expect(
      try await run("echo out; echo err >&2; exit 5")
        == CommandOutput(status: 5, output: "out\n", errors: "err\n"))
    #expect(try await run("kill -9 $$").status == 137)
  }

  @Test("input of any size goes in while output comes out")
  func large() async throws {
    let text = String(repeating: "0123456789abcde\n", count: 200_000)
    let output = try await run("cat", input: .text(text))
    #expect(output.output == text)
    #expect(try await run("wc -c", input: .text("")).output == "0\n")
  }

  @Test("a file is streamed in")
  func file() async throws {
    let scratch = try ScratchFolder()
    try scratch.write("content", to: "file")
    #expect(try await run("cat", input: .file(path: scratch("file"))).output == "content")
    await #expect(throws: Diagnostic.self) {
      try await run("cat", input: .file(path: scratch("missing")))
    }
  }

  @Test("a command that does not read its input ends in peace")
  func unread() async throws {
    let text = String(repeating: "x", count: 1_000_000)
    #expect(try await run("exec <&-; echo done", input: .text(text)).output == "done\n")
  }

  @Test("a command that leaves a child behind does not wait for it")
  func daemon() async throws {
    let output = try await run("sleep 300 & echo $!")
    #expect(output.status == 0)
    let pid = try #require(pid_t(output.output.dropLast()))
    #expect(kill(pid, SIGKILL) == 0)
  }

  @Test("out of time, the command and its children end")
  func timeout() async throws {
    let scratch = try ScratchFolder()
    let script = "echo $$ >\(scratch("pid")); trap '' TERM; sleep 300; sleep 300"
    let error = await #expect(throws: Diagnostic.self) {
      try await run(script, timeout: .milliseconds(300))
    }
    #expect(error?.summary == "the command did not end within 0.3 s")
    let pid = try #require(pid_t((scratch.text(of: "pid") ?? "").dropLast()))
    #expect(kill(pid, 0) == -1)
  }

  @Test("cancelled, the command ends")
  func cancelled() async throws {
    let scratch = try ScratchFolder()
    let path = scratch("pid")
    let task = Task { try await run("echo $$ >\(path); exec sleep 300") }
    await eventually("started") { (try? contents(of: path))??.isEmpty == false }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    let pid = try #require(pid_t((scratch.text(of: "pid") ?? "").dropLast()))
    #expect(kill(pid, 0) == -1)
  }

  @Test("a command knows nothing of the operator's keys")
  func environment() async throws {
    setenv("HELIX_TEST_KEY", "AGE-SECRET-KEY", 1)
    #expect(try await run("env").output.contains("PATH="))
    #expect(!(try await run("env").output.contains("AGE-SECRET-KEY")))
  }

  @Test("many commands at once do not mix, and leave no descriptor behind")
  func leaks() async throws {
    let before = names(in: "/proc/self/fd").count
    for _ in 0..<15 { try await runMany(20) }
    // Other tests run beside this one and have descriptors of their own.
    #expect(names(in: "/proc/self/fd").count < before + 150)
  }

  private func runMany(_ count: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<count {
        group.addTask {
          let output = try await run("cat; exit \(number % 7)", input: .text("\(number)"))
          #expect(output == CommandOutput(status: number % 7, output: "\(number)"))
        }
      }
      try await group.waitForAll()
    }
  }
}

@Suite("lines for people")
struct PlainLinesTests {
  @Test("escapes, control characters and blank ends are gone")
  func plain() {
    let text =
      "\u{1B}[1;31mred\u{1B}[0m \u{1B}]0;title\u{7}x\u{1B}]8;;u\u{1B}\\y\r\n10%\r20%\n\tz\u{0}\n\n \n"
    #expect(plainLines(text) == ["red xy", "", "10%", "20%", " z"])
  }

  @Test("only the last lines, and none too long")
  func bounded() {
    let text = (1...50).map(String.init).joined(separator: "\n")
    #expect(plainLines(text) == (31...50).map(String.init))
    #expect(plainLines("abcdef", width: 3) == ["abc…"])
    #expect(plainLines("").isEmpty)
  }
}
