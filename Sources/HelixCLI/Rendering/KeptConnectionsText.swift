import HelixModel
import HelixSSH

/// Kept connections as a table.
struct KeptConnectionsText {
  /// They have just been ended.
  let isClosed: Bool

  func render(_ connections: [KeptConnection]) -> String {
    guard !connections.isEmpty else { return "No connections are kept.\n" }
    let rows =
      isClosed
      ? connections.map { [$0.host.rawValue, $0.target, "closed"] }
      : [["HOST", "LOGIN", "OPEN FOR", "IDLE FOR"]]
        + connections.map {
          [$0.host.rawValue, $0.target, words($0.age), words($0.idle)]
        }
    return table(rows)
  }

  private func table(_ rows: [[String]]) -> String {
    let widths = (rows.first ?? []).indices.map { column in
      rows.map { $0[column].count }.max() ?? 0
    }
    return rows.map { row in
      let cells = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }

  /// `45 s`, `3 min`, `2 h 5 min`.
  private func words(_ duration: Duration) -> String {
    let seconds = Int(duration.components.seconds)
    if seconds < 60 { return "\(seconds) s" }
    if seconds < 3600 { return "\(seconds / 60) min" }
    return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
  }
}
