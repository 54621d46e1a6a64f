import HelixModel

/// A host's shell over a session that a keeper holds.
struct KeeperShell: Shell {
  /// How many keepers may end under a command's feet: those with little time do so on a busy machine.
  private static let tries = 5

  let host: HostName
  private let provider: KeptShellProvider
  private let settings: SSHSettings
  /// Where paths of this run start.
  private let folder: String

  init(_ provider: KeptShellProvider, _ settings: SSHSettings, folder: String) {
    self.provider = provider
    self.settings = settings
    self.folder = folder
    host = settings.host
  }

  /// Makes sure that the host can be talked to.
  func open() async throws {
    try await withLink(mayRepeat: true) { _, _ in }
  }

  func run(_ command: Command) async throws -> CommandOutput {
    let command = try rooted(command)
    return try await withLink(mayRepeat: command.effect == .question) { keeper, link in
      guard case .output(let output) = try await keeper.request(.run(command, link: link)).reply
      else { throw KeeperProblem.lost(host: host).diagnostic }
      return output
    }
  }

  func send(_ transfer: FileTransfer) async throws {
    var transfer = transfer
    if !transfer.source.hasPrefix("/") { transfer.source = "\(folder)/\(transfer.source)" }
    // A transfer goes on where it was cut.
    try await withLink(mayRepeat: true) { [transfer] keeper, link in
      _ = try await keeper.request(.send(transfer, link: link), progress: transfer.progress)
    }
  }

  func close() async {
    try? await withLink(mayRepeat: false) { keeper, link in
      _ = try await keeper.request(.close(link: link))
    }
  }

  /// The keeper opens files itself, from another folder.
  private func rooted(_ command: Command) throws(Diagnostic) -> Command {
    var command = command
    switch command.input {
    case .file(let path) where !path.hasPrefix("/"):
      command.input = .file(path: "\(folder)/\(path)")
    case .text(let text) where text.utf8.count > Frame.limit / 2:
      throw KeeperProblem.inputTooLarge(text.utf8.count, host: host).diagnostic
    default: break
    }
    return command
  }

  /// Does something over the keeper's link with the host.
  ///
  /// A keeper may have ended since it was last talked to; what it has surely not done, or what may
  /// be done twice, is tried again with a new one.
  private func withLink<Value: Sendable>(
    mayRepeat: Bool, _ body: (KeeperConnection, Int) async throws -> Value
  ) async throws -> Value {
    for _ in 0..<Self.tries {
      do {
        let keeper = try await provider.keeper()
        return try await body(keeper, try await keeper.link(with: settings))
      } catch let loss as KeeperLoss {
        guard mayRepeat || loss.wasNeverRead else { break }
      }
    }
    throw KeeperProblem.lost(host: host).diagnostic
  }
}
