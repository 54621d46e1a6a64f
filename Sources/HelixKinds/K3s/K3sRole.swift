package import HelixModel
package import HelixPlan

/// The native role that makes hosts a highly available k3s cluster.
package enum K3sRole: RoleKind {
  package static let role = RoleSpec(name: "helix.infra.k3s")

  package static func resources(
    for demand: RoleDemand, inventory: Inventory
  ) throws(Diagnostics) -> [any Resource] {
    guard let spec = inventory.cluster else {
      throw Diagnostics(
        Diagnostic(
          "\(role.name) has no cluster to make",
          reason: "there is no cluster.yaml in the inventory",
          remedy: "write one with cluster: and k3s:", at: demand.location))
    }
    let cluster = try K3sCluster(spec, inventory: inventory, managed: Set(demand.hosts))
    let servers = cluster.managedServers.map {
      K3sNode(cluster: cluster, member: $0, role: .server, location: demand.location)
    }
    let agents = cluster.agents.filter { cluster.managed.contains($0.host) }.map {
      K3sNode(cluster: cluster, member: $0, role: .agent, location: demand.location)
    }
    let nodes = servers + agents
    return nodes.map { K3sHost(node: $0) as any Resource } + nodes.flatMap(parts)
      + kubeconfig(of: cluster, spec)
  }

  /// What makes one host a node, in an order in which each stands behind what it waits for.
  private static func parts(of node: K3sNode) -> [any Resource] {
    [
      K3sArtifact(node: node), K3sToken(node: node), K3sConfig(node: node), K3sUnit(node: node),
      K3sMember(node: node), K3sService(node: node),
    ]
  }

  /// A run limited to some hosts leaves the operator's files alone.
  private static func kubeconfig(
    of cluster: K3sCluster, _ spec: ClusterSpec
  ) -> [any Resource] {
    guard let kubeconfig = spec.kubeconfig,
      cluster.servers.allSatisfy({ cluster.managed.contains($0.host) })
    else { return [] }
    return [ClusterKubeconfig(cluster: cluster, spec: kubeconfig)]
  }
}
