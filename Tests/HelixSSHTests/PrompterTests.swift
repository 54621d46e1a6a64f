import Glibc
import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite("asking for secrets", .timeLimit(.minutes(1)))
struct PrompterTests {
  private static let noProgram = AskPass { _ in nil }

  @Test("what is typed on a terminal is not shown, and the terminal is as before")
  func terminal() async throws {
    let terminal = try PseudoTerminal()
    let before = terminal.isEchoing
    let prompter = TerminalPrompter(terminal: terminal.path, askpass: Self.noProgram)
    let answer = Task { try await prompter.ask("Secret, please: ") }
    #expect(await terminal.read(until: "please: ") == "Secret, please: ")
    #expect(!terminal.isEchoing)
    terminal.type("wrong\u{15}pa\u{e4}\u{7f}ss x\u{7f}word\n")
    #expect(try await answer.value == SecretValue("pass word"))
    #expect(await terminal.read(until: "\n") == "\r\n")
    #expect(before && terminal.isEchoing)
  }

  @Test("Ctrl-C gives the terminal back and then interrupts; Ctrl-D answers nothing")
  func interrupted() async throws {
    let terminal = try PseudoTerminal()
    let wasEchoing = Lock<Bool?>(nil)
    let prompter = TerminalPrompter(
      terminal: terminal.path, askpass: Self.noProgram,
      interrupt: { wasEchoing.withLock { $0 = terminal.isEchoing } })
    for (key, interrupts) in [("\u{3}", true), ("\u{4}", false)] {
      wasEchoing.withLock { $0 = nil }
      let answer = Task { try await prompter.ask("? ") }
      _ = await terminal.read(until: "? ")
      terminal.type("half" + (interrupts ? "" : "\u{15}") + key)
      await #expect(throws: PromptFailure.declined) { try await answer.value }
      #expect(wasEchoing.withLock { $0 } == (interrupts ? true : nil))
      #expect(terminal.isEchoing)
    }
  }

  @Test("a question ends with the task that asked, and the terminal is as before")
  func cancelled() async throws {
    let terminal = try PseudoTerminal()
    let prompter = TerminalPrompter(terminal: terminal.path, askpass: Self.noProgram)
    let asking = Task { try await prompter.ask("? ") }
    _ = await terminal.read(until: "? ")
    asking.cancel()
    await #expect(throws: PromptFailure.declined) { try await asking.value }
    #expect(terminal.isEchoing)
  }

  @Test("two questions are asked one after the other")
  func inTurn() async throws {
    let terminal = try PseudoTerminal()
    let prompter = TerminalPrompter(terminal: terminal.path, askpass: Self.noProgram)
    let (first, second) = (
      Task { try await prompter.ask("? ") }, Task { try await prompter.ask("? ") }
    )
    #expect(await terminal.read(until: "? ") == "? ")
    terminal.type("1\n")
    #expect(await terminal.read(until: "? ") == "\r\n? ")
    terminal.type("2\n")
    let answers = [try await first.value, try await second.value]
    #expect(Set(answers) == [SecretValue("1"), SecretValue("2")])
  }

  @Test("without a terminal and a program there is nobody to ask")
  func nobody() async throws {
    let prompter = TerminalPrompter(terminal: "/nowhere/tty", askpass: Self.noProgram)
    await #expect(throws: PromptFailure.nobody) { try await prompter.ask("? ") }
  }

  @Test(
    "SSH_ASKPASS is used when ssh would use it",
    arguments: [
      ([:], true, false), ([:], false, false), (["DISPLAY": ":0"], true, false),
      (["DISPLAY": ":0"], false, true), (["WAYLAND_DISPLAY": "w"], false, true),
      (["DISPLAY": ":0", "SSH_ASKPASS_REQUIRE": "prefer"], true, true),
      (["SSH_ASKPASS_REQUIRE": "prefer"], true, false),
      (["SSH_ASKPASS_REQUIRE": "force"], true, true),
      (["SSH_ASKPASS_REQUIRE": "FORCE"], false, true),
      (["DISPLAY": ":0", "SSH_ASKPASS_REQUIRE": "never"], false, false),
    ])
  func rules(variables: [String: String], hasTerminal: Bool, isUsed: Bool) {
    let askpass = AskPass { variables[$0] ?? ($0 == "SSH_ASKPASS" ? "/bin/ask" : nil) }
    #expect(askpass.program(hasTerminal: hasTerminal) == (isUsed ? "/bin/ask" : nil))
  }

  @Test("the program gets the question, and its first line is the answer")
  func program() async throws {
    let folder = try ScratchFolder()
    let program = try folder.program(
      "#!/bin/sh\nprintf '%s|' \"$@\" > \(folder.file("asked"))\necho 'pass word'\necho more\n",
      "ask")
    func prompter(_ program: String) -> TerminalPrompter {
      TerminalPrompter(
        terminal: "/nowhere/tty",
        askpass: AskPass { ["SSH_ASKPASS": program, "SSH_ASKPASS_REQUIRE": "force"][$0] })
    }
    #expect(try await prompter(program).ask("For 'x': ") == SecretValue("pass word"))
    #expect(folder.text(of: "asked") == "For 'x': |")
    let cancelled = try folder.program("#!/bin/sh\necho x; exit 1\n", "no")
    await #expect(throws: PromptFailure.declined) { try await prompter(cancelled).ask("? ") }
    await #expect(throws: PromptFailure.nobody) { try await prompter("/no/where").ask("? ") }
    let endless = try folder.program("#!/bin/sh\nexec sleep 100\n", "slow")
    let asking = Task { try await prompter(endless).ask("? ") }
    try await Task.sleep(for: .milliseconds(200))
    asking.cancel()
    await #expect(throws: PromptFailure.declined) { try await asking.value }
  }
}

/// Both ends of a terminal that nobody sits at.
final class PseudoTerminal: Sendable {
  let path: String
  private let keyboard: Int32
  private let screen: Int32

  init() throws {
    keyboard = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var locked: Int32 = 0
    var number: UInt32 = 0
    // TIOCSPTLCK and TIOCGPTN: what unlockpt and ptsname do, which Glibc's module lacks.
    guard keyboard >= 0, ioctl(keyboard, 0x4004_5431, &locked) == 0,
      ioctl(keyboard, 0x8004_5430, &number) == 0
    else { throw Diagnostic("no terminal is free") }
    path = "/dev/pts/\(number)"
    // Held open, so that its settings outlive each question.
    screen = open(path, O_RDWR | O_NOCTTY)
  }

  deinit {
    close(screen)
    close(keyboard)
  }

  var isEchoing: Bool {
    var state = termios()
    tcgetattr(screen, &state)
    return state.c_lflag & tcflag_t(ECHO) != 0
  }

  func type(_ keys: String) { _ = write(keyboard, keys, keys.utf8.count) }

  /// What the terminal shows, up to some text or until nothing comes for long.
  func read(until end: String) async -> String { await blocking { self.shown(until: end) } }

  private func shown(until end: String) -> String {
    var shown = ""
    while !shown.hasSuffix(end) {
      var event = pollfd(fd: keyboard, events: Int16(POLLIN), revents: 0)
      guard poll(&event, 1, 20_000) > 0 else { break }
      var byte: UInt8 = 0
      guard Glibc.read(keyboard, &byte, 1) == 1 else { break }
      shown.unicodeScalars.append(Unicode.Scalar(byte))
    }
    return shown
  }
}
