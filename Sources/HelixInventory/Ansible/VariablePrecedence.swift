internal import HelixModel

/// Settles which value of a variable counts for a host.
///
/// From weakest to strongest, as Ansible has it: `all` in the inventory file, the other groups
/// there (shallow before deep, then by `ansible_group_priority`, then by name), group_vars/all,
/// the other groups' group_vars in the same order, the host in the inventory file, host_vars.
/// So group_vars/all beats a child group's vars in hosts.yaml.
///
/// Encrypted files come each time after all others, as those of a later vars plugin do: what stands
/// encrypted for a group beats what stands plain for its children.
struct VariablePrecedence {
  private let draft: InventoryDraft
  private let groupFiles: [String: FileVariables]
  private let hostFiles: [String: FileVariables]
  /// Hosts with the same groups share all but their own variables.
  private var shared: [[String]: Mapping] = [:]

  init(
    draft: InventoryDraft, groupFiles: [String: FileVariables],
    hostFiles: [String: FileVariables]
  ) {
    self.draft = draft
    self.groupFiles = groupFiles
    self.hostFiles = hostFiles
  }

  mutating func variables(of host: HostName) -> Mapping {
    var variables = groupVariables(draft.groupsByPrecedence(of: host))
    if let own = draft.hosts[host]?.variables, !own.isEmpty { variables = variables.merging(own) }
    if let file = hostFiles[host.rawValue] {
      variables = variables.merging(file.plain).merging(file.sealed)
    }
    return variables
  }

  private mutating func groupVariables(_ groups: [String]) -> Mapping {
    if let known = shared[groups] { return known }
    let names = [InventoryDraft.all] + groups
    var merged = Mapping()
    for name in names { merged = merged.merging(draft.groups[name]?.variables ?? Mapping()) }
    for layer in [[InventoryDraft.all], groups] {
      let files = layer.compactMap { groupFiles[$0] }
      for file in files { merged = merged.merging(file.plain) }
      for file in files { merged = merged.merging(file.sealed) }
    }
    shared[groups] = merged
    return merged
  }
}
