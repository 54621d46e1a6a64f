package import HelixModel
package import HelixPlan

/// The native role that makes the cluster hold the objects that manifests of the project declare.
package enum ManifestsRole: RoleKind {
  package static let role = RoleSpec(name: "helix.infra.manifests")

  package static func resources(
    for demand: RoleDemand, inventory: Inventory
  ) throws(Diagnostics) -> [any Resource] {
    let spec = try demand.clusterSpec(in: inventory, for: role)
    guard let manifests = spec.manifests else { throw Diagnostics(nothing(demand)) }
    let cluster = try K3sCluster(
      spec, inventory: inventory, managed: Set(demand.earlier[K3sRole.role.name] ?? []))
    let door = ClusterDoor(cluster: cluster)
    let order = ApplyOrder(manifests.objects)
    let memory = ObjectMemory(
      door: door, objects: order.objects, prune: manifests.prune, location: manifests.location)
    let objects = order.objects.map { object in
      ClusterObject(
        door: door, manifest: object, after: [memory.address] + order.waits(of: object),
        definition: order.definition(of: object))
    }
    return [memory] + objects + [ObjectPruning(memory: memory)]
  }

  private static func nothing(_ demand: RoleDemand) -> Diagnostic {
    Diagnostic(
      "\(role.name) has nothing to apply",
      reason: "cluster.yaml says no manifests",
      remedy: "write manifests: { files: [manifests] } there", at: demand.location)
  }
}
