import HelixModel
import Synchronization
import Testing

@testable import HelixRun

/// A shell that knows what to expect; a command it does not expect fails the test.
final class ScriptedShell: Shell {
  typealias Answer = @Sendable (Command) async throws -> CommandOutput

  let host: HostName
  private let rules: [(text: String, answer: Answer)]
  private let received = Mutex<[Command]>([])

  /// Each rule is text that a command's line or input holds, and its answer; the first wins.
  init(_ host: HostName = "web-1", _ rules: [(String, Answer)] = []) {
    self.host = host
    self.rules = rules.map { (text: $0, answer: $1) }
  }

  /// Everything it was asked to run, in order.
  var commands: [Command] { received.withLock { $0 } }

  func run(_ command: Command) async throws -> CommandOutput {
    received.withLock { $0.append(command) }
    let text = command.wholeText
    guard let rule = rules.first(where: { text.contains($0.text) }) else {
      Issue.record("unexpected command on \(host): \(text)")
      throw Diagnostic("unexpected command")
    }
    return try await rule.answer(command)
  }

  func send(_ transfer: FileTransfer) async throws {
    let text = "send \(transfer.source) to \(transfer.destination)"
    _ = try await run(Command(text, become: transfer.become, timeout: transfer.timeout))
  }

  func close() async {}
}

extension Command {
  /// The line and what is sent on standard input, secrets included.
  var wholeText: String {
    switch input {
    case .nothing: line
    case .text(let text): "\(line)\n\(text)"
    case .secret(let value): "\(line)\n\(String(decoding: value.reveal(), as: UTF8.self))"
    case .file(let path): "\(line)\n<\(path)"
    }
  }
}

/// Passes commands on to the local shell and remembers them; may spoil what it passes on.
final class SpyShell: Shell {
  let host: HostName
  private let spoil: @Sendable (Command) -> Command
  private let misdirect: @Sendable (FileTransfer) -> FileTransfer
  private let received = Mutex<[Command]>([])
  private let carried = Mutex<[FileTransfer]>([])

  init(
    _ host: HostName = "web-1", spoil: @escaping @Sendable (Command) -> Command = { $0 },
    misdirect: @escaping @Sendable (FileTransfer) -> FileTransfer = { $0 }
  ) {
    self.host = host
    self.spoil = spoil
    self.misdirect = misdirect
  }

  var commands: [Command] { received.withLock { $0 } }

  func run(_ command: Command) async throws -> CommandOutput {
    received.withLock { $0.append(command) }
    return try await LocalHost.shell.run(spoil(command))
  }

  /// Everything it was asked to send, in order.
  var transfers: [FileTransfer] { carried.withLock { $0 } }

  func send(_ transfer: FileTransfer) async throws {
    carried.withLock { $0.append(transfer) }
    try await LocalHost.shell.send(misdirect(transfer))
  }

  func close() async {}
}

/// Opens the shells it was given; a host without one is unreachable.
struct ScriptedProvider: ShellProvider {
  let shells: [HostName: any Shell]

  init(_ shells: [any Shell]) {
    self.shells = Dictionary(shells.map { ($0.host, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func shell(to host: Host) async throws -> any Shell {
    guard let shell = shells[host.name] else {
      throw Diagnostic("cannot connect to \(host.name)", reason: "no route to host")
    }
    return shell
  }

  func closeAll() async {}
}
