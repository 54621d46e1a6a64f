import Glibc
import HelixModel

/// What the environment says about asking by a program, by OpenSSH's rules.
struct AskPass: Sendable {
  private static let usual = "/usr/bin/ssh-askpass"
  private static let answerLimit = 1024

  private let named: String?
  private let hasDisplay: Bool
  private let requirement: String

  /// - Parameter variable: Looks up a variable of the environment; nil when it is unset or empty.
  init(_ variable: (String) -> String? = LocalUser.variable(_:)) {
    named = variable("SSH_ASKPASS")
    hasDisplay = variable("DISPLAY") != nil || variable("WAYLAND_DISPLAY") != nil
    requirement = variable("SSH_ASKPASS_REQUIRE")?.lowercased() ?? ""
  }

  /// The program to ask with; nil when the terminal is to be used.
  func program(hasTerminal: Bool) -> String? {
    let isWanted =
      switch requirement {
      case "never": false
      case "force": true
      case "prefer": hasDisplay
      default: hasDisplay && !hasTerminal
      }
    guard isWanted else { return nil }
    if let named { return named }
    return access(Self.usual, X_OK) == 0 ? Self.usual : nil
  }

  /// Runs the program with the question; its first line is the answer.
  static func run(
    _ program: String, _ question: String, _ stop: StopSwitch
  ) -> Result<SecretValue, PromptFailure> {
    guard let pipe = try? LocalPipe() else { return .failure(.nobody) }
    defer { close(pipe.read) }
    let start = ProgramStart(
      program: program, arguments: [program, question],
      environment: ChildProcess.currentEnvironment(),
      streams: [.nothing, .descriptor(pipe.write), .inherited], hasOwnSession: false)
    let child = try? start.run()
    close(pipe.write)
    guard let child else { return .failure(.nobody) }
    let line = readLine(from: pipe.read, stop)
    if line == nil { kill(child, SIGTERM) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    guard let line, status == 0 else { return .failure(.declined) }
    return .success(SecretValue(line))
  }

  /// All that the program says up to the first line's end; nil when the wait was ended.
  private static func readLine(from descriptor: Int32, _ stop: StopSwitch) -> [UInt8]? {
    var said: [UInt8] = []
    while said.count < answerLimit {
      guard stop.waitReadable(descriptor) else { return nil }
      var chunk = [UInt8](repeating: 0, count: answerLimit)
      let count = read(descriptor, &chunk, chunk.count)
      guard count > 0 else { break }
      said += chunk.prefix(count)
    }
    return Array(said.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") })
  }
}
