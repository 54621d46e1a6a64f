/// What the user asked to be planned; kept in a saved plan, so that it can be asked again.
struct PlanRequest: Codable, Sendable, Equatable {
  var inventory: String
  var playbooks: [String]
  var limit: String?
  /// Address globs; empty means all.
  var targets: [String]
  var tags: [String]
  var skipTags: [String]
  /// `key=value`, as given.
  var extraVariables: [String]
}
