import HelixModel

/// A host's shell over its SSH connection.
struct SSHShell: Shell {
  let host: HostName
  private let link: HostLink
  private let settings: SSHSettings

  init(_ link: HostLink) {
    self.link = link
    settings = link.settings
    host = settings.host
  }

  func run(_ command: Command) async throws -> CommandOutput {
    let script = RemoteScript(command.line, elevation: elevation(for: command.become))
    do {
      let result = try await link.run(
        script, input: RemoteInput(command.input), limit: command.timeout)
      return try output(of: result, script)
    } catch let error as SSHError {
      throw error.diagnostic(settings, command: command.line)
    }
  }

  func close() async { await link.close() }

  private func elevation(for become: Become) -> RemoteScript.Elevation {
    become == .root && settings.user != "root" ? .sudo : .none
  }

  /// A command that never announced itself has not run, whatever the status says.
  private func output(
    of result: RemoteResult, _ script: RemoteScript
  ) throws(SSHError) -> CommandOutput {
    guard result.output.announcement != nil else {
      let lines = result.errors.noiseLines + result.output.noiseLines
      let isSudo = lines.contains { $0.contains("sudo") } || result.status == 127
      throw script.elevation == .sudo && isSudo
        ? .sudo(SudoProblem(lines: lines, status: result.status))
        : .notStarted(status: result.status, lines: lines)
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
