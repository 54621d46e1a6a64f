import HelixKinds
import HelixModel

/// The nodes of a cluster in a table, those that say nothing folded where there are many.
struct StatusTable {
  private typealias Cell = (text: String, colour: Style.Colour?)

  /// More agents than this do not fit on a screen.
  private static let mostRows = 24
  private static let head = [
    "node", "role", "release", "state", "etcd", "fsync", "clock", "certs", "free", "pods",
  ]

  let style: Style

  func render(_ report: StatusReport) -> String {
    guard !report.nodes.isEmpty else { return "" }
    let shown = shownNodes(report)
    let rows =
      [Self.head.map { ($0, Style.Colour.faint) as Cell }] + shown.map { row($0, report) }
    let widths = Self.head.indices.map { column in
      rows.map { $0[column].text.count }.max() ?? 0
    }
    let lines = rows.map { row in
      let cells = zip(row, widths).map { cell, width in
        painted(cell) + String(repeating: " ", count: width - cell.text.count)
      }
      return trimmed("  " + cells.joined(separator: "  ")) + "\n"
    }
    let folded = report.nodes.count - shown.count
    return lines.joined() + (folded > 0 ? "  and \(folded) more that are ready\n" : "")
  }

  private func painted(_ cell: Cell) -> String {
    cell.colour.map { style.paint(cell.text, $0) } ?? cell.text
  }

  private func trimmed(_ line: String) -> String {
    var line = Substring(line)
    while line.last == " " { line.removeLast() }
    return String(line)
  }

  private func shownNodes(_ report: StatusReport) -> [StatusReport.Node] {
    guard report.nodes.count > Self.mostRows else { return report.nodes }
    let worth = report.nodes.filter { node in
      node.role == .server || !node.declared || node.unreachable != nil || node.ready != true
        || node.cordoned || isNamed(node, report)
    }
    return worth.count < report.nodes.count - 1 ? worth : report.nodes
  }

  private func isNamed(_ node: StatusReport.Node, _ report: StatusReport) -> Bool {
    report.problems.contains { problem in
      if case .host(let host, _) = problem.place {
        host.rawValue.lowercased() == node.name
      } else {
        false
      }
    }
  }
}

// MARK: - A row

extension StatusTable {
  private func row(_ node: StatusReport.Node, _ report: StatusReport) -> [Cell] {
    [
      (printable(node.name), nil), (node.role.rawValue + (node.declared ? "" : "?"), nil),
      release(node, report), state(node, report), etcd(node), fsync(node), clock(node, report),
      certificate(node), disk(node), pods(node),
    ]
  }

  private func release(_ node: StatusReport.Node, _ report: StatusReport) -> Cell {
    guard let version = node.version ?? node.installed else { return ("-", nil) }
    return (version, version == report.release ? nil : .yellow)
  }

  private func state(_ node: StatusReport.Node, _ report: StatusReport) -> Cell {
    if node.unreachable != nil, node.ready != true { return ("silent", .red) }
    if let service = node.service, service.state != "active" {
      if node.installed == nil { return ("no k3s", .red) }
      return (service.state == "activating" ? "starting" : "stopped", .red)
    }
    switch node.ready {
    case true?:
      if node.unreachable != nil { return ("ready, silent", .yellow) }
      return node.cordoned ? ("cordoned", .yellow) : ("ready", .green)
    case false?: return (node.cordoned ? "not ready, cordoned" : "not ready", .red)
    case nil: return report.standing == .living ? ("no node", .red) : ("not known", nil)
    }
  }

  private func etcd(_ node: StatusReport.Node) -> Cell {
    guard let etcd = node.etcd else { return ("-", nil) }
    if etcd.part == .learner { return ("learner", .red) }
    guard etcd.healthy else { return ("not well", .red) }
    return etcd.part == .leader ? ("leader", .bold) : ("voter", nil)
  }

  private func fsync(_ node: StatusReport.Node) -> Cell {
    guard let milliseconds = node.etcd?.fsync99Milliseconds else { return ("-", nil) }
    return ("\(milliseconds) ms", milliseconds > StatusReport.slowestDisk ? .yellow : nil)
  }

  private func clock(_ node: StatusReport.Node, _ report: StatusReport) -> Cell {
    guard let offset = node.clockOffset else { return ("-", nil) }
    let text = offset > 0 ? "+\(offset) s" : "\(offset) s"
    let off = abs(offset - (report.clockReference ?? 0))
    if off <= StatusReport.oddClock { return (text, nil) }
    return (text, off > StatusReport.clockTolerance ? .red : .yellow)
  }

  private func certificate(_ node: StatusReport.Node) -> Cell {
    guard let days = node.certificate?.days else { return ("-", nil) }
    if days < 0 { return ("ended", .red) }
    return ("\(days) d", days < StatusReport.shortestCertificate ? .yellow : nil)
  }

  private func disk(_ node: StatusReport.Node) -> Cell {
    guard let disk = node.disk, disk.total > 0 else { return ("-", nil) }
    return ("\(disk.free * 100 / disk.total) %", disk.isShort ? .yellow : nil)
  }

  private func pods(_ node: StatusReport.Node) -> Cell {
    guard let count = node.podsNotReady else { return ("-", nil) }
    return count == 0 ? ("ready", nil) : ("\(count) not", .yellow)
  }
}
