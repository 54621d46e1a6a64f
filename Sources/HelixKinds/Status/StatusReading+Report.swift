import HelixModel
import HelixPlan

extension StatusReading {
  /// What was read as values, before anything is judged.
  func report(now: Int) -> StatusReport {
    let agents = cluster.agents.filter { shown.contains($0.host) }
    let declared =
      cluster.servers.map { node($0, .server, now: now) }
      + agents.map { node($0, .agent, now: now) }
    let members = cluster.servers + cluster.agents
    let names = Set(members.map(\.nodeName))
    let strangers = liveNodes.keys.filter { !names.contains($0) }.sorted()
    let everybody = members.allSatisfy { shown.contains($0.host) }
    return StatusReport(
      cluster: cluster.name, standing: standing, release: "\(cluster.version.value)", etcd: etcd,
      endpoint: endpoint,
      nodes: declared + (everybody ? strangers.map(stranger) : []),
      upgradePlans: plans, clockReference: Self.common(declared.compactMap(\.clockOffset)),
      pods: voice?.pods.map { StatusReport.Pods(notReady: $0.count, first: $0.pods) })
  }

  // Clocks that agree with each other are right, and ours is wrong.
  private static func common(_ offsets: [Int]) -> Int? {
    guard offsets.count >= 3 else { return nil }
    let median = offsets.sorted()[offsets.count / 2]
    let agreeing = offsets.count { abs($0 - median) <= StatusReport.oddClock }
    return abs(median) > StatusReport.oddClock && agreeing * 2 > offsets.count ? median : nil
  }

  /// The nodes, as a living server lists them.
  var liveNodes: [String: LiveNode] { survey?.nodes ?? [:] }

  private var standing: StatusReport.Standing {
    switch survey?.standing {
    case .living: .living
    case .asleep: .asleep
    case .new: .new
    case .unseen, .unclear, nil: .unclear
    }
  }

  private var endpoint: StatusReport.Endpoint? {
    guard let address = cluster.endpoint, let survey else { return nil }
    guard case .living = survey.standing else {
      return StatusReport.Endpoint(address: address, answers: nil)
    }
    return StatusReport.Endpoint(address: address, answers: survey.endpointServes)
  }

  private var plans: [UpgradePlanState] {
    (voice?.plans ?? []).map { plan in
      var plan = plan
      plan.done = (voice?.conditions ?? [:]).values.count { condition in
        plan.hash != nil && condition.planHashes[plan.name] == plan.hash
      }
      return plan
    }.sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
  }
}

// MARK: - Votes

extension StatusReading {
  private var etcd: StatusReport.Etcd? {
    let voters = self.voters
    guard !voters.isEmpty else { return nil }
    let well = voters.count(where: isWell)
    let members = cluster.servers.compactMap { server in
      hosts[server.host]?.metrics.map { (server.nodeName, $0) }
    }
    return StatusReport.Etcd(
      voters: voters.count, well: well, spare: well - (voters.count / 2 + 1),
      leader: members.first { $0.1.isLeader }?.0,
      databaseBytes: members.compactMap(\.1.databaseBytes).max())
  }

  /// The names of those that vote, as the cluster lists them; where no API does, every server that
  /// holds etcd's data or cannot be asked counts as one.
  private var voters: [String] {
    let listed = liveNodes.filter { $0.value.isVoter == true }.keys.sorted()
    if !listed.isEmpty { return listed }
    let holders = cluster.servers.filter { hosts[$0.host]?.state?.datastore == .etcd }
    guard !holders.isEmpty else { return [] }
    return cluster.servers.filter { server in
      guard let state = hosts[server.host]?.state else { return true }
      return state.datastore == .etcd && !state.etcdIsLearner
    }.map(\.nodeName)
  }

  /// Whether a voter is known to be well; of one that cannot be asked nothing is known.
  private func isWell(_ name: String) -> Bool {
    guard let server = cluster.servers.first(where: { $0.nodeName == name }) else {
      return liveNodes[name]?.isReady ?? false
    }
    guard let reading = hosts[server.host] else { return false }
    return reading.state?.etcdIsHealthy == true && reading.metrics?.hasLeader != false
  }
}

// MARK: - Nodes

extension StatusReading {
  private func node(
    _ member: K3sCluster.Member, _ role: K3sRoleOfNode, now: Int
  ) -> StatusReport.Node {
    var node = StatusReport.Node(
      name: member.nodeName, role: role == .server ? .server : .agent, declared: true,
      unreachable: silent[member.host])
    describe(&node)
    guard let reading = hosts[member.host] else { return node }
    node.installed = reading.binary?.version?.description
    node.service = service(reading, role)
    node.etcd = etcdMember(reading)
    if let clock = reading.clock, clock.asker != nil { node.clockOffset = clock.offset }
    node.certificate = reading.certificates?.first.map { first in
      // Towards the past: a certificate that ended an hour ago has ended.
      let days = Int((Double(first.ends - now) / 86_400).rounded(.down))
      return StatusReport.Certificate(file: first.file, ends: first.ends, days: days)
    }
    if let vitals = reading.vitals, let total = vitals.totalRoom, let free = vitals.freeRoom {
      node.disk = StatusReport.Room(total: total, free: free)
    }
    return node
  }

  private func stranger(_ name: String) -> StatusReport.Node {
    let isServer =
      voice?.conditions?[name]?.isServer ?? (liveNodes[name]?.isVoter != nil)
    var node = StatusReport.Node(name: name, role: isServer ? .server : .agent, declared: false)
    describe(&node)
    return node
  }

  /// What the cluster says of a node.
  private func describe(_ node: inout StatusReport.Node) {
    let name = node.name
    if let live = liveNodes[name] {
      node.version = live.version?.description
      node.ready = live.isReady
      node.podsNotReady = voice?.pods.map { pods in pods.pods.count { $0.node == name } }
    }
    guard let condition = voice?.conditions?[name] else { return }
    if node.ready == false {
      node.reason = [condition.reason, String(condition.message.prefix(300))]
        .filter { !$0.isEmpty }.joined(separator: ": ")
    }
    node.pressures = condition.pressures
    node.cordoned = condition.isCordoned
    node.cordonedBy = condition.isCordoned ? cordoner(of: name, condition) : nil
  }

  private func cordoner(of name: String, _ condition: NodeCondition) -> String? {
    if let note = condition.cordonNote { return "helix-infra, for \(note)" }
    let plan = voice?.plans?.first { $0.applying.contains(name) }
    return plan.map { "UpgradePlan \($0.namespace)/\($0.name)" }
  }

  private func service(
    _ reading: HostReading, _ role: K3sRoleOfNode
  ) -> StatusReport.Service? {
    guard let unit = reading.state?.unit(role) else { return nil }
    return StatusReport.Service(
      unit: role.service, state: unit.activity, restarts: reading.vitals?.restarts[role])
  }

  private func etcdMember(_ reading: HostReading) -> StatusReport.Member? {
    guard let state = reading.state, state.datastore == .etcd else { return nil }
    let metrics = reading.metrics
    let part: StatusReport.Member.Part? = metrics.map { metrics in
      metrics.isLearner ? .learner : metrics.isLeader ? .leader : .follower
    }
    return StatusReport.Member(
      part: state.etcdIsLearner ? .learner : part,
      healthy: state.etcdIsHealthy == true && metrics?.hasLeader != false,
      fsync99Milliseconds: metrics?.fsync99.map { ($0 * 10_000).rounded() / 10 },
      leaderChanges: metrics?.leaderChanges, databaseBytes: metrics?.databaseBytes,
      quotaBytes: metrics?.quotaBytes)
  }
}
