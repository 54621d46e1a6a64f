package import HelixModel
package import HelixPlan

/// One thing that happened in a run; it holds titles and redacted text, never a secret.
package enum Event: Hashable, Sendable {
  case hostAsked(HostAsked)
  case hostAnswered(HostAnswered)
  case hostSilent(HostSilent)
  case runStarted(RunStarted)
  case stepWaiting(StepWaiting)
  case stepStarted(StepStarted)
  case instructionStarted(InstructionStarted)
  case note(Note)
  case uploading(Uploading)
  case stepEnded(StepEnded)
  case runStopping(RunStopping)
  case runEnded(RunEnded)
}

extension Event {
  /// Whether it belongs into records and on lines for machines.
  package var isLasting: Bool {
    if case .uploading(let uploading) = self { uploading.isMilestone } else { true }
  }
}

/// Takes events in the order in which they happen; whoever reports waits until it was taken.
package protocol EventSink: Sendable {
  func report(_ event: Event) async
}

/// Hands each event to several sinks, one after the other.
package struct EventFan: EventSink {
  private let sinks: [any EventSink]

  package init(_ sinks: [any EventSink]) { self.sinks = sinks }

  package func report(_ event: Event) async {
    for sink in sinks { await sink.report(event) }
  }
}

extension Event {
  /// A host is being asked for its facts.
  package struct HostAsked: Hashable, Sendable, Codable {
    package var host: HostName
    package var facts: Int
  }

  /// A host gave all its answers.
  package struct HostAnswered: Hashable, Sendable, Codable {
    package var host: HostName
    package var seconds: Double
  }

  /// A host could not be asked.
  package struct HostSilent: Hashable, Sendable, Codable {
    package var host: HostName
    package var diagnostic: Diagnostic
  }

  /// The plan in numbers, at the beginning of applying it.
  package struct RunStarted: Hashable, Sendable, Codable {
    /// Pending changes by action.
    package var changes: [String: Int]
    package var steps: Int
    package var parallelism: Int
  }

  /// A step could begin but for the votes that it may cost; told again when the reason is another.
  package struct StepWaiting: Hashable, Sendable, Codable {
    package var step: StepID
    package var title: String
    package var host: HostName?
    /// What it waits for: the arithmetic, or a step that must end first.
    package var words: String
  }

  package struct StepStarted: Hashable, Sendable, Codable {
    package var step: StepID
    package var title: String
    package var host: HostName?
  }

  package struct InstructionStarted: Hashable, Sendable, Codable {
    package var step: StepID
    /// From 1 on.
    package var number: Int
    package var of: Int
    /// What it does, in words.
    package var words: String
  }

  /// Something worth knowing about a step under way.
  package struct Note: Hashable, Sendable, Codable {
    package var step: StepID
    package var text: String
  }

  /// A file is on its way to a step's host.
  package struct Uploading: Hashable, Sendable, Codable {
    package var step: StepID
    package var file: String
    /// Bytes of the file; as many as `total` once the host has found it right.
    package var sent: Int
    package var total: Int
    /// Another tenth is there.
    ///
    /// Records keep no more than that; a screen shows each percent.
    package var isMilestone = true

    private enum CodingKeys: CodingKey { case step, file, sent, total }

    package var percent: Int { total > 0 ? sent * 100 / total : 100 }
  }

  package struct StepEnded: Hashable, Sendable {
    package var step: StepID
    package var outcome: StepOutcome
    package var seconds: Double
  }

  /// Somebody asked to stop: no step begins any more, these still run.
  package struct RunStopping: Hashable, Sendable, Codable {
    package var running: [StepID]
    /// Whether the running steps were told to end at once.
    package var atOnce: Bool
  }

  package struct RunEnded: Hashable, Sendable, Codable {
    package var verdict: RunSummary.Verdict
    /// Steps by the word of their outcome.
    package var steps: [String: Int]
    package var seconds: Double
  }
}
