import HelixModel
import HelixPlan

/// What all servers together say of the cluster; worked out once and shared by every k3s resource.
struct ClusterSurvey: Sendable {
  enum Standing: Sendable {
    /// Every server was seen, and none holds or serves a cluster.
    case new
    /// One cluster, and servers that answer for it.
    case living(ca: String)
    /// One cluster on disk, and nobody who answers for it.
    case asleep(ca: String)
    /// A server is silent, and the others know of no cluster.
    case unseen(Diagnostic)
    /// What was seen cannot be one cluster; nothing may be changed.
    case unclear(Diagnostic)
  }

  private(set) var cluster: K3sCluster
  let standing: Standing
  /// Of the servers that could be asked.
  let states: [HostName: NodeState]
  let silent: [HostName: Diagnostic]
  /// Servers that answer for the living cluster, in inventory order.
  let living: [K3sCluster.Member]
  /// Servers with the cluster's data on disk, in inventory order.
  let holders: [K3sCluster.Member]
  /// The votes of etcd, counted as they are again before a step that may cost one.
  let ledger: QuorumLedger
  /// The nodes, as a living server lists them.
  let nodes: [String: LiveNode]
  let endpointServes: Bool
  /// Versions installed on the servers.
  let versions: [HostName: K3sVersion]

  /// The one view of the servers that a plan's resources share, whatever hosts their play may change.
  static func read(
    _ cluster: K3sCluster, _ sight: inout Sight
  ) throws(Diagnostic) -> ClusterSurvey {
    var survey = try sight.shared(ClusterSurvey.self) { (sight) throws(Diagnostic) in
      try SurveyReading(cluster, &sight).survey
    }
    survey.cluster = cluster
    return survey
  }

  /// The hash of the cluster's CA, where there is one cluster.
  var ca: String? {
    switch standing {
    case .living(let ca), .asleep(let ca): ca
    case .new, .unseen, .unclear: nil
    }
  }

  /// Whether there is one cluster and nobody who answers for it.
  var isAsleep: Bool { if case .asleep = standing { true } else { false } }

  var isNew: Bool { if case .new = standing { true } else { false } }
}

// MARK: - Who speaks for the cluster

extension ClusterSurvey {
  /// A living server for a node to talk to: the same one in every plan, and not the same for all.
  func speaker(for node: K3sNode) -> K3sCluster.Member? { speaker(for: node.name, node.role) }

  func speaker(for name: String, _ role: K3sRoleOfNode) -> K3sCluster.Member? {
    let others = living.filter { $0.nodeName != name }
    guard !others.isEmpty else { return nil }
    if role == .server { return others.first }
    let sum = name.utf8.reduce(0) { $0 &* 31 &+ Int($1) }
    return others[Int(sum.magnitude % UInt(others.count))]
  }

  /// Whether a node's disk holds a part of this cluster.
  func isMember(_ node: K3sNode, _ state: NodeState) -> Bool { isMember(node.role, state) }

  func isMember(_ role: K3sRoleOfNode, _ state: NodeState) -> Bool {
    guard let ca else { return false }
    return switch role {
    case .server: state.serverCA == ca && state.datastore != nil
    case .agent: state.agentCA == ca && state.hasNodePassword
    }
  }
}

extension ClusterSurvey {
  /// Whether a node takes part as it should with a release, by its own word and the cluster's.
  func isWell(
    _ member: K3sCluster.Member, _ role: K3sRoleOfNode, _ state: NodeState,
    with release: K3sVersion?
  ) -> Bool {
    guard let live = nodes[member.nodeName], live.version == release,
      cluster.bringsNetwork ? live.isReady : live.isHeard
    else { return false }
    return role == .agent
      || (state.apiIsReady && state.etcdIsHealthy != false && live.isVoter != false)
  }
}

// MARK: - How a node takes part

/// Why a node cannot take part now.
struct Obstacle: Error {
  var verdict: Verdict
}

extension ClusterSurvey {
  /// How a node takes part in the cluster.
  ///
  /// - Throws: why it cannot, when that is so.
  func entry(of node: K3sNode, _ state: NodeState) throws(Obstacle) -> Entry {
    if isMember(node, state) { return .member(tie(of: node, state)) }
    switch standing {
    case .new: return try entryIntoNewCluster(node)
    case .living(let ca): return .join(try joinPoint(for: node, ca: ca))
    case .asleep(let ca): return .join(try joinPointAsleep(for: node, ca: ca))
    case .unclear(let diagnostic): throw Obstacle(verdict: .refused(diagnostic))
    case .unseen(let diagnostic):
      throw Obstacle(verdict: node.role == .server ? .refused(diagnostic) : .heldBack(diagnostic))
    }
  }

  private func entryIntoNewCluster(_ node: K3sNode) throws(Obstacle) -> Entry {
    guard let first = cluster.servers.first else { throw Obstacle(verdict: nobodyLives) }
    guard node.host != first.host else { return .initialise }
    guard cluster.managed.contains(first.host) else { throw Obstacle(verdict: nobodyLives) }
    return .join(
      JoinPoint(server: first.host, url: cluster.url(first), identity: .learned))
  }

  private func joinPoint(for node: K3sNode, ca: String) throws(Obstacle) -> JoinPoint {
    guard let speaker = speaker(for: node) else { throw Obstacle(verdict: nobodyLives) }
    try refuseLonelyDatastore(for: node)
    return JoinPoint(
      server: speaker.host, url: joinURL(of: speaker, for: node), identity: .known(ca))
  }

  private func joinPointAsleep(for node: K3sNode, ca: String) throws(Obstacle) -> JoinPoint {
    guard let holder = holders.first(where: { $0.host != node.host }) else {
      throw Obstacle(verdict: nobodyLives)
    }
    try refuseLonelyDatastore(for: node)
    // One holder, the first server, is a cluster whose beginning was cut short. Otherwise this
    // server may have been a member: what it was must be taken out first, which needs a quorum.
    if node.role == .server, holders.map(\.host) != cluster.servers.prefix(1).map(\.host) {
      throw Obstacle(verdict: .heldBack(joinsLater(node)))
    }
    return JoinPoint(
      server: holder.host, url: joinURL(of: holder, for: node), identity: .known(ca))
  }

  /// Agents keep to the registration address where it leads to the cluster; a server must not
  /// depend on an address that it may one day carry itself.
  private func joinURL(of server: K3sCluster.Member, for node: K3sNode) -> String {
    guard node.role == .agent, endpointServes, let url = cluster.endpointURL else {
      return cluster.url(server)
    }
    return url
  }

  private func tie(of node: K3sNode, _ state: NodeState) -> Entry.Tie {
    switch node.role {
    case .agent:
      let server = speaker(for: node) ?? holders.first ?? cluster.servers.first
      return server.map { .joins(url: joinURL(of: $0, for: node)) } ?? .alone
    case .server:
      let peer = speaker(for: node) ?? cluster.servers.first { $0.host != node.host }
      if let peer { return .joins(url: cluster.url(peer)) }
      return state.datastore == .etcd ? .begins : .alone
    }
  }

  private func refuseLonelyDatastore(for node: K3sNode) throws(Obstacle) {
    guard node.role == .server,
      let lonely = holders.first(where: { states[$0.host]?.datastore == .sqlite })
    else { return }
    throw Obstacle(
      verdict: .refused(
        Diagnostic(
          "\(lonely.host) keeps its data in SQLite, so no other server can join",
          reason: "k3s was first started there without cluster-init",
          remedy: "restart it once with cluster-init: true, which moves the data into etcd",
          at: .host(lonely.host, address: lonely.address))))
  }

  private func joinsLater(_ node: K3sNode) -> Diagnostic {
    Diagnostic(
      "\(node.host) joins when \(cluster.name) answers again",
      reason: "no server answers for the cluster now, so nothing can be taken out or added",
      remedy: "apply this plan, then apply again",
      at: .host(node.host, address: node.member.address))
  }

  private var nobodyLives: Verdict {
    let first = cluster.servers.first.map(\.host.rawValue) ?? "a server"
    return .heldBack(
      Diagnostic(
        "no server of \(cluster.name) answers yet",
        reason: "a node joins through a server that lives",
        remedy: "start \(first) first: in the same play or one before, and without a limit"))
  }
}

// MARK: - Whether a node may be changed

extension ClusterSurvey {
  /// Why no server may be changed now; agents go on, because they hold no data of the cluster.
  func objection(to node: K3sNode) -> Diagnostic? {
    guard node.role == .server, !silent.isEmpty else { return nil }
    let hosts = silent.keys.sorted()
    let names = hosts.map(\.rawValue).joined(separator: ", ")
    return Diagnostic(
      "no server is changed while \(names) cannot be asked",
      reason: hosts.compactMap { silent[$0]?.summary }.joined(separator: "; ")
        + "; a silent server may hold the cluster's data or the vote that keeps its quorum",
      remedy:
        "bring \(names) back, or take \(hosts.count == 1 ? "it" : "them") out of the inventory"
        + " for good",
      at: hosts.first.map { .host($0, address: address(of: $0)) })
  }

  /// Why k3s is not restarted on a node now: a job of the cluster's own restarts it there when it comes
  /// to it, and would do so in the middle of what comes after.
  func jobAtWork(on node: K3sNode) -> Diagnostic? {
    guard states.values.contains(where: { $0.upgrading.contains(node.name) }) else { return nil }
    return Diagnostic(
      "a job of system-upgrade-controller is at work on \(node.host)",
      reason: "it restarts k3s there, nobody knows when",
      remedy: QuorumLedger.jobRemedy, at: .host(node.host, address: node.member.address))
  }

  func address(of host: HostName) -> String? {
    cluster.servers.first { $0.host == host }?.address
  }
}
