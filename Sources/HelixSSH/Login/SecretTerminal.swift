private import CLibSSH2
import Glibc
import HelixModel

/// A terminal on which somebody types what must not be seen.
struct SecretTerminal: ~Copyable {
  /// How a question ended.
  enum Answer {
    case typed(SecretValue)
    case ended
    case interrupted
  }

  private let descriptor: Int32
  private let before: termios

  /// Longer lines were not typed by anybody.
  private static let lineLimit = 1024

  /// Opens a terminal; nil when there is none, or when others than this process group have it.
  init?(path: String) {
    let descriptor = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    var state = termios()
    let owner = tcgetpgrp(descriptor)
    guard tcgetattr(descriptor, &state) == 0, owner <= 0 || owner == getpgrp() else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    before = state
  }

  deinit { close(descriptor) }

  /// Shows the question and reads a line without showing it.
  ///
  /// Signals of the keyboard are read as what they are, so that the terminal is itself again before
  /// the program hears of them.
  borrowing func ask(_ question: String, _ stop: StopSwitch) -> Answer {
    var quiet = before
    quiet.c_lflag &= ~tcflag_t(ECHO | ECHOE | ECHOK | ECHONL | ICANON | ISIG | IEXTEN)
    withUnsafeMutableBytes(of: &quiet.c_cc) { letters in
      letters[Int(VMIN)] = 1
      letters[Int(VTIME)] = 0
    }
    TerminalGuard.shared.hold(descriptor, before)
    tcsetattr(descriptor, TCSAFLUSH, &quiet)
    show(question)
    defer {
      show("\n")
      TerminalGuard.shared.restore(descriptor)
    }
    return read(stop)
  }

  private borrowing func show(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(descriptor, bytes, bytes.count)
  }

  private borrowing func read(_ stop: StopSwitch) -> Answer {
    var line: [UInt8] = []
    line.reserveCapacity(Self.lineLimit)
    defer { line.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) } }
    while stop.waitReadable(descriptor) {
      var byte: UInt8 = 0
      guard Glibc.read(descriptor, &byte, 1) == 1 else { return .ended }
      switch byte {
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return .typed(SecretValue(Array(line)))
      case letter(VINTR), letter(VQUIT): return .interrupted
      case letter(VEOF): return line.isEmpty ? .ended : .typed(SecretValue(Array(line)))
      case letter(VERASE), 8, 127: removeLast(from: &line)
      case letter(VKILL): line.removeAll(keepingCapacity: true)
      default: if line.count < Self.lineLimit { line.append(byte) }
      }
    }
    return .ended
  }

  /// A key that the terminal gives a meaning.
  private borrowing func letter(_ index: Int32) -> UInt8 {
    withUnsafeBytes(of: before.c_cc) { $0[Int(index)] }
  }

  /// Takes back the last letter, which in UTF-8 may be several bytes.
  private borrowing func removeLast(from line: inout [UInt8]) {
    while let byte = line.popLast(), byte & 0xC0 == 0x80 {}
  }
}

/// Gives a terminal its echo back when a question is over, or when the program ends during it.
private final class TerminalGuard: Sendable {
  static let shared = TerminalGuard()

  /// What terminals were like, by their descriptors.
  private let held = Lock<[Int32: termios]>([:])

  private init() {
    atexit { TerminalGuard.shared.restoreAll() }
  }

  func hold(_ descriptor: Int32, _ state: termios) { held.withLock { $0[descriptor] = state } }

  func restore(_ descriptor: Int32) {
    guard var state = held.withLock({ $0.removeValue(forKey: descriptor) }) else { return }
    tcsetattr(descriptor, TCSADRAIN, &state)
  }

  private func restoreAll() {
    for descriptor in held.withLock({ Array($0.keys) }) { restore(descriptor) }
  }
}
