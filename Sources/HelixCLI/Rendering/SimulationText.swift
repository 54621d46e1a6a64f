import HelixModel
import HelixPlan
import HelixRun

/// Simulated runs as a person reads them aloud.
struct SimulationText {
  let style: Style

  func render(_ report: SimulationReport) -> String {
    var lines: [String] = []
    let story = report.story
    if report.runs > 1 {
      lines.append(style.paint("the run of seed \(story.seed)", .bold))
    }
    lines += story.moments.map { "  \(time($0.seconds))  \(printable($0.text))" }
    let left = story.ends.filter { $0.outcome != "done" }
    if !left.isEmpty {
      lines += ["", style.paint("left undone", .bold)]
      lines += left.map(line)
    }
    lines.append("")
    lines += report.violations.prefix(10).map {
      style.paint("never allowed, seed \($0.seed): \(printable($0.text))", .red)
    }
    lines.append(conclusion(report))
    return lines.map { $0 + "\n" }.joined()
  }

  private func line(_ end: SimulationReport.End) -> String {
    let word = end.outcome == "not-begun" ? "not begun" : end.outcome
    return "  \(end.step)  \(word)" + (end.reason.map { ": \(printable($0))" } ?? "")
  }

  private func conclusion(_ report: SimulationReport) -> String {
    let words = [
      ("done", "done"), ("partly-done", "partly done"), ("failed", "failed"),
      ("interrupted", "interrupted"),
    ].compactMap { word, text in report.outcomes[word].map { "\($0) \(text)" } }
    let runs = report.runs == 1 ? "1 run" : "\(report.runs) runs"
    let voters =
      report.fewestVoters.map { "At least \($0.up) of \($0.of) voters were up." }
      ?? "There are no voters to look after."
    let verdict =
      report.violations.isEmpty
      ? "Nothing was done that must not be."
      : "\(report.violations.count) of them did what must never be done."
    return "Simulated \(runs) of \(report.steps) steps: \(words.joined(separator: ", ")). "
      + "\(voters) \(verdict)"
  }

  /// Minutes and seconds since the run began.
  private func time(_ seconds: Double) -> String {
    let whole = Int(seconds)
    let padded = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
    return "\(padded(whole / 60)):\(padded(whole % 60))"
  }
}
