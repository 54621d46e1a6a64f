import HelixModel
import HelixPlan

/// Draws the conclusion about an upgrade from what a server says.
struct UpgradeStatusReading {
  let rollout: UpgradeRollout
  let trouble: UpgradeTrouble

  private var view: UpgradeView { rollout.view }
  private var byController: Bool { !rollout.cluster.upgradesOverSSH }

  /// A channel's release is known in an image tag's spelling alone.
  private var hop: String? {
    rollout.spec.channel == nil ? rollout.hop.description : rollout.wantedTag
  }

  var status: UpgradeStatus {
    let problems = problems
    return UpgradeStatus(
      state: state(problems), strategy: rollout.spec.strategy.rawValue,
      wanted: rollout.spec.channel?.value ?? rollout.cluster.version.value.description,
      hop: hop ?? "unknown", controller: view.controller?.image,
      nodes: K3sRoleOfNode.inOrder.flatMap { role in rollout.nodes(role).map { row($0, role) } },
      problems: problems)
  }

  private func state(_ problems: [Diagnostic]) -> UpgradeStatus.State {
    if problems.contains(where: { $0.severity == .error }) { return .stuck }
    if case .hop = rollout.next { return .underWay }
    let isBehind = K3sRoleOfNode.allCases.contains { !rollout.behind($0).isEmpty }
    let isWell = view.nodes.allSatisfy { $0.isReady || !rollout.cluster.bringsNetwork }
    let isAtWork = view.ownJobs.contains { $0.state == .running }
    // A cordon of ours is taken off at the end.
    return isBehind || !isWell || isAtWork || view.nodes.contains { $0.cordonedFor != nil }
      ? .underWay : .done
  }

  // MARK: - Nodes

  private func row(_ node: UpgradeNode, _ role: K3sRoleOfNode) -> UpgradeStatus.Row {
    let job = job(of: node, role)
    let isBehind = rollout.behind(role).contains(node)
    return UpgradeStatus.Row(
      node: node.name, role: role.rawValue, from: node.version?.description ?? "unknown",
      to: isBehind ? hop : nil, isReady: node.isReady,
      cordoned: cordoned(node, job), mark: mark(node, role, isBehind: isBehind),
      job: job.map { "\($0.state.rawValue)\($0.reason.isEmpty ? "" : " (\($0.reason))")" },
      reason: reason(node, job, isBehind: isBehind))
  }

  private func job(of node: UpgradeNode, _ role: K3sRoleOfNode) -> UpgradeJob? {
    // One that is over says nothing of another hop.
    let jobs = view.jobs(of: UpgradePlanObject.name(role)).filter {
      $0.node == node.name && ($0.state != .complete || $0.version == rollout.wantedTag)
    }
    return jobs.first { $0.state != .complete } ?? jobs.last
  }

  private func cordoned(_ node: UpgradeNode, _ job: UpgradeJob?) -> String? {
    guard node.isCordoned else { return nil }
    if node.cordonedFor != nil { return "helix-infra" }
    switch job?.state {
    case .running, .waiting: return "upgrade"
    case .failed: return node.before == .cordoned ? "somebody" : "failed upgrade"
    // A failed job is gone after a while, and its cordon is not.
    case .complete, nil:
      let role: K3sRoleOfNode = node.isServer ? .server : .agent
      if byController, job == nil, rollout.isLeftByJob(node) { return "failed upgrade" }
      return !byController || rollout.isCordonedByOthers(node)
        || !rollout.behind(role).contains(node) ? "somebody" : "failed upgrade"
    }
  }

  private func mark(_ node: UpgradeNode, _ role: K3sRoleOfNode, isBehind: Bool) -> String {
    let name = UpgradePlanObject.name(role)
    switch node.label(of: name) {
    case NodeLabels.disabled: return node.heldPlan == name ? "held" : "left out"
    case let hash? where hash == view.plan(name)?.latestHash && !isBehind: return "done"
    default: return isBehind ? "waiting" : "-"
    }
  }

  private func pods(of job: UpgradeJob) -> [UpgradeTrouble.Pod] {
    trouble.pods.filter { $0.job == job.name }
  }

  private func reason(_ node: UpgradeNode, _ job: UpgradeJob?, isBehind: Bool) -> String? {
    if node.isOff { return "the cluster does not hear its kubelet" }
    guard let job, job.state != .complete else { return nil }
    let pods = pods(of: job)
    if let waiting = pullTrouble(job).first { return waiting }
    if job.state == .failed { return lastFailure(of: job) }
    if job.failures > 0 {
      let failed = job.failures == 1 ? "1 pod has failed" : "\(job.failures) pods have failed"
      return lastFailure(of: job).map { "\(failed): \($0)" } ?? failed
    }
    if isDraining(job), let budget = trouble.budgets.first {
      return "drains; \(budget.name) allows no disruption"
    }
    return pods.first { $0.phase == "Pending" }.map { "its pod \($0.name) is pending" }
  }

  private static let pull = ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"]

  /// The pod that ends its own k3s fails once, as a rule, and the next one finds the work done.
  private static let failuresThatAreTrouble = 3

  private func failsAgain(_ job: UpgradeJob) -> Bool {
    job.state == .running && job.failures >= Self.failuresThatAreTrouble
  }

  private func lastFailure(of job: UpgradeJob) -> String? {
    pods(of: job).compactMap(\.failure).last { !$0.isEmpty }
  }

  private func isDraining(_ job: UpgradeJob) -> Bool {
    job.state == .running && drains(job)
      && pods(of: job).contains { pod in
        pod.phase == "Pending"
          && !pod.containers.contains { $0.name == "drain" && $0.reason == "Completed" }
      }
  }
}

extension UpgradeStatusReading {
  /// Whether the job's UpgradePlan takes pods off nodes.
  private func drains(_ job: UpgradeJob) -> Bool {
    switch job.plan {
    case UpgradePlanObject.serversName: rollout.spec.servers.drain != nil
    case UpgradePlanObject.agentsName: rollout.spec.agents.drain != nil
    default: false
    }
  }
}

// MARK: - Problems

extension UpgradeStatusReading {
  private var problems: [Diagnostic] {
    var problems: [Diagnostic] = []
    if case .refused(let why) = rollout.next { problems.append(why) }
    problems += skew
    if byController { problems += controller + jobs + drains + marks + strangers }
    problems += cordons + absent
    if byController {
      let lints = UpgradeLints(rollout)
      problems += lints.errors(.server) + lints.errors(.agent) + lints.warnings
    }
    return problems
  }

  private var isPending: Bool {
    K3sRoleOfNode.allCases.contains { !rollout.pending($0).isEmpty }
  }

  private var controller: [Diagnostic] {
    guard isPending else { return [] }
    guard let controller = view.controller else {
      return [
        Diagnostic(
          "system-upgrade-controller is not installed", reason: "nobody brings nodes to a release",
          remedy: "apply the playbook that has the role \(SystemUpgradeRole.role.name), such as"
            + " playbooks/upgrade.yaml", severity: .warning)
      ]
    }
    guard controller.available == 0 else { return [] }
    return [
      Diagnostic(
        "system-upgrade-controller does not run", reason: "no pod of it is available",
        remedy: "see why: kubectl -n system-upgrade describe pods")
    ]
  }

  private var jobs: [Diagnostic] {
    view.ownJobs.compactMap { job in
      if let pull = pullTrouble(job).first {
        return Diagnostic(
          "an image of the job on \(job.node) cannot be pulled", reason: pull,
          remedy: "see that nodes reach the registry, or name one: upgrade.controller.registry")
      }
      if job.state == .failed { return ended(job) }
      return failsAgain(job) ? repeated(job) : nil
    }
  }

  private func ended(_ job: UpgradeJob) -> Diagnostic {
    let stalls = "a failed job stops the UpgradePlan \(job.plan) until it changes"
    let last = lastFailure(of: job)
    let look = "see what its pods say: kubectl -n system-upgrade logs job/\(job.name)"
    return Diagnostic(
      "the job on \(job.node) has failed\(job.reason.isEmpty ? "" : ": \(job.reason)")",
      reason: [last, stalls].compactMap(\.self).joined(separator: "; "),
      remedy: job.reason == "DeadlineExceeded" && job.failures < Self.failuresThatAreTrouble
        ? "raise deadline in upgrade.plans if it needs longer, then apply again: the job is tried"
          + " anew"
        : "\(UpgradeDiagnosis.sign(in: last)?.remedy ?? look); then apply again")
  }

  /// No upgrade waits for jobs of others; who is at work on a node is worth knowing.
  private var strangers: [Diagnostic] {
    view.jobs.filter { !$0.isOurs && $0.state == .failed }.map { job in
      Diagnostic(
        "the job of the UpgradePlan \(job.plan) on \(job.node) has failed"
          + (job.reason.isEmpty ? "" : ": \(job.reason)"),
        reason: "that UpgradePlan is none of ours, and the upgrade goes on without it",
        remedy:
          "change or delete that UpgradePlan: kubectl -n \(ControllerObjects.namespace) delete"
          + " plan \(job.plan)", severity: .warning)
    }
  }

  private func repeated(_ job: UpgradeJob) -> Diagnostic {
    let last = lastFailure(of: job)
    let look = pods(of: job).last { $0.phase == "Failed" }?.name ?? "job/\(job.name)"
    return Diagnostic(
      "the job on \(job.node) fails again and again: \(job.failures) of its pods have failed",
      reason: last ?? "its pods do not say why",
      remedy: UpgradeDiagnosis.sign(in: last)?.remedy
        ?? "see what the last one says: kubectl -n system-upgrade logs \(look) --all-containers")
  }

  private var drains: [Diagnostic] {
    let nodes = view.ownJobs.filter(isDraining).map(\.node)
    guard !nodes.isEmpty, !trouble.budgets.isEmpty else { return [] }
    return [
      Diagnostic(
        "\(trouble.budgets.map(\.name).joined(separator: ", ")) may keep pods on"
          + " \(nodes.joined(separator: ", "))",
        reason: "the PodDisruptionBudget allows no disruption now",
        remedy: "run more copies of what it protects, or loosen the budget", severity: .warning)
    ]
  }

  private func pullTrouble(_ job: UpgradeJob) -> [String] {
    pods(of: job).flatMap(\.containers).filter { Self.pull.contains($0.reason) }
      .map { "\($0.name) \($0.reason): \($0.image)" }
  }

  private var marks: [Diagnostic] {
    let kept = K3sRoleOfNode.inOrder.compactMap { role -> Diagnostic? in
      let nodes = rollout.keptByOthers(role)
      guard !nodes.isEmpty else { return nil }
      var why = UpgradePlanResource.kept(nodes, role)
      why.severity = .warning
      return why
    }
    let left = K3sRoleOfNode.inOrder.flatMap { rollout.leftHeld($0) }.map(\.name)
    guard !left.isEmpty else { return kept }
    return kept + [
      Diagnostic(
        "held without need: \(left.joined(separator: ", "))",
        reason: "a run was cut short before it took its hold off", remedy: "apply again",
        severity: .warning)
    ]
  }

  /// A node that a failed job has left cordoned, or that somebody has forgotten.
  private var cordons: [Diagnostic] {
    view.nodes.filter(\.isCordoned).compactMap { node in
      let role: K3sRoleOfNode = node.isServer ? .server : .agent
      switch cordoned(node, job(of: node, role)) {
      case "failed upgrade":
        return Diagnostic(
          "\(node.name) was left cordoned by a failed job",
          reason: "the controller makes it schedulable again only when a job succeeds",
          remedy: "apply again, or give up: kubectl uncordon \(node.name)")
      case "helix-infra":
        return Diagnostic(
          "\(node.name) is cordoned by helix-infra, for \(node.cordonedFor ?? "upgrade")",
          reason: "a run is at work on it, or was cut short",
          remedy: "see whether one runs: helix-infra unlock; if none does, apply again",
          severity: .warning)
      case "somebody":
        return Diagnostic(
          "\(node.name) is cordoned, and no job is at work on it",
          reason: "somebody has cordoned it, or a deleted UpgradePlan has left it so",
          remedy: "when it may take pods again: kubectl uncordon \(node.name)", severity: .warning)
      default: return nil
      }
    }
  }

  private var absent: [Diagnostic] {
    view.nodes.filter(\.isOff).map { node in
      Diagnostic(
        "\(node.name) is off", reason: "the cluster does not hear its kubelet",
        remedy: "bring it back, or delete its node if it is gone for good",
        severity: node.isServer ? .error : .warning)
    }
  }
}

// MARK: - Releases

extension UpgradeStatusReading {
  /// Kubelets may be three minor releases older than the servers, and never newer.
  private var skew: [Diagnostic] {
    let servers = rollout.nodes(.server).compactMap(\.version)
    guard let oldest = servers.min() else { return [] }
    return rollout.nodes(.agent).compactMap { node in
      guard let version = node.version else { return nil }
      if (version.major, version.minor) > (oldest.major, oldest.minor) {
        return Diagnostic(
          "\(node.name) runs \(version), newer than a server, which runs \(oldest)",
          reason: "an agent may never be newer than its servers",
          remedy: "bring the servers to \(version) at least")
      }
      guard version.minor + 3 < oldest.minor else { return nil }
      return Diagnostic(
        "\(node.name) runs \(version), too old for servers with \(oldest)",
        reason: "a kubelet may be three minor releases behind at most",
        remedy: "drain it, run k3s-agent-uninstall.sh there and delete its node; it joins anew")
    }
  }
}

extension K3sRoleOfNode {
  /// Servers come first everywhere.
  static let inOrder: [K3sRoleOfNode] = [.server, .agent]
}
