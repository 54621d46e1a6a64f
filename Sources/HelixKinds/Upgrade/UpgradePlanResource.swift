import HelixModel
import HelixPlan

/// An UpgradePlan in the cluster, and the nodes it is for at the release it says.
///
/// `Complete` in its status proves nothing: it is also so when no node was selected. What counts is
/// what kubelets report.
struct UpgradePlanResource: Resource {
  static let kind = "upgrade-plan"
  let door: ClusterDoor
  let spec: UpgradeSpec
  let role: K3sRoleOfNode
  /// Nil when the controller's manifests are the user's own.
  let release: ControllerRelease?
  let after: [Address]

  var address: Address { Self.address(role) }
  var location: SourceLocation? { plan.location }
  var mayAwait: [Address] { door.waits }

  func quorum(_ sight: inout Sight) throws(Diagnostic) -> Quorum? {
    role == .server ? try ClusterSurvey.read(door.cluster, &sight).quorum : nil
  }

  private var plan: UpgradeSpec.PlanSpec { role == .server ? spec.servers : spec.agents }

  static func address(_ role: K3sRoleOfNode) -> Address {
    Address(.cluster, kind: kind, name: role == .server ? "servers" : "agents")
  }

  var questions: [Question] {
    Self.questions(door, spec) + (role == .server ? DeprecatedAPIs.questions(door.cluster) : [])
      + members.map { Question(K3sProcesses.fact, on: $0.host) }
  }

  private var members: [K3sCluster.Member] {
    role == .server ? door.cluster.servers : door.cluster.agents
  }

  static func questions(_ door: ClusterDoor, _ spec: UpgradeSpec) -> [Question] {
    let servers = door.cluster.servers
    return door.questions + servers.map { Question(UpgradeView.fact, on: $0.host) }
      + (spec.mindsBudgets ? servers.map { Question(EvictionView.fact, on: $0.host) } : [])
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    switch try door.way(&sight) {
    case .closed(let why): return .heldBack(why)
    case .opening(let host): return try beginning(on: host, &sight)
    case .open(let host):
      guard let rollout = try UpgradeRollout.read(door, spec, release, on: host, &sight) else {
        return .heldBack(Self.noAnswer)
      }
      let survey = try ClusterSurvey.read(door.cluster, &sight)
      if case .refused(let why) = rollout.next { return .refused(why) }
      let lints = UpgradeLints(rollout, processes: processes(rollout, &sight))
      if let error = lints.errors(role).first { return .refused(error) }
      if let obstacle = obstacle(rollout, survey) { return obstacle }
      return verdict(
        UpgradePlanSteps(resource: self, rollout: rollout, survey: survey, door: host),
        warnings: lints.warnings + (try deprecated(rollout, &sight)))
    }
  }

  /// What k3s-upgrade would find on the nodes that it is to upgrade; a host that does not answer is
  /// none of its business.
  private func processes(
    _ rollout: UpgradeRollout, _ sight: inout Sight
  ) -> [String: K3sProcesses] {
    let pending = Set(rollout.pending(role).map(\.name))
    var processes: [String: K3sProcesses] = [:]
    for member in members where pending.contains(member.nodeName) && sight.reaches(member.host) {
      processes[member.nodeName] = try? sight.read(K3sProcesses.fact, on: member.host)
    }
    return processes
  }

  /// Which release a channel leads to is not known yet.
  private func deprecated(
    _ rollout: UpgradeRollout, _ sight: inout Sight
  ) throws(Diagnostic) -> [Diagnostic] {
    guard role == .server, spec.channel == nil,
      let from = rollout.pending(.server).compactMap(\.version).min(),
      let warning = try DeprecatedAPIs.warning(
        door.cluster, from: from, to: rollout.hop, &sight)
    else { return [] }
    return [warning]
  }

  static let noAnswer = Diagnostic(
    "the cluster did not tell of its nodes and UpgradePlans",
    reason: "its API did not answer in time", remedy: "apply again when it answers")

  private func verdict(_ steps: UpgradePlanSteps, warnings: [Diagnostic]) -> Verdict {
    let fields = steps.fields
    guard !fields.isEmpty else {
      let rollout = steps.rollout
      if let block = rollout.blocked(role).first.flatMap(rollout.block) { return .heldBack(block) }
      let kept = rollout.keptByOthers(role)
      return kept.isEmpty
        ? .unchanged(reason: unchanged(rollout)) : .heldBack(Self.kept(kept, role))
    }
    return .change(
      Work(
        steps.live == nil ? .create : .update, fields: fields, reason: steps.reason,
        disruption: steps.disruption, after: door.waits, warnings: warnings, steps: steps.all))
  }

  private func unchanged(_ rollout: UpgradeRollout) -> String {
    let count = rollout.nodes(role).count - (role == .agent ? rollout.absent.count : 0)
    let sort = role == .server ? "server" : "agent"
    return "\(count) \(sort)\(count == 1 ? "" : "s") run \(rollout.wantedTag ?? "it")"
  }

  /// A cluster that begins with this plan: every node comes up with its release.
  private func beginning(on host: HostName, _ sight: inout Sight) throws(Diagnostic) -> Verdict {
    guard try ClusterSurvey.read(door.cluster, &sight).isNew else {
      return .heldBack(
        Diagnostic(
          "the cluster sleeps, and what its nodes run is not known",
          remedy: "apply this plan, then apply again"))
    }
    let wanted = UpgradeRollout.wanted(
      role, door.cluster, spec, release,
      spec.channel.map { .channel($0.value) } ?? .release(door.cluster.version.value))
    return .change(
      Work(
        .create,
        fields: ObjectDifference.between(nil, ObjectDifference.written(in: wanted.object.body)),
        reason: "there is no UpgradePlan \(wanted.name)", after: door.waits,
        steps: UpgradePlanSteps.beginning(address, wanted, on: host)))
  }
}

// MARK: - What stands in the way

extension UpgradePlanResource {
  private func obstacle(_ rollout: UpgradeRollout, _ survey: ClusterSurvey) -> Verdict? {
    switch role {
    case .server: serverObstacle(rollout, survey)
    case .agent: agentObstacle(rollout)
    }
  }

  private func serverObstacle(_ rollout: UpgradeRollout, _ survey: ClusterSurvey) -> Verdict? {
    let pending = rollout.pending(.server)
    guard !pending.isEmpty else { return nil }
    if let stranger = pending.first(where: { rollout.member($0) == nil }) {
      return .refused(
        Diagnostic(
          "the server \(stranger.name) is not in the inventory",
          reason: "it would be upgraded too, and nobody could see whether it is well",
          remedy: "add it to k3s.servers, or delete its node if it is gone", at: .resource(address))
      )
    }
    for node in pending {
      guard let member = rollout.member(node) else { continue }
      let server = K3sNode(
        cluster: door.cluster, member: member, role: .server, location: plan.location)
      if let objection = survey.objection(to: server) { return .refused(objection) }
    }
    return nil
  }

  /// `prepare` on every agent waits for servers that nobody will bring to the release.
  private func agentObstacle(_ rollout: UpgradeRollout) -> Verdict? {
    let kept = rollout.keptByOthers(.server)
    let block = rollout.blocked(.server).first.flatMap(rollout.block)
    guard !rollout.pending(.agent).isEmpty,
      var why = kept.isEmpty ? block : Self.kept(kept, .server)
    else { return nil }
    why.reason = "agents are never newer than servers, and their jobs would wait for ever"
    return .heldBack(why)
  }

  static func kept(_ nodes: [UpgradeNode], _ role: K3sRoleOfNode) -> Diagnostic {
    let names = nodes.map(\.name).joined(separator: " ")
    let label = NodeLabels.plan(UpgradePlanObject.name(role))
    return Diagnostic(
      "\(nodes.map(\.name).joined(separator: ", ")): kept from the upgrade by a label",
      reason: "somebody has set \(label)=\(NodeLabels.disabled)",
      remedy: "take it off when the node may be upgraded: kubectl label node \(names) \(label)-",
      at: .resource(address(role)))
  }
}
