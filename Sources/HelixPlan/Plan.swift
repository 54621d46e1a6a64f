package import HelixModel

/// What is to be done and why, as data: what `plan` shows is what `apply` does.
package struct Plan: Sendable, Codable {
  /// Rises when the saved form changes in a way that older readers would misread.
  package static let currentFormat = 2

  package var format: Int
  /// Every resource, in the order of the playbooks, those that need nothing included.
  package var changes: [Change]
  package var graph: StepGraph
  /// How votes are counted before a step that may cost one; nil when no step does.
  package var quorum: QuorumGuard?
  package var warnings: [Diagnostic]

  package init(
    changes: [Change], graph: StepGraph, quorum: QuorumGuard? = nil, warnings: [Diagnostic] = []
  ) {
    format = Self.currentFormat
    self.changes = changes
    self.graph = graph
    self.quorum = quorum
    self.warnings = warnings
  }
}

extension Plan {
  /// The changes that are to be made, in order.
  package var pending: [Change] {
    changes.filter { $0.action != .none && $0.standing == .planned }
  }

  /// Why the plan must not be applied as it is; empty when it may.
  package var refusals: [Diagnostic] {
    var seen: Set<Diagnostic> = []
    return changes.compactMap { change in
      guard case .refused(let diagnostic) = change.standing else { return nil }
      return seen.insert(diagnostic).inserted ? diagnostic : nil
    }
  }

  /// The changes left for a later run.
  package var heldBack: [Change] {
    changes.filter { if case .heldBack = $0.standing { true } else { false } }
  }

  /// How many changes of each sort are to be made.
  package var counts: [Action: Int] {
    var counts: [Action: Int] = [:]
    for change in changes where change.action != .none && change.standing == .planned {
      counts[change.action, default: 0] += 1
    }
    return counts
  }

  /// How many changes are held back, and how many are refused.
  package var exceptions: (heldBack: Int, refused: Int) {
    var (heldBack, refused) = (0, 0)
    for change in changes {
      switch change.standing {
      case .planned: break
      case .heldBack: heldBack += 1
      case .refused: refused += 1
      }
    }
    return (heldBack, refused)
  }
}
