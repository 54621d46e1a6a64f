internal import HelixModel

/// Settles which value of a variable counts for a host.
///
/// From weakest to strongest, as Ansible has it: `all` in the inventory file, the other groups
/// there (shallow before deep, then by `ansible_group_priority`, then by name), group_vars/all,
/// the other groups' group_vars in the same order, the host in the inventory file, host_vars.
/// So group_vars/all beats a child group's vars in hosts.yaml.
struct VariablePrecedence {
  private let draft: InventoryDraft
  private let groupFiles: [String: Mapping]
  private let hostFiles: [String: Mapping]
  /// Hosts with the same groups share all but their own variables.
  private var shared: [[String]: Mapping] = [:]

  init(draft: InventoryDraft, groupFiles: [String: Mapping], hostFiles: [String: Mapping]) {
    self.draft = draft
    self.groupFiles = groupFiles
    self.hostFiles = hostFiles
  }

  mutating func variables(of host: HostName) -> Mapping {
    var variables = groupVariables(draft.groupsByPrecedence(of: host))
    if let own = draft.hosts[host]?.variables, !own.isEmpty { variables = variables.merging(own) }
    if let file = hostFiles[host.rawValue] { variables = variables.merging(file) }
    return variables
  }

  private mutating func groupVariables(_ groups: [String]) -> Mapping {
    if let known = shared[groups] { return known }
    let names = [InventoryDraft.all] + groups
    var merged = Mapping()
    for name in names { merged = merged.merging(draft.groups[name]?.variables ?? Mapping()) }
    for name in names { merged = merged.merging(groupFiles[name] ?? Mapping()) }
    shared[groups] = merged
    return merged
  }
}
