internal import HelixModel
internal import HelixTemplates

/// The variables of one host, without those of a play; also what `hostvars['name']` is.
final class HostScope: Namespace {
  /// Names that Ansible sets, and that no variable should have.
  static let magic: Set<String> = [
    "group_names", "groups", "hostvars", "inventory_hostname", "inventory_hostname_short",
  ]
  private static let address = "ansible_host"

  let host: Host
  private let shared: SharedNames

  init(_ host: Host, _ shared: SharedNames) {
    self.host = host
    self.shared = shared
  }

  var identity: String { host.name.rawValue }

  func member(_ name: String) -> Member? {
    magic(name) ?? extra(name) ?? own(name)
  }

  var memberNames: [String] {
    Self.magic.union(shared.extraVariables.keys).union(host.variables.keys)
      .union([Self.address]).sorted()
  }

  /// Names that no variable can hide.
  func magic(_ name: String) -> Member? {
    switch name {
    case "inventory_hostname": return .value(.text(identity))
    case "inventory_hostname_short":
      return .value(.text(identity.split(separator: ".").first.map(String.init) ?? identity))
    case "group_names":
      let groups = host.groups.filter { $0 != "all" }
      return .value(.list(groups.map { Node(.text($0), at: host.location) }))
    case "groups": return .namespace(shared.groups)
    case "hostvars": return .namespace(HostVariables(shared: shared))
    default: return nil
    }
  }

  /// What the command line sets for all.
  func extra(_ name: String) -> Member? { shared.extraVariables[name].map(Member.written) }

  /// What the inventory sets; Ansible fills in `ansible_host` where it does not.
  func own(_ name: String) -> Member? {
    if let node = host.variables[name] { return .written(node) }
    if name == Self.address { return .value(.text(host.connection.address)) }
    return FactNames.refusal(of: name)
  }
}
