import HelixModel
package import HelixPlan
import HelixRun

/// A plan as a person reads it aloud.
package struct PlanText {
  let style: Style
  /// Also list what needs nothing, and why.
  let isVerbose: Bool

  package init(style: Style = .plain, isVerbose: Bool = false) {
    self.style = style
    self.isVerbose = isVerbose
  }

  /// The whole plan, ended by its closing line and a newline.
  package func render(_ plan: Plan, declared: [String], hostCount: Int) -> String {
    var text = ""
    let steps = Dictionary(
      plan.graph.steps.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for (title, changes) in grouped(plan.changes) {
      text += style.paint(title, .bold) + "\n"
      var told = Told()
      for change in changes { render(change, &told, steps: steps, into: &text) }
      text += "\n"
    }
    text += section("interruptions, in this order", interruptions(plan, steps: steps))
    text += section("declared, not applied by this version", declared)
    text += closingLine(plan, hostCount: hostCount) + "\n"
    return text
  }

  /// `Plan: 12 to create, …` or `No changes. …`.
  func closingLine(_ plan: Plan, hostCount: Int) -> String {
    let counts = plan.counts
    let (heldBack, refused) = plan.exceptions
    var tail = ""
    if heldBack > 0 { tail += " \(heldBack) held back." }
    if refused > 0 { tail += " \(refused) refused." }
    guard counts.isEmpty else {
      return "Plan: \(counts[.create] ?? 0) to create, \(counts[.update] ?? 0) to update, "
        + "\(counts[.replace] ?? 0) to replace, \(counts[.delete] ?? 0) to delete." + tail
    }
    let hosts = hostCount == 1 ? "1 host matches" : "\(hostCount) hosts match"
    return tail.isEmpty ? "No changes. \(hosts)." : "No changes can be made now.\(tail)"
  }
}

extension PlanText {
  /// Changes under their host's name, in the order in which the hosts first appear; the cluster and
  /// providers come last.
  private func grouped(_ changes: [Change]) -> [(String, [Change])] {
    var order: [Address.Scope] = []
    var groups: [Address.Scope: [Int]] = [:]
    for position in changes.indices where isShown(changes[position]) {
      let scope = changes[position].address.scope
      if groups[scope] == nil { order.append(scope) }
      groups[scope, default: []].append(position)
    }
    let hosts = order.filter { if case .host = $0 { true } else { false } }
    let others = order.filter { if case .host = $0 { false } else { true } }
    return (hosts + others).map { scope in
      (scope.word, (groups[scope] ?? []).map { changes[$0] })
    }
  }

  private func isShown(_ change: Change) -> Bool {
    isVerbose || change.action != .none || change.standing != .planned
  }

  /// What a reader of one host's changes already knows.
  private struct Told {
    /// The step told last, which a reader takes to come before the next one.
    var step: StepID?
    /// Why something was held back or refused: the same reason is told once.
    var explanations: Set<Diagnostic> = []
  }

  private func render(
    _ change: Change, _ told: inout Told, steps: [StepID: Step], into text: inout String
  ) {
    let address = change.address
    let name = address.name.isEmpty ? address.kind : "\(address.kind):\(address.name)"
    switch change.standing {
    case .heldBack(let why):
      text += "  \(style.paint("!", .yellow)) \(name)  held back\n"
      if told.explanations.insert(why).inserted { text += explanation(why) }
      return
    case .refused(let why):
      text += "  \(style.paint("x", .red)) \(name)  refused\n"
      if told.explanations.insert(why).inserted { text += explanation(why) }
      return
    case .planned:
      text += "  \(mark(change.action)) \(name)"
    }
    text += change.reason.isEmpty ? "\n" : "  \(printable(change.reason))\n"
    for field in change.fields { render(field, into: &text) }
    for id in change.steps {
      guard let step = steps[id] else { continue }
      render(step, of: change, after: told.step, into: &text)
      told.step = id
    }
  }

  private func explanation(_ why: Diagnostic) -> String {
    var text = ""
    if why.summary != "held back" { text += "      \(printable(why.summary))\n" }
    if let reason = why.reason { text += "      why: \(printable(reason))\n" }
    if let remedy = why.remedy { text += "      fix: \(printable(remedy))\n" }
    return text
  }

  private func mark(_ action: Action) -> String {
    switch action {
    case .create: style.paint("+", .green)
    case .update: style.paint("~", .yellow)
    case .replace: style.paint("±", .yellow)
    case .delete: style.paint("-", .red)
    case .none: style.paint("=", .faint)
    }
  }

  private func render(_ field: FieldChange, into text: inout String) {
    if let diff = field.diff {
      text += "      \(field.name):\n"
      for line in diff.split(separator: "\n", omittingEmptySubsequences: false) {
        text += "        \(diffLine(line))\n"
      }
      return
    }
    let before = printable(field.before ?? "nothing")
    let after = printable(field.after ?? "nothing")
    text += "      \(field.name): \(before) -> \(after)\n"
  }

  private func diffLine(_ line: Substring) -> String {
    let safe = printable(line)
    return switch line.first {
    case "+": style.paint(safe, .green)
    case "-": style.paint(safe, .red)
    case "@": style.paint(safe, .cyan)
    default: safe
    }
  }

  private func render(
    _ step: Step, of change: Change, after previous: StepID?, into text: inout String
  ) {
    // Some titles end with the host.
    let place =
      step.host.map { host in
        host == change.address.host || step.title.hasSuffix("on \(host)") ? "" : " (on \(host))"
      } ?? ""
    text += style.paint("      > \(step.title)\(place)", .faint) + "\n"
    if !step.undo.isEmpty {
      let words = step.undo.map { printable($0.words) }.joined(separator: ", then ")
      text += style.paint("        if it fails: \(words)", .faint) + "\n"
    }
    let others = step.after.filter { !change.steps.contains($0) }
    let ended = step.follows.filter { !change.steps.contains($0) }
    var waits: [String] = []
    if !others.isEmpty, others != [previous] { waits.append(list(others, from: change.address)) }
    if !ended.isEmpty {
      waits.append("the end of \(list(ended, from: change.address)), well or not")
    }
    guard !waits.isEmpty else { return }
    text += style.paint("        waits for \(waits.joined(separator: ", and "))", .faint) + "\n"
  }

  /// The steps' resources as short as they can be told: without the host when it is the same one.
  private func list(_ ids: [StepID], from address: Address) -> String {
    let shown = 4
    var known: Set<Address> = []
    let others = ids.map(\.address).filter { known.insert($0).inserted }
    var names = others.prefix(shown).map { other in
      let full = other.description
      guard other.scope == address.scope, let slash = full.firstIndex(of: "/") else {
        return full
      }
      return String(full[full.index(after: slash)...])
    }
    if others.count > shown { names.append("\(others.count - shown) more") }
    return names.joined(separator: ", ")
  }

  /// What users will notice, in the order of the graph.
  private func interruptions(_ plan: Plan, steps: [StepID: Step]) -> [String] {
    var noticed: [StepID: String] = [:]
    for change in plan.pending {
      if let disruption = change.disruption, let last = change.steps.last {
        noticed[last] = disruption
      }
    }
    guard !noticed.isEmpty else { return [] }
    return plan.graph.steps.compactMap { noticed[$0.id] }
  }

  private func section(_ title: String, _ lines: [String]) -> String {
    guard !lines.isEmpty else { return "" }
    return style.paint(title, .bold) + "\n" + lines.map { "  \($0)\n" }.joined() + "\n"
  }
}
