/// The votes of a cluster that steps may cost.
package struct Quorum: Sendable {
  /// How they are counted just before such a step.
  package let counting: QuorumGuard
  /// What was seen of them while planning.
  package let seen: QuorumLedger

  package init(counting: QuorumGuard, seen: QuorumLedger) {
    self.counting = counting
    self.seen = seen
  }
}
