internal import HelixInventory
internal import HelixModel
internal import HelixTemplates

/// The inventory as templates see it: hosts by name, and the lists under `groups`.
struct Estate {
  let hosts: [HostName: HostScope]
  let extraVariables: Mapping

  init(_ inventory: Inventory, extraVariables: Mapping) {
    self.extraVariables = extraVariables
    let shared = SharedNames(inventory, extraVariables: extraVariables)
    var hosts: [HostName: HostScope] = [:]
    for host in inventory.hosts { hosts[host.name] = HostScope(host, shared) }
    if hosts[.controller] == nil {
      hosts[.controller] = HostScope(Self.controller, shared)
    }
    self.hosts = hosts
  }

  /// The machine helix-infra runs on, which Ansible knows without an inventory.
  private static let controller = Host(
    name: .controller, connection: Connection(address: HostName.controller.rawValue), groups: [],
    variables: Mapping(), location: SourceLocation(file: "localhost", line: 1, column: 1))
}

/// What is the same in the templates of every host.
final class SharedNames: Sendable {
  let extraVariables: Mapping
  let groups: Groups
  let hosts: [String: Host]

  init(_ inventory: Inventory, extraVariables: Mapping) {
    self.extraVariables = extraVariables
    groups = Groups(inventory)
    var hosts: [String: Host] = [:]
    for host in inventory.hosts { hosts[host.name.rawValue] = host }
    self.hosts = hosts
  }

  /// The magic variable `groups`: the hosts of every group, in Ansible's order.
  struct Groups: Namespace {
    let identity = "groups"
    private let lists: [String: Value]

    init(_ inventory: Inventory) {
      let tree = GroupTree(inventory.groups)
      let place = SourceLocation(file: "inventory", line: 1, column: 1)
      var lists: [String: Value] = [:]
      for name in tree.names {
        lists[name] = .list(tree.hosts(of: name).map { Node(.text($0.rawValue), at: place) })
      }
      self.lists = lists
    }

    func member(_ name: String) -> Member? { lists[name].map(Member.value) }
    var memberNames: [String] { lists.keys.sorted() }
  }
}

/// The magic variable `hostvars`: the variables of every host.
struct HostVariables: Namespace {
  let identity = "hostvars"
  let shared: SharedNames

  func member(_ name: String) -> Member? {
    shared.hosts[name].map { .namespace(HostScope($0, shared)) }
  }

  var memberNames: [String] { shared.hosts.keys.sorted() }
}
