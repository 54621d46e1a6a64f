import HelixModel
import Testing

@testable import HelixSSH

@Suite("what a command says before it starts, and what it may be told")
struct ConversationTests {
  private func talk(password: String?) -> Conversation {
    let ascent = Ascent(method: .sudo, user: "root", password: password.map { SecretValue($0) })
    return Conversation(
      RemoteScript("true", ascent: ascent, nonce: "x"), outputLimit: 1000)
  }

  private func say(_ text: String, _ take: (UnsafeRawBufferPointer) -> Void) {
    Array(text.utf8).withUnsafeBytes { take($0) }
  }

  @Test("without a password, input may flow at once")
  func withoutPassword() {
    #expect(talk(password: nil).mayWriteInput)
  }

  @Test("a password is told once, at the prompt, and input only when the command itself reads")
  func password() {
    var talk = talk(password: "secret")
    #expect(!talk.mayWriteInput)
    #expect(talk.takePassword() == nil)
    say("We trust you have received the usual lecture\npass") { talk.takeErrors($0) }
    #expect(talk.takePassword() == nil)
    say("word-x:") { talk.takeErrors($0) }
    #expect(talk.takePassword() == Array("secret\n".utf8))
    #expect(talk.takePassword() == nil)
    #expect(!talk.mayWriteInput)
    say("helix-x 42\n") { talk.takeOutput($0) }
    #expect(talk.mayWriteInput)
    #expect(talk.process == 42)
    #expect(!talk.isPasswordRefused)
  }

  @Test("a second prompt means that the password was wrong")
  func refused() {
    var talk = talk(password: "secret")
    say("password-x:") { talk.takeErrors($0) }
    _ = talk.takePassword()
    #expect(!talk.isPasswordRefused)
    say("Sorry, try again.\npassword-x:") { talk.takeErrors($0) }
    #expect(talk.isPasswordRefused)
    #expect(talk.takePassword() == nil)
    #expect(!talk.mayWriteInput)
  }

  @Test("the command's last line tells its status, and without it nothing counts as success")
  func ending() throws {
    var talk = talk(password: nil)
    say("helix-x 42\nout\n") { talk.takeOutput($0) }
    say("helix-x\nerr\n") { talk.takeErrors($0) }
    #expect(throws: SSHError.endUnseen) { try talk.result(status: 0) }
    #expect(try talk.result(status: 3).errors.text == "err\n")
    say("\nend-x 7\nlate\n") { talk.takeErrors($0) }
    let result = try talk.result(status: 0)
    #expect(result.status == 7)
    #expect(result.errors.text == "err\nlate\n")
    #expect(result.output.text == "out\n")
  }

  @Test("the password stands in no command line")
  func argv() {
    let talk = talk(password: "hunter2")
    #expect(!talk.script.line.contains("hunter2"))
    #expect(talk.script.line.hasPrefix("sudo -S -p password-x: -u root -- sh -c "))
  }

  @Test("doas is never asked to ask: it reads passwords from a terminal only")
  func doas() {
    let ascent = Ascent(method: .doas, user: "the db", password: SecretValue("secret"))
    let line = RemoteScript("id", ascent: ascent).line
    #expect(line.hasPrefix("doas -n -u 'the db' sh -c "))
    #expect(!line.contains("secret"))
  }

  @Test(
    "the refusals of sudo and doas are told apart",
    arguments: zip(
      [
        "sudo: a password is required",
        "sudo: a terminal is required to read the password; either use the -S option",
        "sudo: sorry, you must have a tty to run sudo", "sudo: 1 incorrect password attempt",
        "joe is not in the sudoers file.",
        "Sorry, user joe is not allowed to execute '/bin/sh' as root on n1.",
        "sudo: sh: command not found", "doas: Authorization required",
        "doas: Operation not permitted", "bash: line 1: sudo: command not found",
        "sudo: unable to stat /etc/sudoers",
      ],
      [
        AscentProblem.passwordNeeded, .passwordNeeded, .terminalNeeded, .passwordRefused,
        .notAllowed("joe is not in the sudoers file."),
        .notAllowed("Sorry, user joe is not allowed to execute '/bin/sh' as root on n1."),
        .pathTooShort("sudo: sh: command not found"), .passwordNeeded,
        .notAllowed("doas: Operation not permitted"), .missing,
        .other("sudo: unable to stat /etc/sudoers"),
      ]))
  func refusals(line: String, problem: AscentProblem) {
    var errors = OutputCollector(marker: "helix-x", limit: 1000)
    say(line) { errors.take($0) }
    let status = line.hasPrefix("bash") ? 127 : 1
    let result = RemoteResult(
      status: status, output: OutputCollector(marker: "helix-x", limit: 1000), errors: errors)
    #expect(AscentProblem(result) == problem)
  }
}
