import Glibc
import HelixModel

/// A way to ask a person for a password.
protocol PasswordPrompt {
  /// - Throws: a `Diagnostic` when nobody can be asked, or gave up.
  func password(_ question: String) throws(Diagnostic) -> SecretValue
}

/// Asks on the terminal that the process belongs to, whatever its streams lead to.
struct TerminalPrompt: PasswordPrompt {
  func password(_ question: String) throws(Diagnostic) -> SecretValue {
    let terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard terminal >= 0 else {
      throw Diagnostic(
        "nobody can be asked for a password", reason: "there is no terminal",
        remedy: "run it in a terminal, or let the hosts do without a password")
    }
    defer { close(terminal) }
    return try withoutEcho(terminal) { () throws(Diagnostic) in
      write(question, to: terminal)
      defer { write("\n", to: terminal) }
      guard let line = line(from: terminal) else { throw Diagnostic("no password was given") }
      return SecretValue(line)
    }
  }

  /// Without signals too: a process that a Ctrl-C ends would leave the terminal mute.
  private func withoutEcho<Value>(
    _ terminal: Int32, _ body: () throws(Diagnostic) -> Value
  ) throws(Diagnostic) -> Value {
    var before = termios()
    guard tcgetattr(terminal, &before) == 0 else { return try body() }
    var silent = before
    silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
    tcsetattr(terminal, TCSAFLUSH, &silent)
    defer { tcsetattr(terminal, TCSAFLUSH, &before) }
    return try body()
  }

  /// What was typed up to the end of the line; nil when it was broken off.
  private func line(from terminal: Int32) -> [UInt8]? {
    var line: [UInt8] = []
    while true {
      var byte: UInt8 = 0
      let count = read(terminal, &byte, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return nil }
      switch byte {
      case 0x0A, 0x0D: return line
      case 0x03, 0x04, 0x1C: return nil
      case 0x08, 0x7F: _ = line.popLast()
      case 0x15: line = []
      default: line.append(byte)
      }
    }
  }

  private func write(_ text: String, to terminal: Int32) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(terminal, bytes, bytes.count)
  }
}
