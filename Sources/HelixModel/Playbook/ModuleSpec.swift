/// What a playbook may say to one module; the catalogue of kinds hands these to the playbook room.
package struct ModuleSpec: Sendable, Hashable {
  package enum ParameterType: Sendable, Hashable {
    case text
    /// A path on the host.
    case path
    case bool
    case integer
    /// A file mode: `"0644"`, `0644`, or symbolic.
    case mode
    case list
    case mapping
    case any
    /// A file beside the playbook, its templates filled in or not. The kinds never see it: its
    /// text arrives as the argument `content`.
    case sourceFile(rendered: Bool)
  }

  package struct Parameter: Sendable, Hashable {
    package var name: String
    package var aliases: [String]
    package var type: ParameterType
    package var isRequired: Bool
    /// The only values allowed, when not empty.
    package var choices: [String]
    /// Whether secrets may be in it: only in what is written on a host's own disk.
    package var mayHoldSecrets: Bool

    package init(
      _ name: String, _ type: ParameterType = .text, required: Bool = false,
      aliases: [String] = [], choices: [String] = [], mayHoldSecrets: Bool = false
    ) {
      self.name = name
      self.type = type
      self.isRequired = required
      self.aliases = aliases
      self.choices = choices
      self.mayHoldSecrets = mayHoldSecrets
    }
  }

  /// Fully qualified first (`ansible.builtin.copy`), then the short forms.
  package var names: [String]
  package var parameters: [Parameter]

  package init(names: [String], parameters: [Parameter]) {
    self.names = names
    self.parameters = parameters
  }
}

/// A role written in Swift rather than in a folder of tasks.
package struct RoleSpec: Sendable, Hashable {
  package var name: String
  /// Nil when it can be applied; else why this version cannot, for the message at validate time.
  package var notYet: String?

  package init(name: String, notYet: String? = nil) {
    self.name = name
    self.notYet = notYet
  }
}

/// Every module and role that helix-infra knows.
package struct ModuleCatalogue: Sendable {
  package var modules: [ModuleSpec]
  package var roles: [RoleSpec]

  package init(modules: [ModuleSpec], roles: [RoleSpec]) {
    self.modules = modules
    self.roles = roles
  }

  /// The module with a name, in any of its forms.
  package func module(_ name: String) -> ModuleSpec? {
    modules.first { $0.names.contains(name) }
  }

  package func role(_ name: String) -> RoleSpec? { roles.first { $0.name == name } }
}
