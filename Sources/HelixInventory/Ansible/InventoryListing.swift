package import HelixModel

/// Answers as `ansible-inventory` gives them: `--list`, `--host` and `--graph`.
package enum InventoryListing {
  /// Names that Ansible sets itself and never lists, even when an inventory sets them.
  private static let unlisted: Set<String> = [
    "ansible_async_path", "ansible_collection_name", "ansible_config_file",
    "ansible_dependent_role_names", "ansible_diff_mode", "ansible_facts", "ansible_forks",
    "ansible_inventory_sources", "ansible_limit", "ansible_play_batch", "ansible_play_hosts",
    "ansible_play_hosts_all", "ansible_play_role_names", "ansible_playbook_python",
    "ansible_role_name", "ansible_role_names", "ansible_run_tags", "ansible_skip_tags",
    "ansible_verbosity", "ansible_version", "inventory_dir", "inventory_file",
    "inventory_hostname", "inventory_hostname_short", "groups", "group_names", "hostvars",
    "playbook_dir", "play_hosts", "role_name", "role_names", "role_path", "role_uuid",
  ]

  private static let nowhere = SourceLocation(file: "", line: 1, column: 1)

  /// The JSON text of `ansible-inventory --list`.
  package static func list(_ inventory: Inventory) -> String { JSONText.write(node(inventory)) }

  /// The JSON text of `ansible-inventory --host`.
  ///
  /// - Throws: a diagnostic when there is no such host.
  package static func host(
    _ name: HostName, in inventory: Inventory
  ) throws(Diagnostic) -> String {
    guard let host = inventory.host(name) else {
      throw Diagnostic(
        "no host is named \"\(name)\"",
        remedy: suggestion(for: name.rawValue, among: inventory.hosts.map(\.name.rawValue))
          ?? "\"helix-infra inventory --graph\" shows what there is")
    }
    return JSONText.write(.mapping(listed(host)))
  }

  /// The text of `ansible-inventory --graph`, from a group down.
  ///
  /// - Throws: a diagnostic when there is no such group.
  package static func graph(
    _ inventory: Inventory, from group: String = "all"
  ) throws(Diagnostic) -> String {
    let groups = Dictionary(
      inventory.groups.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    guard groups[group] != nil else {
      throw Diagnostic(
        "no group is named \"\(group)\"",
        remedy: suggestion(for: group, among: Array(groups.keys))
          ?? "\"helix-infra inventory --graph\" shows what there is")
    }
    return lines(of: group, in: groups, depth: 0).joined(separator: "\n")
  }

  // MARK: - Parts

  private static func node(_ inventory: Inventory) -> Node {
    let tree = GroupTree(inventory.groups)
    let hosts = Dictionary(
      inventory.hosts.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var top = Mapping()
    for group in inventory.groups {
      var body = Mapping()
      if !group.children.isEmpty { body.set(entry("children", list(group.children))) }
      // Ansible never lists the hosts of "all" by name: they are below its children.
      if group.name != "all", !group.hosts.isEmpty {
        body.set(entry("hosts", list(group.hosts.map(\.rawValue))))
      }
      if !body.isEmpty { top.set(entry(group.name, .mapping(body))) }
    }
    var variables = Mapping()
    for name in tree.hosts(of: "all") {
      guard let listed = hosts[name].map(listed), !listed.isEmpty else { continue }
      variables.set(entry(name.rawValue, .mapping(listed)))
    }
    let meta = Mapping([
      entry("hostvars", .mapping(variables)), entry("profile", .text("inventory_legacy")),
    ])
    top.set(entry("_meta", .mapping(meta)))
    return Node(.mapping(top), at: nowhere)
  }

  private static func listed(_ host: Host) -> Mapping {
    Mapping(host.variables.entries.filter { !unlisted.contains($0.key) })
  }

  private static func entry(_ key: String, _ value: Value) -> Mapping.Entry {
    Mapping.Entry(key: key, keyLocation: nowhere, value: Node(value, at: nowhere))
  }

  private static func list(_ names: [String]) -> Value {
    .list(names.map { Node(.text($0), at: nowhere) })
  }

  private static func lines(
    of name: String, in groups: [String: HelixModel.Group], depth: Int
  ) -> [String] {
    guard let group = groups[name] else { return [] }
    var lines = [line("@\(name):", depth: depth)]
    for child in group.children { lines += self.lines(of: child, in: groups, depth: depth + 1) }
    if name != "all" { lines += group.hosts.map { line($0.rawValue, depth: depth + 1) } }
    return lines
  }

  private static func line(_ text: String, depth: Int) -> String {
    depth == 0 ? text : String(repeating: "  |", count: depth) + "--" + text
  }
}
