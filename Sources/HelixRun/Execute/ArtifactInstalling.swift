import HelixModel
import HelixPlan

extension InstructionRunner {
  /// Brings an artifact to the host unless it is there already; both ends check its sum.
  func install(_ install: ArtifactInstall, as instruction: Instruction) async throws {
    guard try await !isThere(install, instruction) else {
      return await note("\(install.path) already is \(install.artifact.release)")
    }
    let file = try await ports.artifacts.file(of: install.artifact)
    await note("uploading \(install.artifact.file)")
    let output = try await execute(
      .inline(
        HostScripts.install,
        [install.path, install.mode, install.sha256, install.keepingPreviousAt ?? ""],
        input: .file(path: file), become: become, timeout: remaining))
    switch output.status {
    case 0: return
    case HostScripts.wrongChecksum: throw damaged(install, instruction, output)
    default:
      throw failure(
        "could not install \(install.path)", instruction, output, shownLines: output.errors)
    }
  }

  private func isThere(_ install: ArtifactInstall, _ instruction: Instruction) async throws -> Bool
  {
    let output = try await execute(
      .inline(
        HostScripts.check, [install.path, install.mode, install.sha256], input: .nothing,
        become: become, timeout: remaining))
    guard output.status == 0 else {
      throw failure(
        "could not look at \(install.path)", instruction, output, shownLines: output.errors)
    }
    return plainLines(output.output, last: 1) == [install.sha256]
  }

  private func damaged(
    _ install: ArtifactInstall, _ instruction: Instruction, _ output: CommandOutput
  ) -> Diagnostic {
    var diagnostic = failure(
      "\(install.artifact.file) arrived damaged", instruction, output, shownLines: output.errors)
    diagnostic.reason =
      "its SHA-256 on the host is not the release's; what arrived was removed, "
      + "and \(install.path) is as it was"
    diagnostic.remedy = "check the host's disk and memory, then run apply again"
    return diagnostic
  }
}
