import HelixModel
import HelixPlan

/// The declared cluster as the k3s kinds see it, with what only needs working out once.
struct K3sCluster: Sendable {
  struct Member: Sendable, Hashable {
    var host: HostName
    /// What the host is reached by: a name or an IP address.
    var address: String
    var nodeName: String { host.rawValue.lowercased() }
  }

  var name: String
  var version: Located<K3sVersion>
  var token: SecretName
  /// The registration address, without a port.
  var endpoint: String?
  var apiPort: Int
  /// In inventory order.
  var servers: [Member]
  var agents: [Member]
  /// The hosts that this plan may change; the others are only looked at.
  var managed: Set<HostName>
  var serverSettings: ConfigSettings
  var agentSettings: ConfigSettings
  /// How members come to another release; nil when cluster.yaml says nothing of it.
  var upgrade: UpgradeSpec?
  /// What every node's registries.yaml says; nil when the file is not ours.
  var registries: RegistriesFile?
  /// Every role that the run gives to anybody.
  var givenRoles: Set<String> = []
  var facts: Facts

  /// The questions whose words depend on the cluster.
  struct Facts: Sendable {
    var served: Fact<[String: Served]>
    var ports: [K3sRoleOfNode: Fact<[TakenPort]>]
    /// What the survey asks, of every server.
    var survey: [Question]
  }

  /// Where a server's API is found.
  func url(_ server: Member) -> String { "https://\(authority(server.address))" }

  var endpointURL: String? { endpoint.map { "https://\(authority($0))" } }

  private func authority(_ address: String) -> String {
    Self.authority(address, port: apiPort)
  }

  static func authority(_ address: String, port: Int) -> String {
    address.contains(":") && !address.hasPrefix("[") ? "[\(address)]:\(port)" : "\(address):\(port)"
  }

  /// Every `address:port` where the cluster may be served.
  var targets: [String] {
    var targets = ([endpoint].compactMap(\.self) + servers.map(\.address)).map(authority)
    var seen: Set<String> = []
    targets.removeAll { !seen.insert($0).inserted }
    return targets
  }

  /// The servers that the plan may change, in order.
  var managedServers: [Member] { servers.filter { managed.contains($0.host) } }

  /// Without a network plugin of its own, k3s leaves nodes not ready until one is installed.
  var bringsNetwork: Bool { serverSettings["flannel-backend"]?.texts != ["none"] }
}

// MARK: - Upgrades

extension K3sCluster {
  /// Whether members are brought to another release from here; without an `upgrade` part they are,
  /// each restarted in place.
  var upgradesOverSSH: Bool { upgrade.map { $0.strategy == .ssh } ?? true }

  /// How nodes of a role are upgraded from here, when cluster.yaml says so.
  func upgradePlan(for role: K3sRoleOfNode) -> UpgradeSpec.PlanSpec? {
    guard let upgrade, upgrade.strategy == .ssh else { return nil }
    return role == .server ? upgrade.servers : upgrade.agents
  }

  /// What stands last in the turn of a host.
  func turn(of host: HostName, _ role: K3sRoleOfNode) -> [Address] {
    let service = ClusterSurvey.service(host)
    return cordons(role) ? [service, Address(host: host, kind: K3sUncordon.kind)] : [service]
  }

  /// Whether nodes of a role take no new pods while they are upgraded.
  func cordons(_ role: K3sRoleOfNode) -> Bool {
    upgradePlan(for: role).map { $0.cordon || $0.drain != nil } ?? false
  }
}

/// One node of the cluster; what every k3s kind is made from.
struct K3sNode: Sendable {
  var cluster: K3sCluster
  var member: K3sCluster.Member
  var role: K3sRoleOfNode
  var location: SourceLocation

  var host: HostName { member.host }
  var name: String { member.nodeName }

  func address(_ kind: String) -> Address { Address(host: host, kind: kind) }

  /// What must be so before anything that k3s runs with is touched.
  var gates: [Address] {
    var gates = [address(K3sHost.kind)]
    if role == .server, cluster.upgradesOverSSH { gates.append(ClusterSnapshot.address) }
    if cluster.cordons(role) { gates.append(address(K3sDrain.kind)) }
    return gates
  }
}
