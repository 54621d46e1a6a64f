import Foundation
import HelixModel
import TestSupport

@testable import HelixSSH

/// Keepers of this process, on a socket in a folder of their own.
final class KeeperHouse: Sendable {
  let folder: ScratchFolder
  let place: KeeperPlace
  /// How many keepers were started.
  let starts = Lock(0)
  private let grace: Duration

  init(grace: Duration = .seconds(60)) throws {
    folder = try ScratchFolder()
    place = KeeperPlace(folder: folder.file("keep"), identity: ["test"])
    self.grace = grace
  }

  /// One run's provider.
  func run(
    keep: Duration = .seconds(60), _ server: SSHServer, _ events: EventLog = EventLog(),
    policy: HostKeyPolicy = .strict,
    prompter: any Prompter = Nobody()
  ) -> KeptShellProvider {
    KeptShellProvider(
      keep: keep, at: place, hostKeys: policy, local: server.local, prompter: prompter,
      report: events.add, start: { try self.start($0) })
  }

  private func start(_ listener: Int32) throws {
    starts.withLock { $0 += 1 }
    let own = fcntl(listener, F_DUPFD_CLOEXEC, 0)
    guard own >= 0 else { throw Diagnostic("no descriptor is free") }
    Task { [grace] in await Keeper(listener: own, grace: grace).serve() }
  }

  var connections: KeptConnections { KeptConnections(folder: place.folder) }

  /// Whether a keeper's socket is there.
  var isOpen: Bool { access(place.socket, F_OK) == 0 }

  /// Waits until the keeper has gone by itself.
  func isGone() async throws -> Bool {
    for _ in 0..<400 {
      if !isOpen { return true }
      try await Task.sleep(for: .milliseconds(50))
    }
    return false
  }
}

extension SSHServer {
  /// Has a run's shell echo a word.
  @discardableResult
  func echo(_ word: String, _ run: KeptShellProvider) async throws -> String {
    let shell = try await run.shell(to: host())
    return try await shell.run(Command("echo \(word)", become: .never)).output
  }
}

/// Answers no questions.
struct Nobody: Prompter {
  func ask(_ question: String) async throws(PromptFailure) -> SecretValue { throw .nobody }
}

/// A raw connection to a Unix socket, which blocks.
func unixSocket(_ path: String) throws -> Int32 {
  let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  guard let address = UnixAddress(path), address.connect(descriptor) == 0 else {
    close(descriptor)
    throw Diagnostic("cannot connect to \(path)")
  }
  return descriptor
}

/// The first frame that comes from a socket; nil when the other side hangs up instead.
func firstFrame(from descriptor: Int32) throws -> Frame? {
  var reader = FrameReader()
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    if let frame = try reader.next() { return frame }
    let count = recv(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    buffer[..<count].withUnsafeBytes { reader.take($0) }
  }
}
