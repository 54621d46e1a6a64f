internal import HelixModel
internal import HelixTemplates

/// A play as written, checked as far as it can be without knowing its hosts.
struct PlaySyntax {
  var name: NodeTemplate?
  var hosts: Node
  var become: Bool?
  /// `vars:`, then `vars_files:`, later ones winning.
  var variables: PlayVariables
  var tags: Set<String>
  var roles: [RoleSyntax]
  /// `pre_tasks` first; the roles come behind these.
  var tasksBeforeRoles: [TaskSyntax]
  var tasksAfterRoles: [TaskSyntax]
  /// The playbook's folder, as written.
  var folder: String
  var location: SourceLocation
}

/// Where a play's variables come from.
struct PlayVariables {
  var own: Mapping
  /// What the `import_playbook` lines above it say; they win over its own.
  var imported: Mapping
  var files: [NodeTemplate]
}

/// A native role in a play.
struct RoleSyntax {
  var role: RoleSpec
  var tags: Set<String>
  var location: SourceLocation
}

/// A task as written.
struct TaskSyntax {
  var name: NodeTemplate?
  var call: ModuleCall
  var loop: LoopSyntax?
  var variables: Mapping
  var become: Bool?
  /// Its own and those of its play.
  var tags: Set<String>
  var location: SourceLocation
}

/// `loop:` or `with_items:`.
struct LoopSyntax {
  var elements: NodeTemplate
  /// `with_items` takes lists within the list apart, one level deep.
  var flattens: Bool
  var variable = "item"
  var label: NodeTemplate?
}
