import Foundation
import TestSupport
import Testing

@testable import HelixSSH

@Suite("programs of this machine", .timeLimit(.minutes(1)))
struct ChildProcessTests {
  let loop = EventLoop.next()

  private func start(_ script: String) throws -> ChildProcess {
    try ChildProcess(
      ["/bin/sh", "-c", script], environment: ChildProcess.currentEnvironment(),
      input: open("/dev/null", O_RDONLY | O_CLOEXEC),
      output: open("/dev/null", O_WRONLY | O_CLOEXEC), loop: loop)
  }

  @Test("a program's status and last words are known at its end, and nothing is left of it")
  func ending() async throws {
    let child = try start("echo first >&2; printf 'a\\033[31mb\\n' >&2; exit 7")
    #expect(await child.ended(within: .seconds(30)) == 7)
    #expect(child.lastWords == ["first", "a\u{FFFD}[31mb"])
    // Reaped: it is nobody's child any more.
    #expect(kill(child.id, 0) == -1)
    #expect(await child.ended(within: .seconds(30)) == 7)
  }

  @Test("a program ended by a signal gives 128 and the signal's number")
  func signal() async throws {
    let child = try start("kill -KILL $$")
    #expect(await child.ended(within: .seconds(30)) == 128 + 9)
  }

  @Test("a program that goes on is not waited for, and is ended with all it has started")
  func end() async throws {
    let mark = "33\(UInt16.random(in: 1000...9999))"
    let child = try start("trap '' TERM; sleep \(mark) & sleep \(mark); wait")
    #expect(await child.ended(within: .milliseconds(100)) == nil)
    child.end()
    child.end()
    #expect(await child.ended(within: .seconds(30)) == 128 + 9)
    let left = { try runLocally("/usr/bin/pgrep", "-f", "slee[p] \(mark)") }
    // Nobody but the kernel sees when the others are gone that were killed with it.
    for _ in 0..<600 where try !left().isEmpty { try await Task.sleep(for: .milliseconds(100)) }
    #expect(try left().isEmpty)
  }

  @Test("of a flood of words the last are kept")
  func flood() async throws {
    let child = try start("yes word | head -n 500000 >&2; echo end >&2")
    #expect(await child.ended(within: .seconds(30)) == 0)
    #expect(child.lastWords.last == "end")
    #expect(child.lastWords.count == 8)
  }

  @Test("a program in the background keeps nobody waiting")
  func background() async throws {
    let child = try start("sleep 50 >&2 & echo done >&2")
    #expect(await child.ended(within: .seconds(30)) == 0)
    #expect(child.lastWords == ["done"])
  }

  @Test("a shell's command talks over one socket, and no stranger's descriptor reaches it")
  func connected() async throws {
    let stranger = open("/dev/null", O_RDONLY)
    defer { close(stranger) }
    let (descriptor, child) = try ChildProcess.connected(
      "sh -c 'ls /proc/self/fd >&2; read -r line; echo \"got $line\"'", loop: loop)
    defer { close(descriptor) }
    #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
    #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
    #expect(write(descriptor, "hello\n", 6) == 6)
    #expect(await child.ended(within: .seconds(30)) == 0)
    // The fourth is ls's own, for the folder.
    #expect(child.lastWords == ["0", "1", "2", "3"])
    var buffer = [UInt8](repeating: 0, count: 100)
    let count = read(descriptor, &buffer, 100)
    #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "got hello\n")
    #expect(read(descriptor, &buffer, 100) == 0)
  }

  @Test("a program that is not there is an error with its name")
  func missing() {
    #expect(throws: SSHError.cannotStart(program: "/no/such", reason: "no such file or directory"))
    {
      try ChildProcess(
        ["/no/such"], environment: [], input: open("/dev/null", O_RDONLY),
        output: open("/dev/null", O_WRONLY), loop: loop)
    }
  }
}
