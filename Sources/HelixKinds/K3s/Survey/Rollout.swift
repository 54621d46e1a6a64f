import HelixModel
import HelixPlan

/// In which order nodes are changed, so that etcd keeps its majority and no agent runs ahead.
extension ClusterSurvey {
  /// What must be done before the files of a node are touched.
  ///
  /// Where k3s does not run yet, files can be laid at any time; where it runs, a crash would take
  /// them up at once, so they wait for the node's turn.
  func waitsForFiles(of node: K3sNode, _ state: NodeState) -> [Address] {
    let unit = state.unit(node.role)
    guard unit.isActive || unit.isStarting else { return [] }
    return node.role == .server ? services(before: node) : allServices
  }

  /// What must be done before a node is cordoned for its upgrade, or upgraded.
  func waitsForTurn(of node: K3sNode, in round: UpgradeRound) -> [Address] {
    node.role == .server
      ? services(before: node)
      : allServices + round.agents(before: node).flatMap { turn(of: $0, .agent) }
  }

  /// What must be done before k3s is started or restarted on a node.
  func waitsForService(of node: K3sNode, _ entry: Entry) -> [Address] {
    switch (node.role, entry) {
    case (.server, .initialise): return []
    case (.agent, .join(let point)) where point.identity == .learned:
      return [Self.service(point.server)]
    case (.agent, _): return allServices
    case (.server, .join):
      // Members that are well may restart before or after.
      return services(before: node) { isNew || !isLiving($0) }
    case (.server, .member):
      return isStopped(node.host) ? [] : services(before: node)
    }
  }

  /// The service resource of a host.
  static func service(_ host: HostName) -> Address { Address(host: host, kind: "k3s-service") }

  /// What stands last in the turn of a host: its service, and pods that may come to it again.
  private func turn(of host: HostName, _ role: K3sRoleOfNode) -> [Address] {
    cluster.turn(of: host, role)
  }

  /// A silent server is refused anyway; agents go on without it.
  private var allServices: [Address] {
    cluster.managedServers.filter { silent[$0.host] == nil }.flatMap { turn(of: $0.host, .server) }
  }

  private func services(
    before node: K3sNode, where isAwaited: (HostName) -> Bool = { _ in true }
  ) -> [Address] {
    cluster.managedServers.prefix { $0.host != node.host }.map(\.host).filter(isAwaited)
      .flatMap { turn(of: $0, .server) }
  }

  private func isLiving(_ server: HostName) -> Bool { living.contains { $0.host == server } }

  private func runs(_ server: HostName) -> Bool {
    states[server]?.unit(.server).isActive ?? false
  }

  /// A member of the cluster whose k3s does not run.
  private func isStopped(_ server: HostName) -> Bool {
    !runs(server) && states[server]?.datastore != nil
  }

  /// Servers that come up with this plan after a node had its turn.
  private func arrivals(after node: K3sNode) -> [HostName] {
    cluster.managedServers.drop { $0.host != node.host }.dropFirst().map(\.host)
      .filter { !runs($0) }
  }

  private func arrivals(before node: K3sNode) -> [HostName] {
    cluster.managedServers.prefix { $0.host != node.host }.map(\.host).filter { !runs($0) }
  }
}

// MARK: - Votes

/// The arithmetic of etcd's majority.
struct Votes: Sendable, Hashable {
  /// Members that vote.
  var voters: Int
  /// Those that are ready, the one in question left out.
  var readyOthers: Int

  /// Whether the cluster keeps its majority while one voter is away; one or two voters never do.
  var canSpareOne: Bool { voters <= 2 || readyOthers * 2 > voters }
  /// Whether what is left has a majority once one voter is taken out for good.
  var canLoseOne: Bool { voters > 1 && readyOthers * 2 > voters - 1 }
}

extension ClusterSurvey {
  /// The votes around one server.
  func votes(around node: K3sNode) -> Votes {
    let voters = nodes.filter { $0.value.isVoter == true }
    let others = voters.filter { $0.key != node.name && votes($0.key, $0.value) }
    return Votes(voters: voters.count, readyOthers: others.count)
  }

  /// A member's own word counts more than its node, which is not ready either when only a network
  /// plugin is missing.
  private func votes(_ name: String, _ node: LiveNode) -> Bool {
    guard let server = cluster.servers.first(where: { $0.nodeName == name }) else {
      return node.isReady
    }
    return states[server.host]?.etcdIsHealthy == true
  }

  /// Why a running server must not be restarted now.
  func restartObstacle(_ node: K3sNode) -> Verdict? {
    guard node.role == .server, case .living = standing else { return nil }
    let votes = votes(around: node)
    guard !votes.canSpareOne, arrivals(before: node).isEmpty else { return nil }
    let reason =
      "of the other \(votes.voters - 1) voters, \(votes.readyOthers) are well; a majority is \(votes.voters / 2 + 1)"
    if let arrival = arrivals(after: node).first {
      return .heldBack(
        Diagnostic(
          "\(node.host) is not restarted before \(arrival) is back", reason: reason,
          remedy: "apply this plan, then apply again",
          at: .host(node.host, address: node.member.address)))
    }
    return .refused(
      Diagnostic(
        "restarting k3s on \(node.host) would stop the cluster", reason: reason,
        remedy: "bring the servers back that are not ready, then apply again",
        at: .host(node.host, address: node.member.address)))
  }
}
