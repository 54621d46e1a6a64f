import HelixKinds
import HelixModel
import HelixPlan

/// How a cluster is, for people: a headline, what concerns the whole, a line for each node, the pods
/// that are not ready, and what is wrong.
struct StatusText {
  /// So many pods and problems are told in full; the document has the rest.
  private static let shownPods = 5
  private static let shownProblems = 8

  let style: Style

  init(style: Style = .plain) { self.style = style }

  func render(_ report: StatusReport) -> String {
    let parts = [
      headline(report) + whole(report), StatusTable(style: style).render(report), pods(report),
      problems(report),
    ]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private func headline(_ report: StatusReport) -> String {
    let name = style.paint(printable(report.cluster), .bold)
    let errors = report.problems.filter { $0.severity == .error }
    let warnings = report.problems.count - errors.count
    guard let first = errors.first else {
      let odd = warnings == 0 ? "" : ", \(count(warnings, "warning"))"
      return "\(name): \(style.paint("healthy", .green))\(odd)\n"
    }
    let more = errors.count == 1 ? "" : ", and \(errors.count - 1) more"
    return "\(name): \(style.paint("not healthy", .red)): \(printable(summary(first)))\(more)\n"
  }

  /// What is wrong, with the host unless it names it.
  private func summary(_ problem: Diagnostic) -> String {
    guard case .host(let host, _) = problem.place, !problem.summary.contains(host.rawValue) else {
      return problem.summary
    }
    return "\(host): \(problem.summary)"
  }

  private func count(_ number: Int, _ word: String) -> String {
    "\(number) \(word)\(number == 1 ? "" : "s")"
  }
}

// MARK: - The whole

extension StatusText {
  private typealias Line = (name: String, words: String)

  private func whole(_ report: StatusReport) -> String {
    let lines =
      [("release", release(report))] + etcd(report.etcd) + endpoint(report.endpoint)
      + upgrades(report) + lock(report.lock)
    return lines.map { line in
      let gap = String(repeating: " ", count: 10 - line.name.count)
      return "  \(style.paint(line.name, .faint))\(gap)\(line.words)\n"
    }.joined()
  }

  private func release(_ report: StatusReport) -> String {
    let running = report.nodes.compactMap(\.version)
    guard !running.isEmpty else { return "\(report.release) wanted" }
    let same = running.count { $0 == report.release }
    let text = "\(report.release) on \(same) of \(count(running.count, "node"))"
    return same == running.count ? text : style.paint(text, .yellow)
  }

  private func etcd(_ etcd: StatusReport.Etcd?) -> [Line] {
    guard let etcd else { return [] }
    var words = "\(etcd.well) of \(count(etcd.voters, "voter")) well, "
    words +=
      etcd.spare < 0 ? "no majority" : "\(etcd.spare == 0 ? "none" : "\(etcd.spare)") may stop"
    if etcd.well < etcd.voters { words = style.paint(words, .red) }
    words += etcd.leader.map { "; leader \(printable($0))" } ?? "; no leader seen"
    words += etcd.databaseBytes.map { "; \(size($0))" } ?? ""
    return [("etcd", words)]
  }

  private func endpoint(_ endpoint: StatusReport.Endpoint?) -> [Line] {
    guard let endpoint else { return [] }
    let answer =
      switch endpoint.answers {
      case true?: "answers"
      case false?: style.paint("does not answer", .red)
      case nil: "not known"
      }
    return [("endpoint", "\(printable(endpoint.address)) \(answer)")]
  }

  private func upgrades(_ report: StatusReport) -> [Line] {
    report.upgradePlans.enumerated().map { number, plan in
      let state = [
        plan.version.map { "to \($0)" } ?? "release not known", "\(plan.done) done",
        plan.applying.isEmpty ? nil : "now \(plan.applying.joined(separator: " "))",
      ].compactMap(\.self).joined(separator: ", ")
      let text = printable("\(plan.namespace)/\(plan.name): \(state)")
      return (
        number == 0 ? "upgrades" : "", plan.complaint == nil ? text : style.paint(text, .yellow)
      )
    }
  }

  private func lock(_ lock: StatusReport.Lock?) -> [Line] {
    guard let lock, let holder = lock.holder else { return [] }
    let run = holder.run
    let who = printable("\(run.who) (\(run.command), process \(run.pid))")
    let words =
      switch lock.state {
      case .free: ""
      case .live:
        "\(who) has it for \(span(holder.held)) on \(lock.servers.count) of "
          + count(lock.copies, "server") + (lock.isWhole ? "" : ", which is no majority")
      case .gone: "left behind by \(who), whose process is gone"
      case .expired: "left behind by \(who), and expired"
      }
    return [("lock", lock.state == .live ? style.paint(words, .cyan) : words)]
  }

  private func size(_ bytes: Int) -> String { "\((bytes + (1 << 19)) >> 20) MiB" }
}

// MARK: - Pods and problems

extension StatusText {
  private func pods(_ report: StatusReport) -> String {
    guard let pods = report.pods, pods.notReady > 0 else { return "" }
    // Those that the cluster lives on first.
    let system = pods.first.filter { $0.namespace == "kube-system" }
    let shown = (system + pods.first.filter { $0.namespace != "kube-system" }).prefix(
      Self.shownPods)
    var lines = ["  \(style.paint("pods not ready: \(pods.notReady)", .yellow))"]
    lines += shown.map { pod in
      let node = pod.node.map { " on \($0)" } ?? ""
      return printable("    \(pod.namespace)/\(pod.name)  \(pod.ready) \(pod.reason)\(node)")
    }
    if pods.notReady > shown.count { lines.append("    and \(pods.notReady - shown.count) more") }
    return lines.map { $0 + "\n" }.joined()
  }

  private func problems(_ report: StatusReport) -> String {
    let text = DiagnosticText(style: style)
    let shown = report.problems.prefix(Self.shownProblems)
    let rest = report.problems.count - shown.count
    return text.render(Array(shown)) + (rest > 0 ? "and \(rest) more: --json has them all\n" : "")
  }
}
