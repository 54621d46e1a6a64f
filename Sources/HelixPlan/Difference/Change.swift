package import HelixModel

/// What is to happen to one resource.
package enum Action: String, Hashable, Sendable, Codable, CaseIterable {
  case create, update, replace, delete, none
}

/// One thing about a resource that is not as it should be.
package struct FieldChange: Hashable, Sendable, Codable {
  package var name: String
  /// What is so now; nil when there is nothing.
  package var before: String?
  /// What should be so; nil when there should be nothing.
  package var after: String?
  /// A unified diff in place of long values.
  package var diff: String?

  package init(_ name: String, before: String? = nil, after: String? = nil, diff: String? = nil) {
    self.name = name
    self.before = before
    self.after = after
    self.diff = diff
  }
}

/// Whether a change takes part in the plan.
package enum Standing: Hashable, Sendable {
  case planned
  /// Left for a later run: the host is silent, or what it waits for is held back.
  case heldBack(Diagnostic)
  /// Doing it would not be safe; the plan must not be applied as it is.
  case refused(Diagnostic)
}

extension Standing: Codable {
  private enum Key: CodingKey { case heldBack, refused }

  package init(from decoder: any Decoder) throws {
    if let container = try? decoder.container(keyedBy: Key.self) {
      if let why = try container.decodeIfPresent(Diagnostic.self, forKey: .heldBack) {
        self = .heldBack(why)
        return
      }
      self = .refused(try container.decode(Diagnostic.self, forKey: .refused))
    } else {
      self = .planned
    }
  }

  package func encode(to encoder: any Encoder) throws {
    switch self {
    case .planned:
      var container = encoder.singleValueContainer()
      try container.encode("planned")
    case .heldBack(let why):
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(why, forKey: .heldBack)
    case .refused(let why):
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(why, forKey: .refused)
    }
  }
}

/// One resource's difference between what is so and what should be.
package struct Change: Hashable, Sendable, Codable {
  package var address: Address
  package var action: Action
  package var fields: [FieldChange]
  /// Why, in words for people; nothing decides on it.
  package var reason: String
  /// What users of the host or cluster will notice: `restarts k3s on master-2`.
  package var disruption: String?
  package var standing: Standing
  /// The facts it was worked out from.
  package var relied: [Reliance]
  /// The steps that carry it out.
  package var steps: [StepID]

  package init(
    address: Address, action: Action, fields: [FieldChange] = [], reason: String,
    disruption: String? = nil, standing: Standing = .planned, relied: [Reliance] = [],
    steps: [StepID] = []
  ) {
    self.address = address
    self.action = action
    self.fields = fields
    self.reason = reason
    self.disruption = disruption
    self.standing = standing
    self.relied = relied
    self.steps = steps
  }
}
