import HelixModel
import HelixPlan

/// What is wrong with UpgradePlans before they do harm: ours as they would be, others as they are.
struct UpgradeLints {
  let rollout: UpgradeRollout
  /// What k3s-upgrade would find on nodes, by their names, as far as that was asked.
  let processes: [String: K3sProcesses]

  init(_ rollout: UpgradeRollout, processes: [String: K3sProcesses] = [:]) {
    self.rollout = rollout
    self.processes = processes
  }

  /// What makes an upgrade of a role unsafe.
  func errors(_ role: K3sRoleOfNode) -> [Diagnostic] {
    let others = (namesakes(role) + strangers(role)).filter { $0.severity == .error }
    return untolerated(role) + tooMany(role) + others + misnamed(role) + hidden(role)
      + olderInTime(role)
  }

  private func olderInTime(_ role: K3sRoleOfNode) -> [Diagnostic] {
    guard rollout.spec.channel == nil else { return [] }
    let node = rollout.pending(role).first { node in
      node.version.map { KnownReleases.isOlderInTime(rollout.hop, than: $0) } ?? false
    }
    return node.map { [older(rollout.hop, than: $0)] } ?? []
  }

  private func older(_ hop: K3sVersion, than node: UpgradeNode) -> Diagnostic {
    Diagnostic(
      "\(hop) is older in time than \(node.version?.description ?? "what runs") on \(node.name)",
      reason: "k3s-upgrade refuses a release whose build month is before that of the running one",
      remedy: "take \(KnownReleases.words(forMinor: hop.minor, major: hop.major)), which is newer",
      at: rollout.cluster.version.location)
  }

  /// What is worth knowing.
  var warnings: [Diagnostic] {
    let ofRoles = K3sRoleOfNode.inOrder.flatMap { role in
      namesakes(role) + strangers(role) + elsewhere(role)
    }
    return ofRoles.filter { $0.severity == .warning } + pairs + foreign.flatMap(oddities)
  }

  var foreign: [LiveUpgradePlan] { rollout.view.plans.filter { !$0.isOurs } }
}

// MARK: - Ours

extension UpgradeLints {
  /// Jobs do not come onto a node whose taint nothing tolerates.
  private func untolerated(_ role: K3sRoleOfNode) -> [Diagnostic] {
    let wanted = rollout.wanted(role)
    guard let written = wanted.spec.tolerations else { return [] }
    return rollout.nodes(role).compactMap { node in
      let missing = node.taints.first { taint in
        !taint.isPassing && taint.effect != "PreferNoSchedule"
          && !written.contains { taint.isTolerated(by: $0) }
      }
      return missing.map { taint in
        Diagnostic(
          "\(wanted.name) does not tolerate \(taint.words) of \(node.name)",
          reason: "its jobs would wait for ever to come onto the node",
          remedy: "take tolerations out, then they follow the nodes, or add { key: \(taint.key),"
            + " operator: Exists, effect: \(taint.effect) }",
          at: written.first?.location ?? wanted.spec.location)
      }
    }
  }

  private func tooMany(_ role: K3sRoleOfNode) -> [Diagnostic] {
    let spec = rollout.wanted(role).spec
    let voters = rollout.nodes(.server).count { $0.isVoter == true }
    guard role == .server, voters > 0 else { return [] }
    let spare = max(1, voters - (voters / 2 + 1))
    guard spec.concurrency > spare else { return [] }
    return [
      Diagnostic(
        "\(spec.concurrency) servers at once would stop the cluster",
        reason: "of \(voters) voters \(voters / 2 + 1) are needed",
        remedy: "write concurrency: \(spare)", at: spec.location)
    ]
  }

  /// The controller compares the names of nodes with their hostname labels, and deletes jobs that
  /// it then takes for others'.
  private func misnamed(_ role: K3sRoleOfNode) -> [Diagnostic] {
    rollout.pending(role).compactMap { node in
      let label = node.labels[NodeLabels.hostname]
      guard label != node.name else { return nil }
      return Diagnostic(
        "\(node.name) has the hostname label \(label.map { "\"\($0)\"" } ?? "of nobody")",
        reason: "the controller looks for jobs of \(node.name) under that name, and deletes them",
        remedy: "kubectl label node \(node.name) --overwrite \(NodeLabels.hostname)=\(node.name)",
        at: .resource(UpgradePlanResource.address(role)))
    }
  }
}

// MARK: - Others'

extension UpgradeLints {
  /// UpgradePlans of others that select nodes of a role.
  private func strangers(_ role: K3sRoleOfNode) -> [Diagnostic] {
    foreign.compactMap { plan in
      let nodes = rollout.nodes(role).filter { plan.selects($0) }
      guard !nodes.isEmpty else { return nil }
      let isUpgrade = plan.image.contains("k3s-upgrade")
      let names = nodes.map(\.name).joined(separator: ", ")
      let isUnsafe = isUpgrade && !rollout.pending(role).isEmpty
      return Diagnostic(
        "the UpgradePlan \(plan.namespace)/\(plan.name) works on \(names) too",
        reason: isUpgrade
          ? "it brings them to \(plan.wants), whenever it likes and several servers at once"
          : "its jobs and those of an upgrade may meet on a node",
        remedy: isUpgrade
          ? "delete it when the upgrade is ours to do: kubectl -n \(plan.namespace) delete plan"
            + " \(plan.name)"
          : "make both exclusive: exclusive: true in upgrade.plans",
        at: .resource(UpgradePlanResource.address(role)),
        severity: isUnsafe ? .error : .warning)
    }
  }

  /// What UpgradePlans that others wrote get wrong.
  private func oddities(_ plan: LiveUpgradePlan) -> [Diagnostic] {
    var found: [(String, String, String)] = []
    if plan.expressions.contains(where: { $0.key == NodeLabels.legacyControlPlane }) {
      found.append(
        (
          "selects by \(NodeLabels.legacyControlPlane)", "new releases do not set that label",
          "select by \(NodeLabels.controlPlane)"
        ))
    }
    if let drain = plan.spec["drain"]?.mapping, drain["timeout"] == nil {
      found.append(
        (
          "drains without a timeout", "a pod that cannot go holds the upgrade for ever",
          "add timeout to drain"
        ))
    }
    if plan.image.contains("k3s-upgrade"), plan.selectsAgents, plan.spec["prepare"] == nil {
      found.append(
        (
          "upgrades agents without prepare", "they may become newer than their servers",
          "add prepare with the servers' UpgradePlan"
        ))
    }
    return found.map { what, why, fix in
      Diagnostic(
        "the UpgradePlan \(plan.namespace)/\(plan.name) \(what)", reason: why, remedy: fix,
        severity: .warning)
    }
  }
}

extension LiveUpgradePlan {
  struct Expression {
    var key: String
    var sort: String
    var values: [String]
  }

  var image: String { spec["upgrade"]?.mapping?["image"]?.text ?? "" }

  var wants: String {
    spec["version"]?.text ?? spec["channel"]?.text ?? "some release"
  }

  var expressions: [Expression] {
    let selector = spec["nodeSelector"]?.mapping
    let labels = (selector?["matchLabels"]?.mapping?.entries ?? []).map {
      Expression(key: $0.key, sort: "In", values: [$0.value.scalarText ?? ""])
    }
    let others = (selector?["matchExpressions"]?.list ?? []).compactMap { node -> Expression? in
      guard let fields = node.mapping, let key = fields["key"]?.text else { return nil }
      return Expression(
        key: key, sort: fields["operator"]?.text ?? "In",
        values: (fields["values"]?.list ?? []).compactMap(\.scalarText))
    }
    return labels + others
  }

  var selectsAgents: Bool {
    expressions.contains {
      $0.key == NodeLabels.controlPlane && ["DoesNotExist", "NotIn"].contains($0.sort)
    }
  }

  /// Whether its selector takes a node; one without a selector takes all.
  func selects(_ node: UpgradeNode) -> Bool {
    guard node.label(of: name) != NodeLabels.disabled else { return false }
    return expressions.allSatisfy { expression in
      let value = node.labels[expression.key]
      return switch expression.sort {
      case "In": value.map(expression.values.contains) ?? false
      case "NotIn": value.map { !expression.values.contains($0) } ?? true
      case "Exists": value != nil
      case "DoesNotExist": value == nil
      default: true
      }
    }
  }
}
