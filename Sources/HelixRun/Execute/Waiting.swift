import HelixModel
import HelixPlan

extension InstructionRunner {
  /// How long one asking may take; an API that hangs must not eat the whole wait.
  private static let longestAsking: Duration = .seconds(30)
  private static let longestDiagnosis: Duration = .seconds(15)

  /// Asks until the condition is so, the time is up, or its cause shows that it never will be.
  func wait(_ wait: Wait, as instruction: Instruction) async throws {
    let start = ports.clock.now
    let end = min(start + .seconds(wait.timeout), deadline)
    var watch = WaitWatch(interval: .seconds(wait.interval))
    var last = CommandOutput(status: 0)
    repeat {
      do {
        last = try await ask(wait.script, until: end)
        if last.status == 0 { return }
        if watch.notYet() { await diagnose(wait, &watch) }
        if watch.isHopeless { break }
      } catch {
        try Task.checkCancellation()
        watch.dropped()
        last = unanswered(error)
        await note("no answer while waiting, asking again in \(inSeconds(watch.pause))")
      }
      try await ports.clock.sleep(for: max(.zero, min(watch.pause, end - ports.clock.now)))
    } while ports.clock.now < end
    if !watch.isHopeless { await diagnose(wait, &watch) }
    throw notTrue(wait, instruction, after: ports.clock.now - start, watch, last)
  }

  private func ask(_ script: String, until end: Duration) async throws -> CommandOutput {
    let limit = max(.seconds(1), min(Self.longestAsking, end - ports.clock.now))
    return try await execute(
      .script(ShellScript(script, .goesOn), .question, become: become, timeout: limit))
  }

  /// Looks for the cause; a host that cannot be asked leaves the last finding as it is.
  private func diagnose(_ wait: Wait, _ watch: inout WaitWatch) async {
    guard let name = wait.diagnosis, let diagnosis = ports.diagnoses[name] else { return }
    let command = Command.script(
      ShellScript(diagnosis.script(of: wait.subject), .goesOn), .question, become: become,
      timeout: Self.longestDiagnosis)
    guard let output = try? await execute(command) else { return }
    watch.diagnosed(output.output, by: diagnosis)
  }

  /// What stands for the output of an asking that had no answer.
  private func unanswered(_ error: any Error) -> CommandOutput {
    let why = (error as? Diagnostic).map { [$0.summary, $0.reason ?? ""] } ?? ["\(error)"]
    return CommandOutput(
      status: 255, errors: why.filter { !$0.isEmpty }.joined(separator: ": "))
  }
}

extension InstructionRunner {
  private func notTrue(
    _ wait: Wait, _ instruction: Instruction, after time: Duration, _ watch: WaitWatch,
    _ last: CommandOutput
  ) -> Diagnostic {
    let summary =
      watch.isHopeless
      ? "\"\(wait.condition)\" will not come true; gave up after \(inSeconds(time))"
      : "\"\(wait.condition)\" did not come true within \(inSeconds(time))"
    let lines =
      watch.evidence.isEmpty ? plainLines(last.output + last.errors) : watch.evidence
    return Diagnostic(
      summary, reason: watch.finding?.sign.cause,
      remedy: watch.finding?.sign.remedy
        ?? "see what the host is busy with, then run apply again",
      evidence: Diagnostic.Evidence(
        command: instruction.words, status: last.status, lastLines: lines))
  }
}
