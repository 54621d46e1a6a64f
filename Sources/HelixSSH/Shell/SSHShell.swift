import HelixModel

/// A host's shell over its SSH connection.
struct SSHShell: Shell {
  let host: HostName
  private let link: HostLink
  private let settings: SSHSettings
  private let files: SharedFiles

  init(_ link: HostLink, files: SharedFiles) {
    self.link = link
    self.files = files
    settings = link.settings
    host = settings.host
  }

  /// Makes sure that the host can be talked to.
  ///
  /// - Throws: a `Diagnostic` that says what was tried and how to fix it.
  func open() async throws {
    do {
      _ = try await link.liveSession()
    } catch let error as SSHError {
      throw error.diagnostic(settings)
    }
  }

  func run(_ command: Command) async throws -> CommandOutput {
    let request = RemoteRequest(
      command: command.line, ascent: ascent(for: command.become),
      input: RemoteInput(command.input), isQuestion: command.effect == .question,
      limit: command.timeout)
    do {
      return try output(of: try await link.run(request), request)
    } catch let error as SSHError {
      throw error.diagnostic(settings, command: command.line)
    }
  }

  func send(_ transfer: FileTransfer) async throws {
    do {
      let file = try await files.file(at: transfer.source)
      var ways = TransferWays(link, size: file.size)
      var upload = Upload(transfer, ascent: ascent(for: transfer.become), of: file) {
        request, count in
        try output(of: try await ways.run(request, bringing: count), request)
      }
      try await upload.run()
    } catch let error as SSHError {
      throw error.diagnostic(
        settings, command: "send \(transfer.source) to \(transfer.destination)")
    }
  }

  func close() async { await link.close() }

  private func ascent(for become: Become) -> Ascent? {
    let wanted: String
    switch become {
    case .never: return nil
    case .root: wanted = "root"
    case .user(let name): wanted = name
    }
    guard wanted != settings.user else { return nil }
    return Ascent(
      method: settings.elevation.method, user: wanted, password: settings.elevation.password)
  }

  /// A command that never announced itself has not run, whatever the status says.
  private func output(
    of result: RemoteResult, _ request: RemoteRequest
  ) throws(SSHError) -> CommandOutput {
    guard result.output.announcement != nil else {
      let lines = result.errors.noiseLines + result.output.noiseLines
      if let ascent = request.ascent,
        result.status == 127 || lines.contains(where: { $0.contains(ascent.method.rawValue) })
      {
        throw .ascent(ascent, AscentProblem(result))
      }
      throw .notStarted(status: result.status, lines: lines)
    }
    return CommandOutput(
      status: result.status, output: result.output.text, errors: result.errors.text,
      isTruncated: result.output.isTruncated || result.errors.isTruncated)
  }
}

extension RemoteInput {
  init(_ input: CommandInput) {
    switch input {
    case .nothing: self = .nothing
    case .text(let text): self = .bytes(Array(text.utf8))
    case .secret(let secret): self = .bytes(secret.reveal())
    case .file(let path): self = .file(path: path)
    }
  }
}
