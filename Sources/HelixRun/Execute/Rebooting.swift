import HelixModel
import HelixPlan

/// The scripts of a reboot that is ordered once, however often it is asked for.
struct RebootScripts {
  let step: StepID
  let run: RunIdentity

  /// The word before what the script says.
  static let mark = "helix-reboot"

  private var record: String { "\(HostPlaces.state)/reboots/\(slug(step.description))" }

  /// Orders the reboot unless this run has done so for this step and the host has come up since;
  /// says which, and from which boot.
  ///
  /// The order is carried out a moment later, so that the answer still gets through.
  var order: String {
    """
    \(HostPlaces.telling)
    \(HostPlaces.keeping)
    record=\(record)
    owner= before=
    [ ! -s "$record" ] || read -r owner before <"$record" || :
    if [ "$owner" = \(shellQuoted(run.id)) ] && [ "$before" != "$boot" ]; then
    echo "\(Self.mark) done $before"
    exit 0
    fi
    umask 077
    mkdir -p "${record%/*}"
    helix_keep "$record" \(shellQuoted(run.id))" $boot"
    echo "\(Self.mark) ordered $boot"
    \(Self.command)
    """
  }

  /// Reboots a moment after the shell has ended.
  static let command = """
    if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
    systemd-run --quiet --collect --no-block /bin/sh -c 'sleep 1; systemctl reboot'
    else
    setsid /bin/sh -c 'sleep 1; reboot' </dev/null >/dev/null 2>&1 &
    fi
    """

  /// Says which boot the host is in; changes nothing.
  static let ask = "cat \(HostPlaces.bootID)"
}

extension InstructionRunner {
  private static let attempts = 5
  private static let interval: Duration = .seconds(2)
  /// What one asking may take, login included; a host on its way down may leave it without an answer.
  private static let longestAsking: Duration = .seconds(15)

  /// Reboots the host and waits until it answers from another boot.
  func reboot(_ reboot: Reboot, as instruction: Instruction) async throws {
    guard become == .root else {
      throw Diagnostic(
        "this would reboot the machine that helix-infra runs on",
        remedy: "reboot it by hand, then run apply again")
    }
    let end = min(ports.clock.now + .seconds(reboot.timeout), deadline)
    guard let before = try await order(instruction) else { return }
    await note("rebooting, until now in boot \(before)")
    var last = "it still answers from the same boot"
    while ports.clock.now < end {
      do {
        let boot = try await boot(until: end)
        if boot != before, !boot.isEmpty { return await note("answers again, in boot \(boot)") }
        last = "it still answers from the same boot"
      } catch {
        // On its way down and up it cannot be talked to; that is no failure.
        try Task.checkCancellation()
        last = (error as? Diagnostic)?.summary ?? "it does not answer"
      }
      try await ports.clock.sleep(for: max(.zero, min(Self.interval, end - ports.clock.now)))
    }
    throw Diagnostic(
      "the host did not come back from its reboot within \(reboot.timeout) s", reason: last,
      remedy: "look at its console; when it is up, run apply again")
  }

  /// - Returns: the boot that is to end; nil when that has happened already.
  private func order(_ instruction: Instruction) async throws -> String? {
    let scripts = RebootScripts(step: step.id, run: ports.run)
    let command = Command.script(
      ShellScript(scripts.order, .stopsAtFailure, fence: fence), .deed, become: become,
      timeout: max(.seconds(1), min(.seconds(30), remaining)))
    var left = Self.attempts
    while true {
      do {
        return try ordered(try await execute(command), instruction)
      } catch {
        // The answer may have been lost with the host: asked again, it tells what it has done.
        try Task.checkCancellation()
        left -= 1
        let isFinal = (error as? Diagnostic)?.evidence?.status != nil
        guard !isFinal, left > 0, remaining > Self.interval else { throw error }
        try await ports.clock.sleep(for: Self.interval)
      }
    }
  }

  private func ordered(_ output: CommandOutput, _ instruction: Instruction) throws -> String? {
    let words =
      plainLines(output.output, last: .max).last { $0.hasPrefix(RebootScripts.mark) }?
      .split(separator: " ").map(String.init) ?? []
    guard output.status == 0, words.count == 3 else {
      throw failure(
        "could not order the reboot", instruction, output,
        shownLines: output.output + output.errors)
    }
    return words[1] == "done" ? nil : words[2]
  }

  private func boot(until end: Duration) async throws -> String {
    let limit = max(.seconds(1), min(Self.longestAsking, end - ports.clock.now))
    let command = Command.script(
      ShellScript(RebootScripts.ask, .stopsAtFailure), .question, become: become, timeout: limit)
    // A question is asked again on a new connection, which may take longer than the question.
    return try await within(limit * 2, clock: ports.clock) {
      plainLines(try await execute(command).output, last: 1).first ?? ""
    }
  }
}
