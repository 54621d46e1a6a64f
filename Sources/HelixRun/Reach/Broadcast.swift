package import HelixModel

/// Runs a command on many hosts, as many at once as allowed; no host's end waits for another's.
package struct Broadcast: Sendable {
  /// How it went on one host.
  package enum Outcome: Sendable, Hashable {
    case ended(CommandOutput)
    /// The host could not be asked to run it, or its end could not be seen.
    case unreachable(Diagnostic)
  }

  /// One host's answer.
  package struct Answer: Sendable, Hashable {
    package var host: HostName
    package var outcome: Outcome
    /// From the moment the host had its turn, login included.
    package var seconds: Double

    package init(host: HostName, outcome: Outcome, seconds: Double) {
      self.host = host
      self.outcome = outcome
      self.seconds = seconds
    }
  }

  private let shells: HostShells
  private let parallelism: Int
  private let clock: any RunClock

  package init(shells: HostShells, parallelism: Int, clock: any RunClock = SystemClock()) {
    self.shells = shells
    self.parallelism = max(1, parallelism)
    self.clock = clock
  }

  /// Runs each host's command and hands over every answer when it is there.
  ///
  /// When somebody asks to stop, no further host has its turn, and what runs is ended; hosts that
  /// did not come to their end have no answer.
  package func run(
    _ commands: [(host: HostName, command: Command)], stop: StopRequest = StopRequest(),
    each: (Answer) async -> Void
  ) async {
    await withTaskGroup(of: Happening.self) { group in
      var waiting = commands[...]
      var running = 0
      func beginNext() {
        guard !stop.isAsked, let (host, command) = waiting.popFirst() else { return }
        running += 1
        group.addTask { .ended(await answer(of: host, to: command)) }
      }
      group.addTask {
        await stop.asked()
        return .askedToStop
      }
      for _ in 0..<parallelism { beginNext() }
      while running > 0, let happening = await group.next() {
        guard case .ended(let answer) = happening else {
          group.cancelAll()
          continue
        }
        running -= 1
        if let answer { await each(answer) }
        beginNext()
      }
      group.cancelAll()
    }
  }
}

extension Broadcast {
  /// What a broadcast is woken by.
  private enum Happening: Sendable {
    /// Without an answer, when it was told to stop meanwhile.
    case ended(Answer?)
    case askedToStop
  }

  private func answer(of host: HostName, to command: Command) async -> Answer? {
    let start = clock.now
    let outcome: Outcome
    do {
      outcome = .ended(try await shells.shell(to: host).run(command))
    } catch {
      if Task.isCancelled { return nil }
      outcome = .unreachable(shells.silence(of: host, error))
    }
    return Answer(host: host, outcome: outcome, seconds: (clock.now - start).seconds)
  }
}
