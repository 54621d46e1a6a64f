import HelixKinds
import HelixModel

/// An upgrade as a table, node by node; the same text for the same status.
struct UpgradeStatusText {
  let style: Style

  init(style: Style = .plain) { self.style = style }

  func render(_ status: UpgradeStatus) -> String {
    let header = ["NODE", "ROLE", "FROM", "TO", "READY", "CORDONED", "PLAN", "JOB", "REASON"]
    let rows = status.nodes.map { row in
      [
        row.node, row.role, row.from, row.to ?? "-", row.isReady ? "yes" : "no",
        row.cordoned.map { "by \($0)" } ?? "-", row.mark, row.job ?? "-", row.reason ?? "-",
      ].map(printable)
    }
    return table([header] + rows) + "\n" + lastLine(status)
  }

  /// What it comes to, in one line.
  private func lastLine(_ status: UpgradeStatus) -> String {
    let done = status.nodes.count { $0.to == nil }
    let all = status.nodes.count
    let way = status.hop == status.wanted ? "" : " on the way to \(status.wanted)"
    switch status.state {
    case .done: return style.paint("Done.", .green) + " \(all) nodes run \(status.hop).\n"
    case .underWay:
      return style.paint(status.isBegun ? "Under way." : "Not begun.", .yellow)
        + " \(done) of \(all) nodes run \(status.hop)\(way).\n"
    case .stuck:
      return style.paint("Stuck.", .red) + " \(done) of \(all) nodes run \(status.hop)\(way).\n"
    }
  }

  private func table(_ rows: [[String]]) -> String {
    let widths = (rows.first ?? []).indices.map { column in
      rows.map { $0[column].count }.max() ?? 0
    }
    return rows.enumerated().map { number, row in
      let cells = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }
      let line = cells.joined(separator: "  ")
      let bare = String(line.reversed().drop { $0 == " " }.reversed())
      return (number == 0 ? style.paint(bare, .faint) : bare) + "\n"
    }.joined()
  }
}
