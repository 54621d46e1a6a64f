import HelixModel
import HelixPlan

/// The packages of a node up to date and its kernel the newest that is installed.
///
/// The node is emptied before and let back after; a server spends a vote while it may be away.
struct OSUpdate: K3sResource {
  static let kind = "os-update"
  let node: K3sNode
  let spec: OSUpdateSpec

  var after: [Address] { [node.address(PackageLists.kind)] }

  var mayAwait: [Address] {
    node.cluster.managedServers.prefix { $0.host != node.host }
      .map { Address(host: $0.host, kind: Self.kind) }
  }

  private var drain: NodeDrain { NodeDrain(node: node, purpose: "update", drain: spec.drain) }

  var ownQuestions: [Question] {
    let evictions =
      spec.drain?.minds == true
      ? node.cluster.servers.map { Question(EvictionView.fact, on: $0.host) } : []
    return [Question(PendingPackages.fact, on: node.host)] + evictions
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    guard let packages = try sight.read(PendingPackages.fact, on: node.host) else {
      return .refused(withoutApt)
    }
    if let trouble = packages.trouble { return .refused(told(trouble)) }
    guard packages.listsAreFresh else { return .heldBack(untilListsAreFresh) }
    let round = try UpdateRound.read(node, spec, &sight)
    return try node.judge(&sight, waitsForUpgrade: false) { (sight, view) throws(Diagnostic) in
      let witness = self.witness(view.survey)
      guard let need = packages.need(self.spec) else {
        return self.leftover(view, witness, packages)
      }
      guard let witness, view.entry.isMember, view.runs(self.node) else {
        return .heldBack(self.notRunning)
      }
      if let why = self.missing(view.survey) ?? view.survey.jobAtWork(on: self.node) {
        return .heldBack(why)
      }
      if self.spec.drain?.minds == true,
        let blocked = self.drain.obstacle(try sight.read(EvictionView.fact, on: witness))
      {
        return .heldBack(blocked)
      }
      return .change(self.work(need, packages, witness, view, round))
    }
  }

  /// A node with nothing to do may still be cordoned by a run that was cut short.
  private func leftover(
    _ view: NodeView, _ witness: HostName?, _ packages: PendingPackages
  ) -> Verdict {
    let words =
      packages.asksForReboot ? "up to date; a reboot is asked for and not wanted" : "up to date"
    guard view.survey.nodes[node.name]?.cordonedFor == drain.purpose, let witness else {
      return .unchanged(reason: words)
    }
    return .change(
      Work(
        .update, fields: [FieldChange("node", before: "cordoned", after: "takes pods")],
        reason: "an earlier run cordoned it and was cut short",
        steps: [uncordon(on: witness, after: [])]))
  }
}

extension NodeView {
  /// Whether k3s runs on the node.
  func runs(_ node: K3sNode) -> Bool { state.unit(node.role).isActive }
}

// MARK: - The work

extension OSUpdate {
  private func work(
    _ need: PendingPackages.Need, _ packages: PendingPackages, _ witness: HostName,
    _ view: NodeView, _ round: UpdateRound
  ) -> Work {
    let agents = round.agents(before: node, spec.concurrency)
      .map { Address(host: $0, kind: Self.kind) }
    let servers = view.survey.servers(before: node).map { Address(host: $0, kind: Self.kind) }
    return Work(
      .update,
      fields: [drain.field(view.survey.nodes[node.name])] + fields(packages),
      reason: reason(packages),
      disruption: disruption(need, view),
      after: node.role == .agent ? servers + agents : [],
      behind: node.role == .server ? servers : [],
      steps: steps(need, witness, view))
  }

  private func disruption(_ need: PendingPackages.Need, _ view: NodeView) -> String? {
    let words = [drain.disruption, need.reboots ? "reboots \(node.host)" : nil].compactMap(\.self)
    return words.isEmpty ? nil : words.joined(separator: ", ")
  }

  private func fields(_ packages: PendingPackages) -> [FieldChange] {
    packages.updates.map { FieldChange($0.name, before: $0.before, after: $0.after) }
      + packages.removals.map { FieldChange($0, before: "installed") }
      + (packages.newerKernel.map { [FieldChange("kernel", after: $0)] } ?? [])
  }

  private func reason(_ packages: PendingPackages) -> String {
    var reasons: [String] = []
    let count = packages.updates.count + packages.removals.count
    if packages.isHalfDone { reasons.append("an earlier update was cut short") }
    if count > 0 { reasons.append("\(count) package\(count == 1 ? "" : "s") to update") }
    if packages.rebootIsRequired { reasons.append("the system asks for a reboot") }
    if packages.newerKernel != nil { reasons.append("an older kernel runs than is installed") }
    return reasons.joined(separator: "; ")
  }

  private var budget: Budget? { node.role == .server ? .voter(node.host) : nil }

  private func steps(
    _ need: PendingPackages.Need, _ witness: HostName, _ view: NodeView
  ) -> [Step] {
    var row = [
      Step(
        StepID(address, "drain"),
        title: "\(spec.drain == nil ? "cordon" : "drain") \(node.name), on \(witness)", on: witness,
        drain.away, undo: [drain.back])
    ]
    let gate = HealthGate(node: node).onNode
    func add(_ name: String, _ title: String, on host: HostName, _ work: [Instruction]) {
      row.append(
        Step(
          StepID(address, name), title: title, on: host, after: row.last.map { [$0.id] } ?? [],
          work, spends: host == node.host ? budget : nil,
          brings: host == node.host && budget != nil ? host : nil))
    }
    if need.updates {
      add(
        "update", "update the packages of \(node.host)", on: node.host,
        [.launch(update)] + (need.reboots ? [] : gate))
    }
    if need.reboots {
      add(
        "reboot", "reboot \(node.host) and wait until it is healthy", on: node.host,
        [.reboot(Reboot())] + gate)
    }
    if node.role == .agent {
      let isReady = HealthGate(node: node).isReady
      add("ready", "see on \(witness) that \(node.name) is ready", on: witness, [.wait(isReady)])
    }
    return row + [uncordon(on: witness, after: row)]
  }

  /// After an update that failed, too: the node takes pods again as soon as it is well.
  private func uncordon(on witness: HostName, after row: [Step]) -> Step {
    var isReady = HealthGate(node: node).isReady
    isReady.timeout = 180
    var step = Step(
      StepID(address, "uncordon"), title: "uncordon \(node.name), on \(witness)", on: witness,
      after: row.first.map { [$0.id] } ?? [], [.wait(isReady), drain.back])
    step.follows = row.dropFirst().last.map { [$0.id] } ?? []
    return step
  }

  // needrestart would restart k3s on its own; the configuration that is there stays.
  private var update: Launch {
    Launch(
      "update the packages of \(node.host)",
      script: """
        set -e
        export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
        dpkg --force-confdef --force-confold --configure -a
        apt-get -y -q -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confdef \\
          -o Dpkg::Options::=--force-confold dist-upgrade
        """,
      timeout: 3600, keepsResult: true)
  }
}

// MARK: - The words

extension OSUpdate {
  private var place: Diagnostic.Place { .host(node.host, address: node.member.address) }

  private var withoutApt: Diagnostic {
    Diagnostic(
      "there is no apt on \(node.host)",
      reason: "\(RolloutUpdateRole.role.name) updates Debian, Ubuntu and Raspberry Pi OS",
      remedy: "limit the play to hosts that have apt", at: place)
  }

  private func told(_ trouble: String) -> Diagnostic {
    Diagnostic(
      "apt cannot work out an update of \(node.host)", reason: trouble,
      remedy: "mend it there: apt-get -f install", at: place)
  }

  private var untilListsAreFresh: Diagnostic {
    Diagnostic(
      "what is to be updated on \(node.host) is not known yet",
      reason: "its lists of packages are older than a day; this plan refreshes them",
      remedy: "apply this plan, then apply again", at: place)
  }

  /// No server is taken away while another is away: this role brings none back.
  private func missing(_ survey: ClusterSurvey) -> Diagnostic? {
    let others = node.cluster.servers.filter { $0.host != node.host }
    let missing = others.first { survey.states[$0.host]?.unit(.server).isActive != true }
    guard node.role == .server, let missing else { return nil }
    return Diagnostic(
      "\(node.host) is not taken away while k3s does not run on \(missing.host)",
      reason: "a vote of etcd is missing already",
      remedy: Self.clusterFirst, at: place)
  }

  private var notRunning: Diagnostic {
    Diagnostic(
      "\(node.host) takes no part in \(node.cluster.name) now",
      reason: "it could not be seen whether the node is well again after the update",
      remedy: Self.clusterFirst, at: place)
  }

  private static let clusterFirst =
    "apply the playbook with the role \(K3sRole.role.name) first, such as playbooks/k3s.yaml"
}
