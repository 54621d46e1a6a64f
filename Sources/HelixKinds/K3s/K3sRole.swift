package import HelixModel
package import HelixPlan

/// The native role that makes hosts a highly available k3s cluster.
package enum K3sRole: RoleKind {
  package static let role = RoleSpec(name: "helix.infra.k3s")

  package static func resources(
    for demand: RoleDemand, inventory: Inventory
  ) throws(Diagnostics) -> [any Resource] {
    let spec = try demand.clusterSpec(in: inventory, for: role)
    let hosts = Set(demand.hosts)
    let cluster = try K3sCluster(
      spec, inventory: inventory, managed: hosts.union(demand.earlier[role.name] ?? []),
      given: demand.given)
    try cluster.refuseStrangers(demand)
    let all = cluster.nodes(of: demand)
    let servers = all.filter { $0.role == .server }
    // The play that brings the last of the servers brings the file.
    let file = servers.isEmpty ? [] : kubeconfig(of: cluster, spec)
    let isFirst = !cluster.servers.contains { member in
      demand.earlier[role.name]?.contains(member.host) ?? false
    }
    let whole = servers.isEmpty || !isFirst || !cluster.upgradesOverSSH ? nil : cluster
    let marks = K3sNodeMarks.fact(of: cluster)
    return all.map { K3sHost(node: $0) as any Resource }
      + (whole.map { [ClusterSnapshot(cluster: $0)] } ?? []) + all.flatMap(parts)
      + all.map { K3sNodeMarks(node: $0, fact: marks) } + (whole.map(ladder) ?? []) + file
  }

  private static func ladder(of cluster: K3sCluster) -> [any Resource] {
    cluster.upgrade?.through.isEmpty ?? true ? [] : [ClusterLadder(cluster: cluster)]
  }

  /// What makes one host a node, in an order in which each stands behind what it waits for.
  private static func parts(of node: K3sNode) -> [any Resource] {
    let service = K3sService(node: node)
    let turn: [any Resource] = service.parts + [K3sMember(node: node), service]
    guard node.cluster.cordons(node.role) else { return turn }
    return [K3sDrain(node: node)] + turn + [K3sUncordon(node: node)]
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

extension RoleDemand {
  /// What the inventory says of the cluster that a role works on.
  func clusterSpec(
    in inventory: Inventory, for role: RoleSpec
  ) throws(Diagnostics) -> ClusterSpec {
    if let spec = inventory.cluster { return spec }
    throw Diagnostics(
      Diagnostic(
        "\(role.name) has no cluster to work on",
        reason: "there is no cluster.yaml in the inventory",
        remedy: "write one with cluster: and k3s:", at: location))
  }
}

extension K3sCluster {
  /// The nodes that a role's hosts are, servers first.
  func nodes(of demand: RoleDemand) -> [K3sNode] {
    let hosts = Set(demand.hosts)
    let members = servers.map { ($0, K3sRoleOfNode.server) } + agents.map { ($0, .agent) }
    return members.filter { hosts.contains($0.0.host) }.map { member, role in
      K3sNode(cluster: self, member: member, role: role, location: demand.location)
    }
  }

  /// A host that would silently get nothing is a mistake in the play or in the cluster.
  func refuseStrangers(_ demand: RoleDemand) throws(Diagnostics) {
    let members = Set((servers + agents).map(\.host))
    let strangers = demand.hosts.filter { !members.contains($0) }
    guard !strangers.isEmpty else { return }
    let shown = strangers.prefix(5).map(\.rawValue).joined(separator: ", ")
    let rest = strangers.count > 5 ? " and \(strangers.count - 5) more" : ""
    throw Diagnostics(
      Diagnostic(
        "\(shown)\(rest): neither server nor agent of \(name)",
        reason:
          "the play gives \(demand.role) to them, and k3s.servers and k3s.agents select others",
        remedy: "name in hosts: only what cluster.yaml selects, or add them to a group it selects",
        at: demand.location))
  }
}
