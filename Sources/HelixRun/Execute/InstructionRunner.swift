import HelixModel
import HelixPlan

/// Does what one instruction of a step says.
struct InstructionRunner: Sendable {
  let ports: RunPorts
  let learned: LearnedValues
  let events: any EventSink
  let step: Step
  let host: HostName
  /// When the step's time is up, by the ports' clock.
  let deadline: Duration
  /// Takes secrets out of what a host printed.
  var redact: @Sendable (String) async -> String = { $0 }

  /// How much of the step's time is left.
  var remaining: Duration { deadline - ports.clock.now }
  var become: Become { ports.shells.become(on: host) }
  /// How everything begins that may change the host; the operator's own machine is no part of a
  /// cluster.
  var fence: String { become == .root ? ports.fence?.prefix(on: host) ?? "" : "" }

  func perform(_ instruction: Instruction) async throws {
    switch instruction {
    case .run(let script): try await run(script, as: instruction)
    case .launch(let launch): try await self.launch(launch, as: instruction)
    case .reboot(let reboot): try await self.reboot(reboot, as: instruction)
    case .feed(let feed): try await self.feed(feed, as: instruction)
    case .write(let file): try await write(file, as: instruction)
    case .install(let install): try await self.install(install, as: instruction)
    case .wait(let wait): try await self.wait(wait, as: instruction)
    case .learn(let name, let script): try await learn(name, from: script, as: instruction)
    case .fetch(let fetch): try await self.fetch(fetch, as: instruction)
    }
  }

  func execute(_ command: Command) async throws -> CommandOutput {
    try await ports.shells.shell(to: host).run(command)
  }

  func note(_ text: String) async {
    await events.report(.note(.init(step: step.id, text: text)))
  }
}

extension InstructionRunner {
  func run(_ script: String, as instruction: Instruction) async throws {
    let output = try await execute(
      .script(
        ShellScript(script, .stopsAtFailure, fence: fence), .deed, become: become,
        timeout: remaining))
    guard output.status == 0 else {
      throw failure(
        "the step \"\(step.title)\" failed with exit status \(output.status)", instruction,
        output, shownLines: output.output + output.errors)
    }
  }

  private func feed(_ feed: Feed, as instruction: Instruction) async throws {
    let content = try await filledIn(feed.input, for: feed.title)
    let output = try await execute(
      .inline(
        "\(ShellScript.surroundings)\n\(fence)set -eu\n\(feed.script)", [], input: .secret(content),
        become: become, timeout: remaining))
    guard output.status == 0 else {
      throw failure(
        "the step \"\(step.title)\" failed with exit status \(output.status)", instruction,
        output, shownLines: output.errors)
    }
  }

  private func write(_ file: FileWrite, as instruction: Instruction) async throws {
    let content = try await filledIn(file.content, for: file.path)
    let size = content.reveal().count
    let output = try await execute(
      .inline(
        fence + HostScripts.write,
        [file.path, file.mode, file.owner, file.group, String(size), ports.nonce()],
        input: .secret(content), become: become, timeout: remaining))
    guard output.status == 0 else {
      throw failure(
        "could not write \(file.path)", instruction, output, shownLines: output.errors)
    }
  }

  private func learn(
    _ name: LearnedName, from script: String, as instruction: Instruction
  ) async throws {
    let output = try await execute(
      .script(
        ShellScript(script, .stopsAtFailure), .question, become: become, timeout: remaining))
    // What is learned may be a token: of a failed attempt only the complaints are shown.
    guard output.status == 0 else {
      throw failure(
        "could not learn \(name.rawValue)", instruction, output, shownLines: output.errors)
    }
    let lines = plainLines(output.output, last: .max, width: .max).filter { !$0.isEmpty }
    guard lines.count == 1, let value = lines.first?.drop(while: \.isWhitespace) else {
      throw Diagnostic(
        "could not learn \(name.rawValue)",
        reason: lines.isEmpty
          ? "the host printed nothing" : "the host printed \(lines.count) lines instead of one")
    }
    await learned.learn(name, String(value))
  }

  private func fetch(_ fetch: Fetch, as instruction: Instruction) async throws {
    let output = try await execute(
      .script(
        ShellScript(fetch.script, .stopsAtFailure), .question, become: become, timeout: remaining))
    guard output.status == 0, !output.output.isEmpty else {
      throw failure(
        "could not fetch \(fetch.localPath)", instruction, output, shownLines: output.errors)
    }
    let file = LocalFile(fetch.localPath, home: ports.home)
    let text =
      switch fetch.disposal {
      case .replace: output.output
      case .mergeKubeconfig:
        try ports.kubeconfigs.merge(output.output, into: try file.text())
      }
    try file.write(text, mode: fetch.mode, nonce: ports.nonce())
  }
}

extension InstructionRunner {
  /// The bytes of a text with its secrets and learned parts in place, for this moment only.
  private func filledIn(_ text: TemplateText, for path: String) async throws -> SecretValue {
    let filled = try ports.secrets.fill(text, learned: await learned.values)
    if let name = filled.missing { throw unlearned(name, path) }
    return filled.value
  }

  private func unlearned(_ name: LearnedName, _ path: String) -> Diagnostic {
    Diagnostic(
      "could not write \(path): \(name.rawValue) is not known yet",
      reason: "no step of this run has found it out",
      remedy: "run apply again; if it stays so, a step that learns it is missing in the plan")
  }

  /// A failed command as a diagnostic; of its output only `shownLines` may be seen.
  func failure(
    _ summary: String, _ instruction: Instruction, _ output: CommandOutput, shownLines: String
  ) -> Diagnostic {
    if let refusal = ports.fence?.refusal(output, by: host) {
      return refusal.with(
        Diagnostic.Evidence(command: instruction.words, status: output.status, lastLines: []))
    }
    let meaning = meaning(ofStatus: output.status)
    return Diagnostic(
      summary, reason: meaning?.reason,
      remedy: meaning?.remedy ?? "mend what the last lines say, then run apply again",
      evidence: Diagnostic.Evidence(
        command: instruction.words, status: output.status, lastLines: plainLines(shownLines)))
  }
}

extension Diagnostic {
  fileprivate func with(_ evidence: Evidence) -> Diagnostic {
    var diagnostic = self
    diagnostic.evidence = evidence
    return diagnostic
  }
}
