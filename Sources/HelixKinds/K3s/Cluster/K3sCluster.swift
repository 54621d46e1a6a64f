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

/// One node of the cluster; what every k3s kind is made from.
struct K3sNode: Sendable {
  var cluster: K3sCluster
  var member: K3sCluster.Member
  var role: K3sRoleOfNode
  var location: SourceLocation

  var host: HostName { member.host }
  var name: String { member.nodeName }

  func address(_ kind: String) -> Address { Address(host: host, kind: kind) }
}
