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

extension ClusterSurvey {
  /// How many voters there are, and how many of them are well beside one server.
  func votes(around node: K3sNode) -> (voters: Int, wellOthers: Int) {
    let votes = ledger.votes
    return (votes.voters.count, votes.well.subtracting([node.name]).count)
  }

  /// Why a running server must not be restarted now: the vote that it costs could never be spared.
  func restartObstacle(_ node: K3sNode) -> Verdict? {
    guard node.role == .server, case .living = standing else { return nil }
    let claim = QuorumLedger.Claim(.voter(node.host), subject: node.host)
    let before = Set(arrivals(before: node))
    guard let reason = ledger.obstacle(to: claim, coming: before) else { return nil }
    let after = arrivals(after: node)
    let place = Diagnostic.Place.host(node.host, address: node.member.address)
    if !after.isEmpty, ledger.obstacle(to: claim, coming: before.union(after)) == nil {
      let names = after.map(\.rawValue).joined(separator: " and ")
      return .heldBack(
        Diagnostic(
          "\(node.host) is not restarted before \(names) \(after.count == 1 ? "is" : "are") back",
          reason: reason, remedy: "apply this plan, then apply again", at: place))
    }
    return .refused(
      Diagnostic(
        "restarting k3s on \(node.host) would stop the cluster", reason: reason,
        remedy: "bring the servers back that are not well, then apply again", at: place))
  }

  /// What a restart means for the users of the cluster.
  func restartWords(_ node: K3sNode) -> String {
    let words = "restarts k3s on \(node.host)"
    guard node.role == .server else { return words }
    let voters = ledger.votes.voters.count
    let away = "so the API is away until it is back"
    return switch voters > 0 ? voters : cluster.servers.count {
    case 1: "\(words): the only \(cluster.servers.count == 1 ? "server" : "voter"), \(away)"
    case 2: "\(words): one of two voters, \(away)"
    default: words
    }
  }
}
