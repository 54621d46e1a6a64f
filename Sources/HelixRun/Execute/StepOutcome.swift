package import HelixModel
package import HelixPlan

/// What became of a step.
package enum StepOutcome: Hashable, Sendable {
  case done
  case failed(Diagnostic)
  /// Not begun, since a step it waits for did not succeed; the one where the trouble started.
  case skipped(blame: StepID)
  /// Ended before its time because the run was stopped.
  case interrupted
  /// The run was stopped before its turn came.
  case notBegun

  /// The word for the outcome in records.
  package var word: String {
    switch self {
    case .done: "done"
    case .failed: "failed"
    case .skipped: "skipped"
    case .interrupted: "interrupted"
    case .notBegun: "not-begun"
    }
  }
}

/// What became of a whole run.
package struct RunSummary: Hashable, Sendable {
  package struct End: Hashable, Sendable {
    package let step: StepID
    package let title: String
    package let host: HostName?
    package let outcome: StepOutcome
  }

  /// How the run went as a whole; exit codes follow from it.
  package enum Verdict: String, Hashable, Sendable, Codable {
    case done
    /// Something failed, and nothing was done.
    case failed
    /// Something failed, and something was done.
    case partlyDone = "partly-done"
    /// Stopped before all steps had ended.
    case interrupted
  }

  /// Every step, in the order of the plan.
  package let ends: [End]
  package let seconds: Double
}

extension RunSummary {
  /// How many steps ended in each way, by the outcome's word.
  package var counts: [String: Int] {
    Dictionary(ends.map { ($0.outcome.word, 1) }, uniquingKeysWith: +)
  }

  package var verdict: Verdict {
    let counts = counts
    func has(_ outcome: StepOutcome) -> Bool { counts[outcome.word] != nil }
    if has(.interrupted) || has(.notBegun) { return .interrupted }
    guard counts["failed"] != nil else { return .done }
    return has(.done) ? .partlyDone : .failed
  }

  /// What failed, in the order of the plan.
  package var failures: [(step: StepID, diagnostic: Diagnostic)] {
    ends.compactMap { end in
      guard case .failed(let diagnostic) = end.outcome else { return nil }
      return (end.step, diagnostic)
    }
  }

  /// What is left undone in one sentence, and how to go on; nil when all is done.
  package var advice: Diagnostic? {
    let parts = [
      ("done", "done"), ("failed", "failed"), ("skipped", "skipped"),
      ("interrupted", "interrupted"), ("not-begun", "not begun"),
    ].compactMap { word, text in counts[word].map { "\($0) \(text)" } }
    let tally = "of \(ends.count) steps: " + parts.joined(separator: ", ")
    let goOn = "every step may be done again, and apply does only what is still missing"
    switch verdict {
    case .done: return nil
    case .interrupted:
      return Diagnostic("the run was stopped; \(tally)", reason: goOn, remedy: "run apply again")
    case .failed, .partlyDone:
      return Diagnostic(
        "not everything was done; \(tally)", reason: goOn,
        remedy: "mend what the errors name, then run apply again")
    }
  }
}
