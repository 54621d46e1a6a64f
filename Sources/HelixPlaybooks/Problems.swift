internal import HelixModel

/// Collects the mistakes of one reading; the same mistake on many hosts counts once.
final class Problems {
  private struct Key: Hashable {
    var location: SourceLocation?
    var summary: String
  }

  private struct Entry {
    var diagnostic: Diagnostic
    /// The hosts it was seen on; empty when it has nothing to do with hosts.
    var hosts: [HostName]
  }

  private var entries: [Entry] = []
  private var positions: [Key: Int] = [:]

  func add(_ diagnostic: Diagnostic, on host: HostName? = nil) {
    let key = Key(location: diagnostic.location, summary: diagnostic.summary)
    if let position = positions[key] {
      if let host, !entries[position].hosts.contains(host) { entries[position].hosts.append(host) }
    } else {
      positions[key] = entries.count
      entries.append(Entry(diagnostic: diagnostic, hosts: host.map { [$0] } ?? []))
    }
  }

  func add(_ diagnostics: Diagnostics) {
    for diagnostic in diagnostics.all { add(diagnostic) }
  }

  /// The result of work; nil after adding what it threw.
  func catching<Result>(_ work: () throws(Diagnostic) -> Result) -> Result? {
    do { return try work() } catch {
      add(error)
      return nil
    }
  }

  /// The result of work; nil after adding all that it threw.
  func catchingAll<Result>(_ work: () throws(Diagnostics) -> Result) -> Result? {
    do { return try work() } catch {
      add(error)
      return nil
    }
  }

  func throwIfAny() throws(Diagnostics) {
    guard !entries.isEmpty else { return }
    throw Diagnostics(entries.map(Self.finished))
  }

  private static func finished(_ entry: Entry) -> Diagnostic {
    guard let first = entry.hosts.first else { return entry.diagnostic }
    var diagnostic = entry.diagnostic
    let others = entry.hosts.count - 1
    let seen =
      switch others {
      case 0: "seen on \(first)"
      case 1: "seen on \(first) and \(entry.hosts[1])"
      default: "seen on \(first) and \(others) other hosts"
      }
    diagnostic.reason = diagnostic.reason.map { "\($0); \(seen)" } ?? seen
    return diagnostic
  }
}
