import HelixModel
import HelixPlan

/// What a node's turn waits for.
struct TurnWaits {
  /// Must be as it should be.
  var after: [Address] = []
  /// Whose turn comes first, if there is one.
  var behind: [Address] = []

  static func + (left: TurnWaits, right: TurnWaits) -> TurnWaits {
    TurnWaits(after: left.after + right.after, behind: left.behind + right.behind)
  }
}

/// In which order nodes are changed, so that etcd keeps its majority and no agent runs ahead.
extension ClusterSurvey {
  /// What must be done before the files of a node are touched.
  ///
  /// Where k3s does not run yet, files can be laid at any time; where it runs, a crash would take
  /// them up at once, so they wait for the node's turn.
  func waitsForFiles(of node: K3sNode, _ state: NodeState) -> TurnWaits {
    let unit = state.unit(node.role)
    guard unit.isActive || unit.isStarting else { return TurnWaits() }
    return turns(before: node)
  }

  /// What must be done before a node is cordoned for its upgrade, or upgraded.
  func waitsForTurn(of node: K3sNode, in round: UpgradeRound) -> TurnWaits {
    turns(before: node)
      + TurnWaits(after: round.agents(before: node).flatMap { turn(of: $0, .agent) })
  }

  /// What must be done before k3s is started or restarted on a node.
  func waitsForService(of node: K3sNode, _ entry: Entry) -> TurnWaits {
    switch (node.role, entry) {
    case (.server, .initialise): return TurnWaits()
    case (.agent, .join(let point)) where point.identity == .learned:
      return TurnWaits(after: [Self.service(point.server)])
    case (.agent, _): return turns(before: node)
    case (.server, .join):
      // Members that are well may restart before or after.
      let waits = servers(before: node).filter { isNew || !isLiving($0) }
        .flatMap { turn(of: $0, .server) }
      // Where nobody answers yet, who joins needs those before it.
      return isLiving ? TurnWaits(behind: waits) : TurnWaits(after: waits)
    case (.server, .member):
      return isStopped(node.host) ? TurnWaits() : turns(before: node)
    }
  }

  /// The service resource of a host.
  static func service(_ host: HostName) -> Address { Address(host: host, kind: "k3s-service") }

  /// Servers in the order of their turns.
  ///
  /// Those that are not well come first, since mending them costs no vote and makes the others'
  /// restarts possible: first those whose etcd does not vote, then those that only vote. Servers of
  /// one sort go in the order of the inventory.
  func inTurns(_ servers: [K3sCluster.Member]) -> [K3sCluster.Member] {
    guard isLiving else { return servers }
    return Health.allCases.flatMap { health in servers.filter { self.health($0) == health } }
  }

  /// The servers that this plan may change and whose turn comes before a node's.
  func servers(before node: K3sNode) -> [HostName] {
    inTurns(cluster.managedServers).prefix { $0.host != node.host }.map(\.host)
  }

  /// How a server takes part in a cluster that lives, the worst first.
  private enum Health: CaseIterable {
    case doesNotVote, onlyVotes, fine
  }

  private func health(_ server: K3sCluster.Member) -> Health {
    let votes = ledger.votes
    if isStopped(server.host) || votes.learners.contains(server.nodeName) { return .doesNotVote }
    guard votes.unwell.contains(server.nodeName) else { return .fine }
    return votes.voting.contains(server.nodeName) ? .onlyVotes : .doesNotVote
  }

  /// What stands last in the turn of a host: its service, and pods that may come to it again.
  private func turn(of host: HostName, _ role: K3sRoleOfNode) -> [Address] {
    cluster.turn(of: host, role)
  }

  /// Servers go one by one, agents when all servers are done; a silent server is refused anyway, and
  /// agents go on without it.
  private func turns(before node: K3sNode) -> TurnWaits {
    guard node.role == .agent else {
      return TurnWaits(behind: servers(before: node).flatMap { turn(of: $0, .server) })
    }
    return TurnWaits(
      after: cluster.managedServers.filter { silent[$0.host] == nil }
        .flatMap { turn(of: $0.host, .server) })
  }

  private var isLiving: Bool { if case .living = standing { true } else { false } }

  private func isLiving(_ server: HostName) -> Bool { living.contains { $0.host == server } }

  /// A member of the cluster whose k3s does not run.
  private func isStopped(_ server: HostName) -> Bool {
    guard let state = states[server] else { return false }
    return !state.unit(.server).isActive && state.datastore != nil
  }
}

// MARK: - Votes

extension ClusterSurvey {
  /// How many voters there are, and how many of them are well beside one server.
  func votes(around node: K3sNode) -> (voters: Int, wellOthers: Int) {
    let votes = ledger.votes
    return (votes.voters.count, votes.well.subtracting([node.name]).count)
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
