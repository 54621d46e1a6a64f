import Foundation
import HelixModel
import HelixPlan

/// A plan as the fixtures write it: what changes and why, then the steps in order and their waits.
func words(of plan: Plan) -> String {
  let changes = plan.changes.map(words)
  let steps = plan.graph.steps.map(words)
  let warnings =
    plan.warnings.isEmpty ? [] : ["warnings:"] + plan.warnings.map { "  \($0.summary)" }
  return
    (["changes:"] + changes + warnings + ["steps:"] + (steps.isEmpty ? ["  none"] : steps) + [""])
    .joined(separator: "\n")
}

private func words(of change: Change) -> String {
  var lines: [String] = []
  switch change.standing {
  case .planned:
    lines.append("  \(change.action.rawValue) \(change.address): \(change.reason)")
  case .heldBack(let diagnostic):
    lines.append("  held back \(change.address): \(diagnostic.summary)")
    lines += [diagnostic.reason].compactMap(\.self).map { "    why: \($0)" }
    return lines.joined(separator: "\n")
  case .refused(let diagnostic):
    return "  refused \(change.address): \(diagnostic.summary)"
  }
  for field in change.fields {
    if let diff = field.diff {
      lines.append("    \(field.name):")
      // The unit is the same on every host, and the scripts have tests of their own.
      if !field.name.hasPrefix("/etc/systemd") || field.diff?.contains("\n-") == true {
        lines += diff.split(separator: "\n").map { "      \($0)" }
      }
    } else {
      lines.append("    \(field.name): \(field.before ?? "nothing") → \(field.after ?? "nothing")")
    }
  }
  lines += [change.disruption].compactMap(\.self).map { "    ! \($0)" }
  return lines.joined(separator: "\n")
}

private func words(of step: Step) -> String {
  let after = step.after.map(\.description).sorted()
  let waits = after.isEmpty ? "" : "\n      after \(after.joined(separator: ", "))"
  let follows = step.follows.map(\.description).sorted()
  let ends = follows.isEmpty ? "" : "\n      once ended \(follows.joined(separator: ", "))"
  let undo = step.undo.isEmpty ? "" : "\n      undone when it fails"
  let budget = step.spends.map { " (\($0))" } ?? ""
  return "  \(step.id): \(step.title)\(budget)\(waits)\(ends)\(undo)"
}

/// Refusals as people read them.
func words(of refusals: [Diagnostic]) -> String {
  refusals.map { diagnostic in
    var lines = [diagnostic.summary]
    lines += [diagnostic.reason].compactMap(\.self).map { "why: \($0)" }
    lines += [diagnostic.remedy].compactMap(\.self).map { "fix: \($0)" }
    return lines.joined(separator: "\n") + "\n"
  }.joined(separator: "\n")
}
