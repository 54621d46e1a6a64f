import HelixModel
import HelixPlan

/// How the fixtures of host kinds write a plan: what changes and why, what it was worked out from,
/// and every step with its scripts.
enum HostPlanText {
  static func of(_ plan: Plan) -> String {
    (plan.changes.map(change) + plan.graph.steps.map(step)).joined(separator: "\n") + "\n"
  }

  static func of(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map { diagnostic in
      var lines = [diagnostic.summary]
      if let reason = diagnostic.reason { lines.append("why: \(reason)") }
      if let remedy = diagnostic.remedy { lines.append("fix: \(remedy)") }
      return lines.joined(separator: "\n") + "\n"
    }.joined(separator: "\n")
  }

  private static func change(_ change: Change) -> String {
    var lines = ["\(change.action.rawValue) \(change.address): \(change.reason)"]
    for field in change.fields {
      if let diff = field.diff {
        lines.append("  \(field.name):")
        lines.append(indented(diff, by: "    "))
      } else {
        let values = [field.before, field.after].map { $0 ?? "nothing" }
        lines.append("  \(field.name): \(values.joined(separator: " → "))")
      }
    }
    if let disruption = change.disruption { lines.append("  ! \(disruption)") }
    lines += change.relied.map { "  relies on \($0.fact): \($0.summary)" }
    return lines.joined(separator: "\n")
  }

  private static func step(_ step: Step) -> String {
    let instructions = step.instructions.map { instruction -> String in
      switch instruction {
      case .run(let script): "run:\n\(indented(script, by: "    | "))"
      case .write(let file):
        "write \(file.path) \(file.mode) \(file.owner):\(file.group):\n"
          + indented(file.content.shown, by: "    | ")
      default: "\(instruction)"
      }
    }
    return (["step \(step.id): \(step.title)"] + instructions.map { "  \($0)" })
      .joined(separator: "\n")
  }

  private static func indented(_ text: String, by margin: String) -> String {
    text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { margin + shown(Substring($0)) }.joined(separator: "\n")
  }

  /// Carriage returns so that an editor keeps them.
  private static func shown(_ line: Substring) -> String {
    String(
      line.unicodeScalars.flatMap { $0 == "\r" ? Array("␍".unicodeScalars) : [$0] }
        .map(Character.init))
  }
}
