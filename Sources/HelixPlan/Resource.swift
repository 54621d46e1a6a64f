package import HelixModel

/// One thing that should be so, on a host, in the cluster or at a provider.
///
/// Everything about one sort of thing stands in one file: what it must know, how it tells a
/// difference, and the steps that mend it.
package protocol Resource: Sendable {
  var address: Address { get }
  /// Where the user asked for it.
  var location: SourceLocation? { get }
  /// Resources whose steps must have succeeded before this one's begin.
  var after: [Address] { get }
  /// Resources that its steps may have to wait for as well, depending on what the hosts answer; a
  /// narrowed plan takes them along.
  var mayAwait: [Address] { get }
  /// What must be known, by host.
  var questions: [Question] { get }
  /// The release files whose checksums the comparison needs, once the hosts have answered.
  func artifacts(_ sight: inout Sight) -> [ArtifactReference]
  /// Whether the age identities of this machine have to be proven before the comparison.
  var needsIdentityProof: Bool { get }
  /// The votes of the cluster that its steps may cost; nil when they cost none.
  ///
  /// - Throws: a `Diagnostic` when a fact cannot be read; the change is then refused.
  func quorum(_ sight: inout Sight) throws(Diagnostic) -> Quorum?
  /// Compares what is so with what should be.
  ///
  /// - Throws: a `Diagnostic` when a fact cannot be read; the change is then refused.
  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict
  /// Resources that nobody wrote down and that only what was seen tells of: they follow this one in
  /// the plan, and read no facts but its own.
  func found(_ sight: inout Sight) throws(Diagnostic) -> [any Resource]
  /// What to do about a resource whose own host is silent.
  func verdict(whenSilent silence: Diagnostic) -> Verdict
}

extension Resource {
  package var location: SourceLocation? { nil }
  package var after: [Address] { [] }
  package var mayAwait: [Address] { [] }
  package func artifacts(_ sight: inout Sight) -> [ArtifactReference] { [] }
  package var needsIdentityProof: Bool { false }
  package func quorum(_ sight: inout Sight) throws(Diagnostic) -> Quorum? { nil }
  package func found(_ sight: inout Sight) throws(Diagnostic) -> [any Resource] { [] }
  package func verdict(whenSilent silence: Diagnostic) -> Verdict { .heldBack(silence) }
}

/// A fact to ask of a host.
package struct Question: Hashable, Sendable {
  package let host: HostName
  package let request: FactRequest

  package init<Value>(_ fact: Fact<Value>, on host: HostName) {
    self.host = host
    request = fact.request
  }
}

/// What comes of looking at a resource.
package enum Verdict: Sendable {
  /// As it should be already, and why it may be said.
  case unchanged(reason: String)
  case change(Work)
  case heldBack(Diagnostic)
  case refused(Diagnostic)
}

/// A change to make and the steps that make it.
package struct Work: Sendable {
  package var action: Action
  package var fields: [FieldChange]
  package var reason: String
  package var disruption: String?
  /// Resources to wait for beside those of `Resource.after`, known only from what was seen.
  package var after: [Address]
  /// Resources whose turn comes first where this plan changes them: their steps must have succeeded.
  ///
  /// One that is left out, held back or refused stands in nobody's way; it may be declared later.
  package var behind: [Address]
  /// Resources whose steps take up what this one does: where etcd can spare no vote for those, this
  /// one is not begun either.
  package var leadsTo: [Address]
  /// Resources whose steps must have ended before, however they ended: what puts things back.
  package var follows: [Address]
  /// What is worth knowing before the change is made, and no reason against it.
  package var warnings: [Diagnostic]
  /// Waits among them are by id.
  package var steps: [Step]

  package init(
    _ action: Action, fields: [FieldChange] = [], reason: String, disruption: String? = nil,
    after: [Address] = [], behind: [Address] = [], leadsTo: [Address] = [],
    follows: [Address] = [], warnings: [Diagnostic] = [], steps: [Step]
  ) {
    self.action = action
    self.fields = fields
    self.reason = reason
    self.disruption = disruption
    self.after = after
    self.behind = behind
    self.leadsTo = leadsTo
    self.follows = follows
    self.warnings = warnings
    self.steps = steps
  }
}
