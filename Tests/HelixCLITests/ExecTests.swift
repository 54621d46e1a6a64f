import Foundation
import HelixModel
import HelixRun
import Testing

@testable import HelixCLI

@Suite("what hosts say to a command")
struct ExecTests {
  private let text = ExecText(hosts: ["web-1", "worker-12"])

  private func answer(_ status: Int) -> Broadcast.Answer {
    Broadcast.Answer(
      host: "web-1", outcome: .ended(CommandOutput(status: status)), seconds: 0.25)
  }

  private let silence = Broadcast.Answer(
    host: "web-2", outcome: .unreachable(Diagnostic("cannot connect")), seconds: 1)

  @Test("every line stands behind its host, whatever it holds")
  func lines() {
    let said = CommandOutput(
      status: 0, output: "one\r\n\n\ttwo \u{1B}[2J\rthree", errors: "alas\n")
    #expect(
      text.output(said, of: "web-1")
        == "web-1     | one\nweb-1     | \nweb-1     | \ttwo \\u{1b}[2J\\u{d}three\n")
    #expect(text.errors(said, of: "worker-12") == "worker-12 | alas\n")
  }

  @Test("nothing said is nothing shown; what went wrong is")
  func endings() {
    #expect(text.output(CommandOutput(status: 0), of: "web-1").isEmpty)
    #expect(text.errors(CommandOutput(status: 0), of: "web-1").isEmpty)
    #expect(
      text.errors(CommandOutput(status: 3, isTruncated: true), of: "worker-12")
        == "worker-12 | there was more than is kept\nworker-12 | exit status 3\n")
  }

  @Test("colours change no word")
  func coloursOnly() {
    let coloured = ExecText(hosts: ["web-1", "worker-12"], output: .coloured, errors: .coloured)
    let said = CommandOutput(status: 1, output: "one\n", errors: "two\n", isTruncated: true)
    for (plain, painted) in [
      (text.output(said, of: "web-1"), coloured.output(said, of: "web-1")),
      (text.errors(said, of: "web-1"), coloured.errors(said, of: "web-1")),
    ] {
      #expect(painted != plain)
      #expect(painted.replacing(/\u{1B}\[[0-9;]*m/, with: "") == plain)
    }
  }

  @Test(
    "the status is the highest of all, and a silent host outweighs it",
    arguments: [
      ([0, 0], false, 0), ([1, 130, 2], false, 130), ([0], true, 255), ([7], true, 255),
    ])
  func worst(statuses: [Int], isSilent: Bool, expected: Int32) {
    var tally = ExecTally(hosts: statuses.count + (isSilent ? 1 : 0))
    for status in statuses { tally.count(answer(status)) }
    if isSilent { tally.count(silence) }
    #expect(tally.status == expected)
  }

  @Test("hosts without an end make it an interruption, and the last line counts all")
  func interrupted() {
    var tally = ExecTally(hosts: 5)
    for status in [0, 0, 9] { tally.count(answer(status)) }
    tally.count(silence)
    #expect(tally.status == 130)
    #expect(
      text.summary(tally, seconds: 1.6)
        == "Exec: 2 done, 1 failed, 1 unreachable, 1 interrupted in 2 s.\n")
  }

  @Test("as JSON, a host is one line with all it said")
  func json() throws {
    let said = CommandOutput(status: 2, output: "a\n\u{1B}/", errors: "b", isTruncated: true)
    let line = ExecLine(Broadcast.Answer(host: "web-1", outcome: .ended(said), seconds: 0.25))
    #expect(
      String(decoding: try line.jsonLine(), as: UTF8.self)
        == #"{"host":"web-1","seconds":0.25,"status":2,"stderr":"b","stdout":"a\n\u001b/","#
        + #""truncated":true}"# + "\n")
    #expect(
      String(decoding: try ExecLine(silence).jsonLine(), as: UTF8.self)
        == #"{"host":"web-2","seconds":1,"unreachable":{"severity":"error","#
        + #""summary":"cannot connect"}}"# + "\n")
  }
}
