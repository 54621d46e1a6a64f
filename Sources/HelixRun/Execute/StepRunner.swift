import HelixModel
import HelixPlan

/// Carries out the instructions of steps, one after the other, and says how each step ended.
struct StepRunner: Sendable {
  let ports: RunPorts
  let learned: LearnedValues
  /// Every secret the plan speaks of, by its name; their values are kept out of all messages.
  let confidential: [TemplateText]
  let events: any EventSink

  /// What an instruction gets beyond its limit, so that it may say itself what it was waiting for.
  private static let lastWords: Duration = .seconds(20)

  func run(_ step: Step) async -> StepOutcome {
    let deadline = ports.clock.now + .seconds(step.timeout)
    for (index, instruction) in step.instructions.enumerated() {
      await events.report(
        .instructionStarted(
          .init(
            step: step.id, number: index + 1, of: step.instructions.count,
            words: instruction.words)))
      do {
        try await perform(instruction, of: step, deadline: deadline)
      } catch {
        if Task.isCancelled { return .interrupted }
        return .failed(await told(error, instruction, step))
      }
    }
    return .done
  }

  private func perform(
    _ instruction: Instruction, of step: Step, deadline: Duration
  ) async throws {
    try Task.checkCancellation()
    guard let host = step.host else {
      throw Diagnostic("the step has instructions and no host to follow them on")
    }
    let runner = InstructionRunner(
      ports: ports, learned: learned, events: events, step: step, host: host, deadline: deadline,
      redact: { await redactor().cleaned($0) })
    guard runner.remaining > .zero else { throw TimeLimitReached() }
    try await within(runner.remaining + Self.lastWords, clock: ports.clock) {
      try await runner.perform(instruction)
    }
  }
}

extension StepRunner {
  /// Leaves the host as it was found, as far as the step knows how.
  ///
  /// - Returns: why the step failed, and what became of the undoing.
  func undo(_ step: Step, after failure: Diagnostic) async -> Diagnostic {
    let deadline = ports.clock.now + .seconds(step.timeout)
    for (index, instruction) in step.undo.enumerated() {
      await events.report(.note(.init(step: step.id, text: "undo: \(instruction.words)")))
      do {
        try await perform(instruction, of: step, deadline: deadline)
      } catch {
        let why = Task.isCancelled ? "the run was stopped" : await words(error, instruction, step)
        await events.report(.note(.init(step: step.id, text: "could not undo: \(why)")))
        return failure.notUndone(
          Array(step.undo[index...]), "undoing it failed too: \(why)", on: step.host)
      }
    }
    return failure.undone
  }

  /// What went wrong and why, in a line.
  private func words(
    _ error: any Error, _ instruction: Instruction, _ step: Step
  ) async -> String {
    let told = await told(error, instruction, step)
    return told.summary + (told.reason.map { ": \($0)" } ?? "")
  }

  /// An error as a diagnostic with its place, the instruction that met it, and no secret in it.
  private func told(
    _ error: any Error, _ instruction: Instruction, _ step: Step
  ) async -> Diagnostic {
    var diagnostic =
      switch error {
      case let known as Diagnostic: known
      case is TimeLimitReached: outOfTime(step)
      default: Diagnostic("the step \"\(step.title)\" failed", reason: "\(error)")
      }
    diagnostic.place =
      diagnostic.place ?? step.host.map(ports.shells.place) ?? .resource(step.id.address)
    diagnostic.evidence =
      diagnostic.evidence
      ?? Diagnostic.Evidence(command: instruction.words, status: nil, lastLines: [])
    return await redactor().cleaned(diagnostic)
  }

  private func outOfTime(_ step: Step) -> Diagnostic {
    Diagnostic(
      "the step \"\(step.title)\" did not end within \(step.timeout) s",
      remedy: "see what the host is busy with, then run apply again")
  }

  /// Asked for only when something failed: most runs never need the values for this.
  private func redactor() async -> Redactor {
    let found = await learned.values
    let texts = confidential + found.keys.map { "\(learned: $0)" }
    return Redactor(
      values: texts.compactMap { text in
        guard let filled = try? ports.secrets.fill(text, learned: found), filled.missing == nil
        else { return nil }
        return (name: text.shownAsSecret, value: filled.value)
      })
  }
}

extension TemplateText {
  /// The name by which people know what must not be seen.
  fileprivate var shownAsSecret: String {
    guard let part = parts.first, parts.count == 1 else { return shown }
    return switch part {
    case .literal(let text): text
    case .secret(let name): name.rawValue
    case .learned(let name): name.rawValue
    case .coded(let text, let coding): "\(text.shown)|\(coding.rawValue)"
    }
  }
}
