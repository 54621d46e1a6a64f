import HelixModel
import HelixPlan

/// The steps that bring nodes of one role to their release, and what they change.
struct UpgradePlanSteps {
  let resource: UpgradePlanResource
  let rollout: UpgradeRollout
  let survey: ClusterSurvey
  /// The server that the cluster is told through.
  let door: HostName

  private var role: K3sRoleOfNode { resource.role }
  private var address: Address { resource.address }
  private var wanted: UpgradePlanObject { rollout.wanted(role) }
  private var scripts: UpgradeScripts {
    UpgradeScripts(plan: wanted, blocked: rollout.blocked(role).map(\.name))
  }
  private var pending: [UpgradeNode] { rollout.pending(role) }
  /// Servers in the order of their turns: whoever is not well goes before the others, but for one
  /// that the controller is at already.
  private var turns: [UpgradeNode] {
    let underWay = pending.filter(rollout.isUnderWay)
    let places = survey.inTurns(rollout.cluster.servers).enumerated().map { ($1.nodeName, $0) }
    let order = Dictionary(places, uniquingKeysWith: { first, _ in first })
    return underWay
      + pending.filter { !rollout.isUnderWay($0) }.enumerated().sorted { left, right in
        (order[left.element.name] ?? .max, left.offset)
          < (order[right.element.name] ?? .max, right.offset)
      }.map(\.element)
  }
  private var failed: [UpgradeJob] { rollout.failedJobs(role) }
  /// Failed jobs whose nodes may be tried again at once; a server is, when its turn has come and votes
  /// are counted.
  private var retried: [UpgradeJob] {
    guard role == .server else { return failed }
    let pending = Set(pending.map(\.name))
    return failed.filter { !pending.contains($0.node) }
  }
  private var cordoned: [UpgradeNode] { rollout.cordonedByOthers(role) }

  var live: LiveUpgradePlan? { rollout.view.plan(wanted.name) }

  private var isAsWritten: Bool { live.map { specFields($0).isEmpty } ?? false }

  private func specFields(_ live: LiveUpgradePlan) -> [FieldChange] {
    let wantedSpec = Self.placeless(wanted.object.body["spec"]?.mapping ?? Mapping())
    return ObjectDifference.between(
      Self.whole(Self.placeless(live.spec)), Self.whole(wantedSpec))
  }

  /// Values that are compared must not differ in where they were written.
  private static func placeless(_ spec: Mapping) -> Mapping {
    (try? JSONReading.read(JSONText.write(.mapping(spec))).mapping) ?? spec
  }

  private static func whole(_ spec: Mapping) -> Mapping {
    let place = SourceLocation(file: "json", line: 1, column: 1)
    return Mapping([
      .init(key: "spec", keyLocation: place, value: Node(.mapping(spec), at: place))
    ])
  }

  /// What differs: the UpgradePlan's fields, then node by node.
  var fields: [FieldChange] {
    let spec =
      live.map(specFields)
      ?? ObjectDifference.between(nil, ObjectDifference.written(in: wanted.object.body))
    let nodes = pending.map { node in
      FieldChange(node.name, before: node.version?.description, after: scripts.words)
    }
    let jobs = failed.map { job in
      FieldChange("job on \(job.node)", before: "failed: \(job.reason)", after: "tried again")
    }
    let held = rollout.leftHeld(role).map { node in
      FieldChange("hold on \(node.name)", before: NodeLabels.disabled, after: "taken off")
    }
    let strays = rollout.givenUp(role)
    let givenUp = strays.map { node in
      FieldChange("job on \(node.name)", before: "to another release", after: "ended")
    }
    let noted = rollout.leftNoted(role).filter { !strays.contains($0) }.map { node in
      FieldChange(
        "note on \(node.name)", before: "\(node.before == .open ? "took pods" : "cordoned") before",
        after: node.before == .cordoned
          ? "cordoned again" : rollout.isLeftByJob(node) ? "takes pods again" : "taken off")
    }
    return spec + nodes + jobs + held + givenUp + noted
  }

  var reason: String {
    var parts: [String] = []
    if live == nil {
      parts.append("there is no UpgradePlan \(wanted.name)")
    } else if !isAsWritten {
      parts.append("\(wanted.name) differs")
    }
    if !pending.isEmpty {
      parts.append(
        "\(pending.count) of \(rollout.nodes(role).count) run another release than "
          + scripts.words)
    }
    if case .hop(let hop) = rollout.next, !hop.isLast {
      parts.append("\(hop.words), then apply again")
    }
    let strays = rollout.givenUp(role)
    if !strays.isEmpty {
      parts.append("a job to another release is given up on \(names(strays))")
    }
    if !failed.isEmpty { parts.append("a failed job stops it until it is tried again") }
    if !cordoned.isEmpty {
      parts.append(
        "cordoned before, and cordoned again afterwards: \(names(cordoned))")
    }
    let blocked = rollout.blocked(role)
    if !blocked.isEmpty {
      parts.append("left as they are, since they cannot be drained now: \(names(blocked))")
    }
    let kept = rollout.keptByOthers(role)
    if !kept.isEmpty {
      parts.append("left out by a label that is not ours: \(names(kept))")
    }
    let left = rollout.leftHeld(role).isEmpty ? "a note" : "a hold"
    return parts.isEmpty ? "\(left) was left behind" : parts.joined(separator: "; ")
  }

  private func names(_ nodes: [UpgradeNode]) -> String {
    nodes.map(\.name).joined(separator: ", ")
  }

  var disruption: String? {
    guard !pending.isEmpty else { return nil }
    let drains = wanted.spec.drain == nil ? "" : "drains and "
    let pace = role == .server ? "one after the other" : "\(wanted.spec.concurrency) at a time"
    return "\(drains)restarts k3s on \(names(turns))\(turns.count > 1 ? ", \(pace)" : "")"
  }
}

// MARK: - Steps

extension UpgradePlanSteps {
  var all: [Step] {
    var steps = [snapshot, mark, apply, giveUp].compactMap(\.self)
    steps += role == .server ? turns.compactMap(turn) : [follow].compactMap(\.self)
    for index in steps.indices.dropFirst() { steps[index].after = [steps[index - 1].id] }
    return steps
  }

  private func step(
    _ name: String, _ title: String, on host: HostName, spends: Budget? = nil,
    brings: HostName? = nil, _ instructions: [Instruction]
  ) -> Step {
    Step(
      StepID(address, name), title: title, on: host, instructions, spends: spends, brings: brings)
  }

  /// The way back from an upgrade of servers is a restore.
  private var snapshot: Step? {
    guard role == .server, !pending.isEmpty,
      let host = survey.living.first(where: { survey.states[$0.host]?.datastore == .etcd })?.host
    else { return nil }
    let to: K3sVersion? = if case .release(let release) = wanted.target { release } else { nil }
    return ClusterSnapshot.save(StepID(address, "snapshot"), before: to, on: host)
  }

  private var mark: Step {
    let title =
      role == .server
      ? "hold servers until their turn" : "mark agents that are done, hold those that are off"
    return step("mark", title, on: door, [.run(script: scripts.mark)])
  }

  /// Nobody is let go before it is seen where a channel leads, also when it was applied before.
  private var apply: Step? {
    let applies = !isAsWritten || !retried.isEmpty
    guard applies || (wanted.followsChannel && !pending.isEmpty) else { return nil }
    var instructions = isAsWritten ? [] : Self.applying(wanted, over: live)
    if !retried.isEmpty { instructions.append(.run(script: scripts.retry(retried.map(\.name)))) }
    if wanted.followsChannel, live != nil { instructions.append(.run(script: scripts.askAnew)) }
    instructions += Self.takenUp(scripts)
    return applies
      ? step("apply", "apply UpgradePlan \(wanted.name)", on: door, instructions)
      : step("check", "see that the channel leads to a near release", on: door, instructions)
  }

  /// Servers that run the channel's release already are let go again once it is known.
  private static func takenUp(_ scripts: UpgradeScripts) -> [Instruction] {
    guard scripts.plan.followsChannel else { return [.wait(scripts.isTakenUp)] }
    let again = scripts.plan.role == .server ? [Instruction.run(script: scripts.mark)] : []
    return [.wait(scripts.isTakenUp), scripts.channelIsNear] + again
  }

  /// Only now, or the controller would make a job of the old UpgradePlan anew.
  private var giveUp: Step? {
    let nodes = rollout.givenUp(role).map(\.name)
    guard !nodes.isEmpty else { return nil }
    return step(
      "give-up", "end jobs to another release on \(nodes.joined(separator: ", "))", on: door,
      [.run(script: scripts.giveUp(nodes))])
  }

  /// One server's turn, until nothing of it is left to do.
  private func turn(_ node: UpgradeNode) -> Step? {
    guard let member = rollout.member(node) else { return nil }
    let server = K3sNode(
      cluster: rollout.cluster, member: member, role: .server, location: wanted.spec.location)
    let gate = HealthGate(node: server)
    var instructions: [Instruction] = [
      .run(script: scripts.free(node.name)),
      .wait(scripts.runsRelease(node.name, within: wanted.deadline + 120)),
    ]
    instructions += gate.onNode + [.wait(scripts.isDone(node.name))]
    if wanted.uncordons { instructions.append(.run(script: scripts.settle([node.name]))) }
    return step(
      "upgrade-\(node.name)", "let \(node.name) come to \(scripts.words) and see that it is well",
      on: member.host, spends: .voter(member.host), brings: member.host, instructions)
  }

  /// All agents: the controller keeps to the pace itself.
  private var follow: Step? {
    guard !pending.isEmpty else { return nil }
    let batches = (pending.count + wanted.spec.concurrency - 1) / wanted.spec.concurrency
    let each = (wanted.spec.drain?.timeout ?? 0) + 600
    let wait = scripts.areDone(
      pending.map(\.name), within: max(wanted.deadline, batches * each))
    var instructions: [Instruction] = [.run(script: scripts.freeAgents), .wait(wait)]
    if wanted.uncordons { instructions.append(.run(script: scripts.settle(pending.map(\.name)))) }
    return step(
      "follow", "wait until agents run \(scripts.words)", on: door, instructions)
  }
}

// MARK: - Applying

extension UpgradePlanSteps {
  /// What makes an UpgradePlan so, as it is written and nothing else.
  private static func applying(
    _ wanted: UpgradePlanObject, over live: LiveUpgradePlan?
  ) -> [Instruction] {
    let object = wanted.noted(unasked: live.map { wanted.mustBeAsked(by: $0) } ?? false)
    let flags = "--server-side --field-manager=\(LiveObject.manager) --force-conflicts"
    var instructions: [Instruction] = [
      .feed(
        Feed(
          "apply UpgradePlan \(wanted.name)",
          script: "\(ClusterDoor.shell)\nhelix_kubectl apply \(flags) -f -",
          input: TemplateText(JSONText.write(.mapping(object.body)) + "\n")))
    ]
    let spec = object.body["spec"]?.mapping ?? Mapping()
    guard let live, let surplus = surplus(live.spec, spec) else { return instructions }
    // Fields that others have set stay theirs in an apply, and would go on to count.
    let patch = JSONText.write(
      Draft.fields([("spec", .node(surplus))]).node(at: wanted.spec.location))
    instructions.append(
      .run(
        script: """
          \(ClusterDoor.shell)
          helix_kubectl -n \(ControllerObjects.namespace) patch \(PlanDefinition.name) \(wanted.name) \\
            --type=merge -p \(shellQuoted(patch)) >/dev/null
          """))
    return instructions
  }

  /// A merge patch that takes out what is live and not wanted; nil when there is nothing.
  private static func surplus(_ live: Mapping, _ wanted: Mapping) -> Node? {
    let place = SourceLocation(file: "object", line: 1, column: 1)
    var patch = Mapping()
    for entry in live.entries {
      let value: Node?
      if let other = wanted[entry.key] {
        value =
          if let inner = entry.value.mapping, let outer = other.mapping {
            surplus(inner, outer)
          } else { nil }
      } else {
        value = Node(.null, at: place)
      }
      if let value { patch.set(.init(key: entry.key, keyLocation: place, value: value)) }
    }
    return patch.isEmpty ? nil : Node(.mapping(patch), at: place)
  }

  /// The steps for a cluster that begins with this plan.
  static func beginning(
    _ address: Address, _ wanted: UpgradePlanObject, on host: HostName
  ) -> [Step] {
    let scripts = UpgradeScripts(plan: wanted)
    return [
      Step(
        StepID(address, "apply"), title: "apply UpgradePlan \(wanted.name)", on: host,
        [.run(script: scripts.mark)] + applying(wanted, over: nil) + takenUp(scripts))
    ]
  }
}
