import HelixModel
import HelixPlan
import HelixRun

/// Who holds a cluster's lock, for people.
struct LockText {
  let cluster: String
  let style: Style

  /// A line for each server, and what follows from them.
  func render(_ report: LockReport) -> String {
    let width = report.servers.map(\.host.rawValue.count).max() ?? 0
    var lines = report.servers.map { host, sight in
      let gap = String(repeating: " ", count: width - host.rawValue.count)
      return "\(host)\(gap)  \(words(sight))"
    }
    if report.isOutOfReach {
      lines.append("Too few servers answered to know who holds the lock.")
    } else if report.holders.isEmpty {
      lines.append("Nobody holds the lock of cluster \(printable(cluster)).")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// Where it was taken away.
  func removed(_ hosts: [HostName]) -> String {
    "Removed the lock on \(hosts.map(\.rawValue).joined(separator: ", ")); "
      + "whoever had it can do no more.\n"
  }

  private func words(_ sight: LockReport.Sight) -> String {
    guard case .seen(let lock) = sight else { return style.paint("does not answer", .yellow) }
    guard let holder = lock.holder else { return "free" }
    let state =
      if lock.isAlive {
        style.paint("alive", .red)
      } else if lock.state == .live {
        "its process is gone"
      } else {
        "expired"
      }
    return printable(
      "\(holder.words), number \(holder.number), since \(span(holder.held)), "
        + "renewed \(span(holder.renewed)) ago: ") + state
  }
}

/// So many seconds in the largest unit that says enough.
func span(_ seconds: Int) -> String {
  switch seconds {
  case ..<120: "\(seconds) s"
  case ..<7200: "\(seconds / 60) min"
  default: "\(seconds / 3600) h"
  }
}
