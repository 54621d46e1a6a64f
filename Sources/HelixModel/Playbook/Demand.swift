/// What the playbooks demand, in order: plays of items, every template already filled in.
package struct PlayDemand: Sendable {
  package var name: String
  package var hosts: [HostName]
  package var items: [DemandItem]
  package var location: SourceLocation

  package init(
    name: String, hosts: [HostName], items: [DemandItem], location: SourceLocation
  ) {
    self.name = name
    self.hosts = hosts
    self.items = items
    self.location = location
  }
}

/// One line of a play: a task on each of its hosts, or a native role.
package enum DemandItem: Sendable {
  /// The same task on one or more hosts; a loop gives one demand per host and element.
  case tasks([TaskDemand])
  case role(RoleDemand)
}

/// One module call on one host.
package struct TaskDemand: Sendable {
  /// The module's fully qualified name.
  package var module: String
  /// Rendered and checked against the module's spec; aliases already replaced.
  package var arguments: Mapping
  package var host: HostName
  package var title: String
  package var become: Become
  package var location: SourceLocation

  package init(
    module: String, arguments: Mapping, host: HostName, title: String, become: Become,
    location: SourceLocation
  ) {
    self.module = module
    self.arguments = arguments
    self.host = host
    self.title = title
    self.become = become
    self.location = location
  }
}

/// A native role on the hosts of its play.
package struct RoleDemand: Sendable {
  package var role: String
  package var hosts: [HostName]
  /// The hosts that were given each role before, by the role's name.
  package var earlier: [String: [HostName]]
  /// Every role that this run gives to anybody, before or after.
  package var given: Set<String>
  package var location: SourceLocation

  package init(
    role: String, hosts: [HostName], earlier: [String: [HostName]] = [:],
    given: Set<String> = [], location: SourceLocation
  ) {
    self.role = role
    self.hosts = hosts
    self.earlier = earlier
    self.given = given
    self.location = location
  }
}
