import HelixModel
import HelixPlan

/// What is said of a lock that cannot be had or kept.
struct LockWords {
  let desk: LockDesk
  let survey: LockSurvey

  /// Somebody else has it.
  func taken(by holder: LockHolder) -> ClusterLock.Refusal {
    let places = desk.servers.filter { survey.locks[$0]?.holder?.run.id == holder.run.id }
    let place = places.isEmpty ? "" : " on \(listed(places))"
    return .taken(
      Diagnostic(
        "another run holds the lock of cluster \(desk.cluster)",
        reason: "\(holder.words) has it\(place), and renewed it \(holder.renewed) s ago",
        remedy: """
          wait until that run has ended; of one that was killed the lock is free \
          \(holder.timeToLive) s after its last renewal (helix-infra unlock shows it)
          """))
  }

  /// Too few servers answer.
  func outOfReach() -> ClusterLock.Refusal {
    let silent = desk.servers.filter { survey.locks[$0] == nil }
    let verb = silent.count == 1 ? "does not answer" : "do not answer"
    return .outOfReach(
      [
        Diagnostic(
          "the lock of cluster \(desk.cluster) cannot be taken",
          reason: """
            the lock is held on a majority: \(desk.majority) of \(desk.servers.count), and \
            \(listed(silent)) \(verb)
            """,
          remedy: "make them reachable, or take those that are gone for good out of the inventory")
      ] + silent.compactMap { survey.silences[$0] })
  }

  /// Servers that answered failed when the lock was to be taken.
  func outOfOrder(_ faults: [Diagnostic]) -> ClusterLock.Refusal {
    .outOfReach(
      [
        Diagnostic(
          "the lock of cluster \(desk.cluster) cannot be taken",
          reason: """
            the lock is held on a majority: \(desk.majority) of \(desk.servers.count), and too many \
            of them failed at it
            """)
      ] + faults)
  }

  /// It was held and is no more.
  func lost(kept: [HostName], to thief: LockHolder?, taken: [HostName]) -> Diagnostic {
    let need = "it takes \(desk.majority) of \(desk.servers.count) servers"
    let left = kept.isEmpty ? "none is left" : "\(listed(kept)) alone is left"
    let summary = "the lock of cluster \(desk.cluster) was lost, so no further step began"
    if let thief {
      return Diagnostic(
        summary,
        reason: "\(thief.words) has it now on \(listed(taken)): \(need), and \(left)",
        remedy: "wait until that run has ended, then run apply again")
    }
    return Diagnostic(
      summary,
      reason: taken.isEmpty
        ? "the servers could not be reached to renew it: \(need), and \(left)"
        : "somebody took it away on \(listed(taken)): \(need), and \(left)",
      remedy: "see what is so with helix-infra unlock, then run apply again")
  }

  private func listed(_ hosts: [HostName]) -> String {
    hosts.map(\.rawValue).joined(separator: ", ")
  }
}
