package import HelixModel
package import HelixPlan

/// The native role that brings the packages of nodes up to date and reboots them, one server after
/// the other and agents by concurrency.
package enum RolloutUpdateRole: RoleKind {
  package static let role = RoleSpec(name: "helix.infra.rollout_update")

  package static func resources(
    for demand: RoleDemand, inventory: Inventory
  ) throws(Diagnostics) -> [any Resource] {
    let spec = try demand.clusterSpec(in: inventory, for: role)
    let hosts = Set(demand.hosts)
    let cluster = try K3sCluster(
      spec, inventory: inventory, managed: hosts.union(demand.earlier[role.name] ?? []))
    try cluster.refuseStrangers(demand)
    let update = spec.osUpdate ?? OSUpdateSpec()
    let all = cluster.nodes(of: demand)
    return all.map { PackageLists(node: $0) as any Resource }
      + all.map { OSUpdate(node: $0, spec: update) }
  }
}
