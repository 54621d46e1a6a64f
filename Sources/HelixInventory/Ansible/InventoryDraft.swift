internal import HelixModel

/// Groups and hosts while the inventory file is read, with Ansible's bookkeeping.
struct InventoryDraft {
  struct Group {
    var name: String
    var location: SourceLocation?
    var children: [String] = []
    var parents: [String] = []
    var hosts: [HostName] = []
    var variables = Mapping()
    /// `ansible_group_priority`: of groups equally deep, the higher number wins.
    var priority = 1
    /// The longest way down from `all`.
    var depth = 0
  }

  struct Host {
    var name: HostName
    var location: SourceLocation
    var variables = Mapping()
    /// The groups that name the host themselves.
    var groups: [String] = []
  }

  static let all = "all"
  static let ungrouped = "ungrouped"

  private(set) var groups: [String: Group] = [:]
  /// In the order of their first mention.
  private(set) var groupNames: [String] = []
  private(set) var hosts: [HostName: Host] = [:]
  private(set) var hostNames: [HostName] = []
  var problems: [Diagnostic] = []
  var warnings: [Diagnostic] = []

  init() {
    addGroup(Self.all, at: nil)
    addGroup(Self.ungrouped, at: nil)
    link(Self.all, to: Self.ungrouped)
  }

  mutating func addGroup(_ name: String, at location: SourceLocation?) {
    if groups[name] == nil {
      groups[name] = Group(name: name, location: location)
      groupNames.append(name)
    } else if groups[name]?.location == nil {
      groups[name]?.location = location
    }
  }

  /// Makes one group a child of another; a group can never end up below itself.
  mutating func addChild(_ child: String, to parent: String, at location: SourceLocation) {
    guard child != parent, !ancestors(of: parent).contains(child) else {
      problems.append(
        Diagnostic(
          child == parent
            ? "the group \"\(child)\" is its own child"
            : "the group \"\(child)\" is already above \"\(parent)\"",
          reason: "groups cannot contain themselves, directly or through others",
          remedy: "remove one of the two children: entries", at: location))
      return
    }
    link(parent, to: child)
  }

  mutating func addHost(_ name: HostName, to group: String, at location: SourceLocation) {
    if hosts[name] == nil {
      hosts[name] = Host(name: name, location: location)
      hostNames.append(name)
    }
    guard hosts[name]?.groups.contains(group) == false else { return }
    hosts[name]?.groups.append(group)
    groups[group]?.hosts.append(name)
  }

  mutating func setVariables(_ variables: Mapping, ofHost name: HostName) {
    guard !variables.isEmpty, let known = hosts[name]?.variables else { return }
    hosts[name]?.variables = known.merging(variables)
  }

  mutating func setVariables(_ variables: Mapping, ofGroup name: String) {
    guard let known = groups[name]?.variables else { return }
    var others = Mapping()
    for entry in variables.entries {
      if entry.key == "ansible_group_priority" {
        setPriority(entry.value, ofGroup: name)
      } else {
        others.set(entry)
      }
    }
    groups[name]?.variables = known.merging(others)
  }

  private mutating func setPriority(_ value: Node, ofGroup name: String) {
    guard case .integer(let priority) = value.value else {
      problems.append(
        Diagnostic(
          "ansible_group_priority must be a whole number, and this is \(value.value.typeName)",
          remedy: "write a number, for example 10", at: value.location))
      return
    }
    groups[name]?.priority = priority
  }

  private mutating func link(_ parent: String, to child: String) {
    guard groups[parent]?.children.contains(child) == false else { return }
    groups[parent]?.children.append(child)
    groups[child]?.parents.append(parent)
  }

  /// Every group above one.
  func ancestors(of name: String) -> Set<String> {
    var found: Set<String> = []
    var waiting = groups[name]?.parents ?? []
    while let next = waiting.popLast() {
      if found.insert(next).inserted { waiting += groups[next]?.parents ?? [] }
    }
    return found
  }
}

// MARK: - Settling

extension InventoryDraft {
  /// What Ansible does once everything is read: every group is below `all`, hosts without a
  /// group of their own are `ungrouped`, and every group knows how deep it lies.
  mutating func settle() {
    for name in groupNames where name != Self.all && ancestors(of: name).isEmpty {
      link(Self.all, to: name)
    }
    let lone = Set([Self.all, Self.ungrouped])
    for name in hostNames {
      let direct = Set(hosts[name]?.groups ?? [])
      if direct.isSubset(of: lone) {
        guard !direct.contains(Self.ungrouped) else { continue }
        hosts[name]?.groups.append(Self.ungrouped)
        groups[Self.ungrouped]?.hosts.append(name)
      } else if direct.contains(Self.ungrouped) {
        hosts[name]?.groups.removeAll { $0 == Self.ungrouped }
        groups[Self.ungrouped]?.hosts.removeAll { $0 == name }
      }
    }
    settleDepths()
    warnAboutSharedNames()
  }

  /// Depths grow along every edge; there are no cycles, so each pass settles at least one level.
  private mutating func settleDepths() {
    var waiting = [Self.all]
    while !waiting.isEmpty {
      var deeper: [String] = []
      for parent in waiting {
        let depth = (groups[parent]?.depth ?? 0) + 1
        for child in groups[parent]?.children ?? [] where (groups[child]?.depth ?? 0) < depth {
          groups[child]?.depth = depth
          deeper.append(child)
        }
      }
      waiting = deeper
    }
  }

  private mutating func warnAboutSharedNames() {
    for name in groupNames {
      guard let host = hosts[HostName(name)] else { continue }
      warnings.append(
        Diagnostic(
          "\"\(name)\" names both a group and a host",
          reason: "a host pattern \"\(name)\" then means the host only",
          remedy: "give one of them another name", at: host.location, severity: .warning))
    }
  }

  /// All groups of a host, ancestors included, without `all`, sorted as their variables count.
  func groupsByPrecedence(of host: HostName) -> [String] {
    let direct = hosts[host]?.groups ?? []
    var names = Set(direct)
    for group in direct { names.formUnion(ancestors(of: group)) }
    names.remove(Self.all)
    return names.compactMap { groups[$0] }
      .sorted { ($0.depth, $0.priority, $0.name) < ($1.depth, $1.priority, $1.name) }
      .map(\.name)
  }
}
