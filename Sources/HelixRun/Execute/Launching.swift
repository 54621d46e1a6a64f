import HelixModel
import HelixPlan

extension InstructionRunner {
  /// How long one question waits for the end at most; the first ones less, for what is quickly done.
  private static let waits = [2, 5, 10, 20]
  /// How often the start is tried when the connection is lost over it.
  private static let attempts = 5
  private static let pauses: [Duration] = [1, 2, 4, 8, 15].map { .seconds($0) }

  /// Starts the script apart from the connection, or finds it running, and waits for its end.
  func launch(_ launch: Launch, as instruction: Instruction) async throws {
    // Where no connection can be lost, nothing needs to outlive it.
    guard become == .root else { return try await run(launch.script, as: instruction) }
    let scripts = LaunchScripts(launch, of: step.id, run: ports.run)
    do {
      var state = try await begin(scripts, instruction)
      await tell(state, scripts)
      while let next = try await follow(state, scripts, instruction) { state = next }
    } catch {
      if Task.isCancelled {
        await note(
          "\"\(launch.title)\" goes on without us; see it there with: systemctl status \(scripts.unit)"
        )
      }
      throw error
    }
  }

  /// The script that begins it may be sent again: it never begins what runs.
  private func begin(
    _ scripts: LaunchScripts, _ instruction: Instruction
  ) async throws -> LaunchState {
    let command = Command.script(
      ShellScript(scripts.begin, .stopsAtFailure, fence: fence), .deed, become: become,
      timeout: max(.seconds(1), min(.seconds(60), remaining)))
    return try await patiently {
      let output = try await execute(command)
      guard output.status == 0, let state = LaunchState(output.output) else {
        throw failure(
          "could not start \"\(scripts.launch.title)\"", instruction, output,
          shownLines: output.output + output.errors)
      }
      return state
    }
  }

  /// Tries again when a host could not be talked to; what it says itself is final.
  private func patiently<Value>(
    _ attempts: Int = attempts, _ work: () async throws -> Value
  ) async throws -> Value {
    var failed = 0
    while true {
      do { return try await work() } catch {
        try Task.checkCancellation()
        let pause = Self.pauses[min(failed, Self.pauses.count - 1)]
        failed += 1
        let isFinal = (error as? Diagnostic)?.evidence?.status != nil
        guard !isFinal, failed < attempts, remaining > pause else { throw error }
        if failed == 1 { await note("the connection was lost, connecting again") }
        try await ports.clock.sleep(for: pause)
      }
    }
  }

  private func tell(_ state: LaunchState, _ scripts: LaunchScripts) async {
    guard state.runID != ports.run.id else { return }
    let run = "run \(state.runID) (\(state.who))"
    switch state.word {
    case .running, .starting:
      await note("still running, started \(state.age) s ago by \(run)")
    case .finished:
      await note(
        "finished, status \(state.status ?? 0), \(state.age) s ago while nobody watched, by \(run)")
    case .begun, .rebooted, .vanished, .none: break
    }
  }

  /// Goes on from what is known.
  ///
  /// - Returns: what is known then; nil when all is done.
  private func follow(
    _ state: LaunchState, _ scripts: LaunchScripts, _ instruction: Instruction
  ) async throws -> LaunchState? {
    switch state.word {
    case .begun, .starting, .running: return try await watch(scripts, instruction)
    case .rebooted:
      await note("the host was rebooted in the middle; beginning anew")
      return try await begin(scripts, instruction)
    case .finished where state.status == 0:
      try await acknowledge(scripts)
      return nil
    case .finished, .vanished, .none: throw ended(state, scripts, instruction)
    }
  }

  /// Asks until it has ended, and tells now and then what it printed last.
  private func watch(
    _ scripts: LaunchScripts, _ instruction: Instruction
  ) async throws -> LaunchState {
    var told = ""
    var asked = 0
    while remaining > .zero {
      let wait = Self.waits[min(asked, Self.waits.count - 1)]
      let command = Command.script(
        ShellScript(scripts.attach(waiting: wait), .stopsAtFailure), .question, become: become,
        timeout: .seconds(wait + 30))
      // What runs is worth coming back to for as long as there is time.
      let state = try await patiently(.max) {
        let output = try await execute(command)
        guard output.status == 0, let state = LaunchState(output.output) else {
          throw failure(
            "could not look after \"\(scripts.launch.title)\"", instruction, output,
            shownLines: output.output + output.errors)
        }
        return state
      }
      guard state.word == .running || state.word == .starting else { return state }
      asked += 1
      if let line = state.lines.last(where: { !$0.isEmpty }), line != told {
        told = line
        await note(await redact(line))
      }
    }
    throw Diagnostic(
      "\"\(scripts.launch.title)\" did not end within the step's \(step.timeout) s",
      reason: "it goes on there, and the next run finds it",
      remedy: "see it there with: systemctl status \(scripts.unit)")
  }

  /// A success that nobody took note of would spare the next run its work for a while.
  private func acknowledge(_ scripts: LaunchScripts) async throws {
    let command = Command.script(
      ShellScript(scripts.acknowledge, .stopsAtFailure), .deed, become: become,
      timeout: .seconds(20))
    guard (try? await patiently { try await execute(command) })?.status != 0 else { return }
    try Task.checkCancellation()
    await note("it has ended well, and its record in \(scripts.folder) could not be marked as seen")
  }

  private func ended(
    _ state: LaunchState, _ scripts: LaunchScripts, _ instruction: Instruction
  ) -> Diagnostic {
    let title = scripts.launch.title
    guard state.word == .finished, let status = state.status else {
      return Diagnostic(
        "\"\(title)\" was ended on the host before it was done",
        reason: "it does not run there any more, and left no status",
        remedy: "see why with: journalctl -u \(scripts.unit); then run apply again",
        evidence: .init(command: instruction.words, status: nil, lastLines: state.lines))
    }
    let meaning = meaning(ofStatus: status)
    let isOutOfTime = status == 124
    return Diagnostic(
      isOutOfTime
        ? "\"\(title)\" did not end within \(scripts.launch.timeout) s, and the host ended it"
        : "\"\(title)\" failed with exit status \(status)",
      reason: meaning?.reason,
      remedy: meaning?.remedy ?? "mend what the last lines say, then run apply again",
      evidence: .init(command: instruction.words, status: status, lastLines: state.lines))
  }
}
