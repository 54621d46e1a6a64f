import Dispatch
import Glibc
package import HelixModel
import Synchronization

/// The shell of the machine helix-infra itself runs on.
package struct LocalShell: Shell {
  package let host: HostName

  package init(host: HostName = .controller) { self.host = host }

  package func run(_ command: Command) async throws -> CommandOutput {
    let deadline = ContinuousClock.now + command.timeout
    let isCancelled = Flag()
    let ending = try await withTaskCancellationHandler {
      try await onOwnThread {
        let child = try ChildProcess(
          Self.arguments(for: command), environment: Self.environment(),
          file: Self.file(of: command.input))
        return child.converse(
          input: Self.bytes(of: command.input), deadline: deadline,
          isCancelled: { isCancelled.isRaised })
      }
    } onCancel: {
      isCancelled.raise()
    }
    switch ending {
    case .ended(let output): return output
    case .cancelled: throw CancellationError()
    case .outOfTime: throw outOfTime(command)
    }
  }

  /// Copies the file; from one folder of this machine to another nothing is worth going on with.
  package func send(_ transfer: FileTransfer) async throws {
    let output = try await run(
      .inline(
        HostScripts.receive, [transfer.destination, transfer.sha256],
        input: .file(path: transfer.source), become: transfer.become, timeout: transfer.timeout))
    guard output.status == 0 else { throw unsent(transfer, output) }
    let size = output.output.split(separator: "\n").last.flatMap { Int($0) } ?? 0
    transfer.progress(.init(sent: size, total: size))
  }

  private func unsent(_ transfer: FileTransfer, _ output: CommandOutput) -> Diagnostic {
    let evidence = Diagnostic.Evidence(
      command: "send \(transfer.source) to \(transfer.destination)", status: output.status,
      lastLines: plainLines(output.errors))
    guard output.status == HostScripts.wrongChecksum else {
      return Diagnostic(
        "could not write \(transfer.destination)", reason: evidence.lastLines.last,
        at: .host(host, address: nil), evidence: evidence)
    }
    return Diagnostic(
      "\(transfer.destination) arrived damaged",
      reason: "its SHA-256 is not the one asked for; what arrived was removed",
      remedy: "check \(transfer.source), the disk and memory, then run it again",
      at: .host(host, address: nil), evidence: evidence)
  }

  package func close() async {}

  private func outOfTime(_ command: Command) -> Diagnostic {
    Diagnostic(
      "the command did not end within \(inSeconds(command.timeout))",
      at: .host(host, address: nil))
  }
}

extension LocalShell {
  /// What a local command may know of the operator's environment; keys and tokens stay out.
  private static let inherited = ["HOME", "LANG", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER"]

  private static func arguments(for command: Command) -> [String] {
    let shell = ["/bin/sh", "-c", command.line]
    switch command.become {
    case .never: return shell
    case .root: return geteuid() == 0 ? shell : ["sudo", "-n", "--"] + shell
    case .user(let name): return ["sudo", "-n", "-u", name, "--"] + shell
    }
  }

  private static func environment() -> [String] {
    inherited.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }
  }

  private static func file(of input: CommandInput) -> String? {
    switch input {
    case .nothing: "/dev/null"
    case .file(let path): path
    case .text, .secret: nil
    }
  }

  private static func bytes(of input: CommandInput) -> [UInt8] {
    switch input {
    case .nothing, .file: []
    case .text(let text): Array(text.utf8)
    case .secret(let value): value.reveal()
    }
  }
}

/// Runs what blocks on a thread of its own, away from the pool that all tasks share.
private func onOwnThread<Value: Sendable>(
  _ work: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue(label: "helix.local-shell").async {
      continuation.resume(with: Result(catching: work))
    }
  }
}

/// Something that was either said or not; safe to say from anywhere.
private final class Flag: Sendable {
  private let value = Atomic(false)
  var isRaised: Bool { value.load(ordering: .acquiring) }
  func raise() { value.store(true, ordering: .releasing) }
}
