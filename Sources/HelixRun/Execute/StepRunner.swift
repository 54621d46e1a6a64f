import HelixModel
import HelixPlan

/// Carries out the instructions of steps, one after the other, and says how each step ended.
struct StepRunner: Sendable {
  let ports: RunPorts
  let learned: LearnedValues
  /// Every secret the plan speaks of; their values are kept out of all messages.
  let confidential: [SecretName]
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
      ports: ports, learned: learned, events: events, step: step, host: host, deadline: deadline)
    guard runner.remaining > .zero else { throw TimeLimitReached() }
    try await within(runner.remaining + Self.lastWords, clock: ports.clock) {
      try await runner.perform(instruction)
    }
  }
}

extension StepRunner {
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
    let secrets = confidential.compactMap { name in
      (try? ports.secrets.value(of: name)).map { (name: name.rawValue, value: $0) }
    }
    let found = await learned.values.map { (name: $0.rawValue, value: SecretValue($1)) }
    return Redactor(values: secrets + found)
  }
}
