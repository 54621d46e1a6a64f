package import HelixModel
package import HelixPlan

/// The native role that gives the cluster what Flux needs to decrypt by itself: the age identities,
/// and the Secrets of the repository that must be there first.
package enum SOPSAgeRole: RoleKind {
  package static let role = RoleSpec(name: "helix.infra.sops_age")

  package static func resources(
    for demand: RoleDemand, inventory: Inventory
  ) throws(Diagnostics) -> [any Resource] {
    guard let spec = inventory.cluster else { throw Diagnostics(missing("cluster", demand)) }
    guard let secrets = spec.secrets, let bootstrap = secrets.bootstrap else {
      throw Diagnostics(missing("secrets.bootstrap", demand))
    }
    let cluster = try K3sCluster(
      spec, inventory: inventory, managed: Set(demand.earlier[K3sRole.role.name] ?? []))
    let door = ClusterDoor(cluster: cluster)
    let manifests = [identities(bootstrap)] + bootstrap.manifests
    let secretsOfCluster = manifests.enumerated().map { number, manifest in
      ClusterSecret(door: door, manifest: manifest, holdsIdentities: number == 0)
    }
    return namespaces(of: manifests, door) + secretsOfCluster
  }

  /// Flux takes every entry whose name ends in `.agekey`, and no other.
  private static func identities(_ bootstrap: BootstrapSpec) -> SecretManifest {
    SecretManifest(
      namespace: bootstrap.namespace.value, name: bootstrap.name.value,
      data: [.init(key: "age.agekey", value: "\(secret: .ageIdentities)")],
      location: bootstrap.name.location)
  }

  private static func namespaces(
    of manifests: [SecretManifest], _ door: ClusterDoor
  ) -> [any Resource] {
    var seen: Set<String> = []
    return manifests.filter { seen.insert($0.namespace).inserted }.map {
      ClusterNamespace(door: door, name: $0.namespace, location: $0.location)
    }
  }

  private static func missing(_ part: String, _ demand: RoleDemand) -> Diagnostic {
    Diagnostic(
      "\(role.name) has nothing to give",
      reason: "cluster.yaml says no \(part)",
      remedy: "write secrets: { bootstrap: { namespace: flux-system, name: sops-age } } there",
      at: demand.location)
  }
}
