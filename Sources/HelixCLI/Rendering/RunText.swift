import HelixModel
import HelixPlan
import HelixRun

/// A run in plain lines: one per thing worth knowing.
struct RunText {
  let style: Style

  /// The line for an event; nil for those that need none.
  func line(_ event: Event) -> String? {
    switch event {
    case .hostSilent(let silent):
      DiagnosticText(style: style).render(silent.diagnostic)
    case .stepWaiting(let step):
      "\(place(step.step)): \(step.title) waits: \(printable(step.words))"
    case .stepStarted(let step):
      step.host.map { "\($0): \(step.title) …" }
    case .note(let note):
      "\(place(note.step)): \(printable(note.text))"
    case .stepEnded(let end):
      ended(end)
    case .runStopping(let stopping):
      stopping.atOnce
        ? "stopping now"
        : "stopping: \(underway(stopping.running.count)) may finish; Ctrl-C again ends what runs"
    case .hostAsked, .hostAnswered, .runStarted, .instructionStarted, .uploading, .runEnded:
      nil
    }
  }

  /// What was done, failed and skipped, and where it stands written.
  func summary(_ summary: RunSummary, record: String) -> String {
    var lines: [String] = []
    for end in summary.ends {
      switch end.outcome {
      case .skipped(let blame): lines.append("skipped \(end.step), since \(blame) failed")
      case .interrupted:
        lines.append("interrupted \(end.step), half done; apply again to end it")
      case .done, .failed, .notBegun: continue
      }
    }
    let words = ["done", "failed", "skipped", "interrupted", "not-begun"]
    let tally = words.compactMap { word in
      summary.counts[word].map { "\($0) \(word == "not-begun" ? "not begun" : word)" }
    }.joined(separator: ", ")
    let seconds = Int(summary.seconds.rounded())
    lines.append(
      "Apply: \(tally.isEmpty ? "nothing to do" : "steps \(tally)") in \(seconds) s. Record: \(record)"
    )
    return lines.map { $0 + "\n" }.joined()
  }

  private func ended(_ end: Event.StepEnded) -> String? {
    guard let host = end.step.address.host else { return nil }
    let name = "\(host): \(end.step.address.kind)"
    let named = end.step.address.name.isEmpty ? name : "\(name):\(end.step.address.name)"
    let seconds = "\(Int(end.seconds.rounded())) s"
    return switch end.outcome {
    case .done: "\(named) \(end.step.name) \(style.paint("done", .green)) after \(seconds)"
    case .failed(let why):
      "\(named) \(end.step.name) \(style.paint("failed", .red)) after \(seconds): "
        + printable(why.summary)
    case .skipped(let blame): "\(named) \(end.step.name) skipped, since \(blame) failed"
    case .interrupted: "\(named) \(end.step.name) interrupted"
    case .notBegun: nil
    }
  }

  private func underway(_ count: Int) -> String {
    count == 1 ? "1 step under way" : "\(count) steps under way"
  }

  private func place(_ id: StepID) -> String { id.address.host?.rawValue ?? id.address.description }
}
