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
    try await bring(file, install)
    let output = try await execute(
      .inline(
        fence + HostScripts.install, [install.path, install.mode, install.keepingPreviousAt ?? ""],
        input: .nothing, become: become, timeout: remaining))
    guard output.status == 0 else {
      throw failure(
        "could not install \(install.path)", instruction, output, shownLines: output.errors)
    }
  }

  /// Sends the file, and tells how far it is, whoever is slow to hear it.
  private func bring(_ file: String, _ install: ArtifactInstall) async throws {
    let shell = try await ports.shells.shell(to: host)
    let (news, latest) = AsyncStream.makeStream(
      of: FileTransfer.Progress.self, bufferingPolicy: .bufferingNewest(1))
    let transfer = FileTransfer(
      source: file, destination: HostScripts.part(of: install.path), sha256: install.sha256,
      become: become, timeout: remaining, progress: { latest.yield($0) })
    async let telling: Void = tell(news, of: install.artifact.file)
    do {
      try await shell.send(transfer)
    } catch {
      latest.finish()
      await telling
      throw error
    }
    latest.finish()
    await telling
  }

  private func tell(_ news: AsyncStream<FileTransfer.Progress>, of file: String) async {
    var told = 0
    for await progress in news where progress.total > 0 {
      let percent = progress.sent * 100 / progress.total
      guard percent > told else { continue }
      let isMilestone = percent / 10 > told / 10
      told = percent
      await events.report(
        .uploading(
          .init(
            step: step.id, file: file, sent: progress.sent, total: progress.total,
            isMilestone: isMilestone)))
    }
  }

  private func isThere(_ install: ArtifactInstall, _ instruction: Instruction) async throws -> Bool
  {
    let output = try await execute(
      .inline(
        fence + HostScripts.check, [install.path, install.mode, install.sha256], input: .nothing,
        become: become, timeout: remaining))
    guard output.status == 0 else {
      throw failure(
        "could not look at \(install.path)", instruction, output, shownLines: output.errors)
    }
    return plainLines(output.output, last: 1) == [install.sha256]
  }
}
