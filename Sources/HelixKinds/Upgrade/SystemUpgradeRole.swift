package import HelixModel
package import HelixPlan

/// The native role that upgrades a living cluster through system-upgrade-controller.
package enum SystemUpgradeRole: RoleKind {
  package static let role = RoleSpec(name: "helix.infra.system_upgrade")

  package static func resources(
    for demand: RoleDemand, inventory: Inventory
  ) throws(Diagnostics) -> [any Resource] {
    let spec = try demand.clusterSpec(in: inventory, for: role)
    guard let upgrade = spec.upgrade else {
      throw Diagnostics(
        Diagnostic(
          "\(role.name) has nothing to go by", reason: "cluster.yaml has no upgrade part",
          remedy: "write upgrade: { strategy: controller } there", at: demand.location))
    }
    guard upgrade.strategy == .controller else { throw Diagnostics(overSSH(demand, upgrade)) }
    let cluster = try K3sCluster(
      spec, inventory: inventory, managed: Set(demand.earlier[K3sRole.role.name] ?? []))
    let door = ClusterDoor(cluster: cluster)
    let (objects, release) = try controller(upgrade)
    let controller = objects.last.map { [ClusterObject.address(of: $0)] } ?? []
    let plans = [K3sRoleOfNode.server, .agent].map { role in
      UpgradePlanResource(
        door: door, spec: upgrade, role: role, release: release,
        after: role == .server ? controller : [UpgradePlanResource.address(.server)])
    }
    return resources(objects, door) + plans
      + [ControllerLadder(door: door, spec: upgrade, release: release)]
  }

  /// The controller's objects and, where it is known, its release.
  private static func controller(
    _ upgrade: UpgradeSpec
  ) throws(Diagnostics) -> ([ManifestObject], ControllerRelease?) {
    do throws(Diagnostic) {
      let own = try upgrade.controller.objects.map { (objects) throws(Diagnostic) in
        try ControllerFiles(objects: objects, upgrade: upgrade)
      }
      let release =
        try own == nil ? ControllerRelease.find(upgrade.controller.version) : own?.release
      if let window = upgrade.servers.window ?? upgrade.agents.window, let release,
        !release.hasWindow
      {
        throw noWindow(window, release)
      }
      if let own { return (own.inOrder, release) }
      let objects = release.map { release in
        ControllerObjects(
          release: release, registry: upgrade.controller.registry?.value,
          location: upgrade.controller.version.location
        ).all
      }
      return (objects ?? [], release)
    } catch {
      throw Diagnostics(error)
    }
  }

  /// The definition first, unless the user brings one, then the others, each after the one before.
  private static func resources(
    _ objects: [ManifestObject], _ door: ClusterDoor
  ) -> [any Resource] {
    guard let first = objects.first else { return [] }
    var previous: Address?
    var resources: [any Resource] = []
    if !objects.contains(where: { $0.name == PlanDefinition.name }) {
      let definition = PlanDefinition.object(at: first.location)
      previous = ClusterObject.address(of: definition)
      resources.append(
        PlanDefinitionResource(object: ClusterObject(door: door, manifest: definition)))
    }
    for object in objects {
      let made = ClusterObject(
        door: door, manifest: object, after: [previous].compactMap(\.self))
      resources.append(
        object.name == PlanDefinition.name ? PlanDefinitionResource(object: made) : made)
      previous = made.address
    }
    return resources
  }

  private static func overSSH(_ demand: RoleDemand, _ upgrade: UpgradeSpec) -> Diagnostic {
    Diagnostic(
      "\(role.name) has nothing to do with upgrade.strategy: ssh",
      reason: "\(K3sRole.role.name) upgrades the nodes itself then",
      remedy: "write strategy: controller in cluster.yaml, or take the role out",
      at: demand.location)
  }

  private static func noWindow(
    _ window: UpgradeSpec.Window, _ release: ControllerRelease
  ) -> Diagnostic {
    Diagnostic(
      "system-upgrade-controller \(release.tag) knows no window",
      reason: "it would pass over the key and upgrade at any time",
      remedy: "write upgrade.controller.version: v0.16.3, or take window out",
      at: window.start.location)
  }
}
