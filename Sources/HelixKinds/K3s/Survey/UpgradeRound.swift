import HelixModel
import HelixPlan

/// What one run brings members to over SSH, and whose turn it is; worked out once and shared.
///
/// Where the cluster upgrades itself, it only tells what nodes that join install.
///
/// It looks at the answers of other hosts themselves: were every agent's facts a reliance of every
/// other's, a plan would grow with the square of the agents.
struct UpgradeRound: Sendable {
  /// What this run installs.
  let target: K3sVersion
  /// The hop of a ladder that it is; nil when there is nothing to climb.
  let hop: UpgradeLadder.Hop?
  /// Why no member may go where it is wanted.
  let refusal: Diagnostic?
  /// Members whose running k3s comes to another release, and from which.
  let changes: [HostName: K3sVersion]
  /// Members that would come to another release if a server answered, servers first.
  let staying: [HostName]
  /// Agents among them, in inventory order, that this run can reach and take the pods from.
  private let agents: [HostName]

  static func read(
    _ cluster: K3sCluster, _ sight: inout Sight
  ) throws(Diagnostic) -> UpgradeRound {
    let survey = try ClusterSurvey.read(cluster, &sight)
    return try sight.shared(UpgradeRound.self) { (sight) throws(Diagnostic) in
      UpgradeRound(Members(survey: survey, observation: sight.observation))
    }
  }

  private init(_ members: Members) {
    let cluster = members.survey.cluster
    guard cluster.upgradesOverSSH else {
      (target, hop, refusal) = (members.releaseOfServers ?? cluster.version.value, nil, nil)
      (changes, agents, staying) = ([:], [], [])
      return
    }
    let way = UpgradeLadder.next(
      servers: members.rungs(.server), agents: members.rungs(.agent), wanted: cluster.version,
      by: .inventory(through: cluster.upgrade?.through ?? []))
    switch way {
    case .arrived: (target, hop, refusal) = (cluster.version.value, nil, nil)
    case .hop(let hop): (target, self.hop, refusal) = (hop.to, hop, nil)
    case .refused(let why): (target, hop, refusal) = (cluster.version.value, nil, why)
    }
    guard refusal == nil else {
      (changes, agents, staying) = ([:], [], [])
      return
    }
    staying = members.staying(without: target)
    let changes = members.changes(to: target)
    self.changes = changes
    agents = cluster.agents.filter { changes[$0.host] != nil && !members.holdsOn(to: $0) }
      .map(\.host)
  }

  /// The agents of this round that a plan may change, so many places before one that every earlier
  /// one has ended and `concurrency` go at once.
  func agents(before node: K3sNode) -> [HostName] {
    guard let concurrency = node.cluster.upgradePlan(for: .agent)?.concurrency else { return [] }
    return window(
      of: node.host, in: agents.filter { node.cluster.managed.contains($0) }, concurrency)
  }
}

/// The members of the cluster and what they run, as far as this run was told.
private struct Members {
  let survey: ClusterSurvey
  let observation: Observation

  private var cluster: K3sCluster { survey.cluster }

  private func hosts(_ role: K3sRoleOfNode) -> [K3sCluster.Member] {
    role == .server ? cluster.servers : cluster.agents
  }

  /// The lowest release that a living server runs: whoever joins must not be newer.
  var releaseOfServers: K3sVersion? {
    survey.living.compactMap { survey.nodes[$0.nodeName]?.version ?? installed($0) }.min()
  }

  /// What nodes run: by the cluster's word, unless an older file lies on the host, or a newer one is
  /// still on trial.
  func rungs(_ role: K3sRoleOfNode) -> [UpgradeLadder.Rung] {
    hosts(role).compactMap { member in
      let running = survey.nodes[member.nodeName]?.version
      let installed = isMember(member, role) ? installed(member) : nil
      return [running, installed, wayBack(member, role)].compactMap(\.self).min().map {
        UpgradeLadder.Rung(member.nodeName, $0)
      }
    }
  }

  /// Members that run k3s and are to run another release of it.
  func changes(to target: K3sVersion) -> [HostName: K3sVersion] {
    var changes: [HostName: K3sVersion] = [:]
    for role in K3sRoleOfNode.allCases {
      for member in hosts(role) where isMember(member, role) {
        changes[member.host] = release(of: member, role, unlike: target)
      }
    }
    return changes
  }

  /// Members that have another release while nobody answers: no snapshot could be saved of such a
  /// cluster, and no node of it drained.
  func staying(without target: K3sVersion) -> [HostName] {
    guard survey.isAsleep else { return [] }
    return K3sRoleOfNode.allCases.flatMap { role in
      hosts(role).filter { isMember($0, role) && (installed($0) ?? target) != target }.map(\.host)
    }
  }

  /// What a member runs until it is restarted, unless that is the target already.
  private func release(
    of member: K3sCluster.Member, _ role: K3sRoleOfNode, unlike target: K3sVersion
  ) -> K3sVersion? {
    guard let state = answer(NodeState.fact, member), let installed = installed(member),
      state.unit(role).isActive || state.unit(role).isStarting
    else { return nil }
    let running = survey.nodes[member.nodeName]?.version ?? installed
    let wayBack = wayBack(member, role)
    if installed != target {
      return survey.isAsleep ? nil : min(installed, running, wayBack ?? installed)
    }
    if let wayBack { return wayBack }
    // The file was put there by a run that was cut short before the restart.
    return running != target && state.newerFiles.contains(K3sPaths.binary) ? running : nil
  }

  /// Where a member goes back to when the release that a run has put there before it was cut short
  /// does not come up well; nil when it has.
  private func wayBack(_ member: K3sCluster.Member, _ role: K3sRoleOfNode) -> K3sVersion? {
    guard let binary = answer(InstalledBinary.fact, member)?.flatMap(\.self),
      let wayBack = binary.wayBack, let state = answer(NodeState.fact, member)
    else { return nil }
    // What the cluster saw run last tells whether the kept file is of the time before.
    if let running = survey.nodes[member.nodeName]?.version,
      running != wayBack, running != binary.version
    {
      return nil
    }
    return survey.isWell(member, role, state, with: binary.version) ? nil : wayBack
  }

  /// Whether a disruption budget keeps pods on a node that would have to be drained.
  func holdsOn(to agent: K3sCluster.Member) -> Bool {
    guard let drain = cluster.upgradePlan(for: .agent)?.drain, drain.minds,
      let speaker = survey.speaker(for: agent.nodeName, .agent),
      let evictions = answer(EvictionView.fact, speaker)?.flatMap(\.self)
    else { return false }
    return !evictions.obstacles(on: agent.nodeName).isEmpty
  }

  private func isMember(_ member: K3sCluster.Member, _ role: K3sRoleOfNode) -> Bool {
    answer(NodeState.fact, member).map { survey.isMember(role, $0) } ?? false
  }

  private func installed(_ member: K3sCluster.Member) -> K3sVersion? {
    answer(InstalledBinary.fact, member)?.flatMap(\.version)
  }

  private func answer<Value>(_ fact: Fact<Value>, _ member: K3sCluster.Member) -> Value? {
    observation.answer(fact.request.id, on: member.host).flatMap { try? fact.parse($0) }
  }
}
