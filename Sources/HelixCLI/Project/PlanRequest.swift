/// What the user asked to be planned; kept in a saved plan, so that it can be asked again.
package struct PlanRequest: Codable, Sendable, Equatable {
  var inventory: String
  var playbooks: [String]
  var limit: String?
  /// Address globs; empty means all.
  var targets: [String]
  var tags: [String]
  var skipTags: [String]
  /// `key=value`, as given.
  var extraVariables: [String]

  package init(
    inventory: String, playbooks: [String], limit: String? = nil, targets: [String] = [],
    tags: [String] = [], skipTags: [String] = [], extraVariables: [String] = []
  ) {
    self.inventory = inventory
    self.playbooks = playbooks
    self.limit = limit
    self.targets = targets
    self.tags = tags
    self.skipTags = skipTags
    self.extraVariables = extraVariables
  }
}
