import HelixModel
import HelixPlan

/// What this run makes of nodes and UpgradePlans, worked out from what a living server says.
struct UpgradeRollout: Sendable {
  let cluster: K3sCluster
  let spec: UpgradeSpec
  let release: ControllerRelease?
  let view: UpgradeView
  let next: UpgradeLadder.Next
  /// Why nodes cannot be drained now that a job would have to drain, by name.
  private let blocks: [String: Diagnostic]

  /// What the server tells through which the cluster is told; nil when it does not answer in time.
  static func read(
    _ door: ClusterDoor, _ spec: UpgradeSpec, _ release: ControllerRelease?, on host: HostName,
    _ sight: inout Sight
  ) throws(Diagnostic) -> UpgradeRollout? {
    guard let view = try sight.read(UpgradeView.fact, on: host) else { return nil }
    let evictions = spec.mindsBudgets ? try sight.read(EvictionView.fact, on: host) : nil
    return UpgradeRollout(door.cluster, spec, release, view, evictions)
  }

  init(
    _ cluster: K3sCluster, _ spec: UpgradeSpec, _ release: ControllerRelease?, _ view: UpgradeView,
    _ evictions: EvictionView? = nil
  ) {
    blocks = Self.blocks(cluster, spec, view, evictions)
    self.cluster = cluster
    self.spec = spec
    self.release = release
    self.view = view
    next = Self.next(cluster, spec, view)
  }

  private static func next(
    _ cluster: K3sCluster, _ spec: UpgradeSpec, _ view: UpgradeView
  ) -> UpgradeLadder.Next {
    let rungs = { (nodes: [UpgradeNode]) in
      nodes.compactMap { node in node.version.map { UpgradeLadder.Rung(node.name, $0) } }
    }
    let servers = rungs(view.nodes.filter(\.isServer))
    let agents = rungs(view.nodes.filter { !$0.isServer })
    guard let channel = spec.channel else {
      return UpgradeLadder.next(
        servers: servers, agents: agents, wanted: cluster.version,
        by: .inventory(through: spec.through))
    }
    // Which release a channel leads to is known when the controller has asked it.
    guard let release = release(of: channel.value, view).flatMap(K3sVersion.init(imageTag:)),
      case .refused(let why) = UpgradeLadder.next(
        servers: servers, agents: agents, wanted: Located(release, at: channel.location),
        by: .channel)
    else { return .arrived }
    return .refused(why)
  }

  /// The release that this run brings nodes to.
  var hop: K3sVersion { if case .hop(let hop) = next { hop.to } else { cluster.version.value } }

  var target: UpgradePlanObject.Target {
    spec.channel.map { .channel($0.value) } ?? .release(hop)
  }

  /// What kubelets should report, in an image tag's spelling; nil before a channel was asked.
  var wantedTag: String? {
    guard let channel = spec.channel else { return hop.imageTag }
    return Self.release(of: channel.value, view)
  }

  /// Where a channel leads, as an image tag; nil before the controller has asked it.
  private static func release(of channel: String, _ view: UpgradeView) -> String? {
    guard let live = view.plan(UpgradePlanObject.serversName), live.hasAsked(channel)
    else { return nil }
    return live.latestVersion
  }

  /// What the UpgradePlan of a role should be.
  func wanted(_ role: K3sRoleOfNode) -> UpgradePlanObject {
    Self.wanted(role, cluster, spec, release, target, nodes(role).flatMap(\.taints))
  }

  /// What it should be of a cluster that nobody has seen yet.
  static func wanted(
    _ role: K3sRoleOfNode, _ cluster: K3sCluster, _ spec: UpgradeSpec,
    _ release: ControllerRelease?,
    _ target: UpgradePlanObject.Target, _ taints: [NodeTaint] = []
  ) -> UpgradePlanObject {
    let settings = role == .server ? cluster.serverSettings : cluster.agentSettings
    let configured = (settings["node-taint"]?.texts ?? []).compactMap { NodeTaint(flag: $0) }
    return UpgradePlanObject(
      role: role, target: target, spec: role == .server ? spec.servers : spec.agents,
      registry: spec.controller.registry?.value, release: release,
      taints: Array(Set(taints + configured)).sorted())
  }
}

// MARK: - Nodes

extension UpgradeRollout {
  /// The nodes of a role: servers in inventory order, others by name behind them.
  func nodes(_ role: K3sRoleOfNode) -> [UpgradeNode] {
    let order = (role == .server ? cluster.servers : cluster.agents).map(\.nodeName)
    let places = Dictionary(
      order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    return view.nodes.filter { $0.isServer == (role == .server) }
      .sorted { (places[$0.name] ?? .max, $0.name) < (places[$1.name] ?? .max, $1.name) }
  }

  /// Nodes that do not run what they should, whoever keeps them from it.
  func behind(_ role: K3sRoleOfNode) -> [UpgradeNode] {
    nodes(role).filter { $0.version?.imageTag != wantedTag || wantedTag == nil }
  }

  /// Nodes that this run brings to the release; a server that is under way goes first.
  func pending(_ role: K3sRoleOfNode) -> [UpgradeNode] {
    let blocked = Set(blocked(role))
    let mine = behind(role).filter {
      !isKeptByOthers($0) && !($0.isOff && role == .agent) && !blocked.contains($0)
    }
    return mine.filter(isUnderWay) + mine.filter { !isUnderWay($0) }
  }

  /// Whether the controller is about to upgrade a node, or does.
  func isUnderWay(_ node: UpgradeNode) -> Bool {
    let name = UpgradePlanObject.name(node.isServer ? .server : .agent)
    let applying = view.plan(name)?.applying ?? []
    return applying.contains(node.labels[NodeLabels.hostname] ?? node.name)
      && node.label(of: name) != NodeLabels.disabled
  }

  /// Whether somebody else has set the label that leaves a node out.
  func isKeptByOthers(_ node: UpgradeNode) -> Bool {
    let name = UpgradePlanObject.name(node.isServer ? .server : .agent)
    return node.label(of: name) == NodeLabels.disabled && node.heldPlan != name
  }

  /// Nodes that somebody else leaves out and that are behind.
  func keptByOthers(_ role: K3sRoleOfNode) -> [UpgradeNode] {
    behind(role).filter(isKeptByOthers)
  }

  /// Nodes that a disruption budget does not let this run drain; one whose job lives is drained
  /// already.
  func blocked(_ role: K3sRoleOfNode) -> [UpgradeNode] {
    guard !blocks.isEmpty else { return [] }
    let living = Set(
      view.jobs(of: UpgradePlanObject.name(role)).filter(\.isUnfinished).map(\.node))
    return behind(role).filter { node in
      blocks[node.name] != nil && !living.contains(node.name) && !isKeptByOthers(node)
        && !node.isOff
    }
  }

  /// Why a node cannot be drained now.
  func block(on node: UpgradeNode) -> Diagnostic? { blocks[node.name] }

  private static func blocks(
    _ cluster: K3sCluster, _ spec: UpgradeSpec, _ view: UpgradeView, _ evictions: EvictionView?
  ) -> [String: Diagnostic] {
    var blocks: [String: Diagnostic] = [:]
    for node in view.nodes {
      let member = (cluster.servers + cluster.agents).first { $0.nodeName == node.name }
      let role: K3sRoleOfNode = node.isServer ? .server : .agent
      blocks[node.name] = NodeDrain.obstacle(
        to: node.isServer ? spec.servers.drain : spec.agents.drain, of: node.name, evictions,
        at: member.map { .host($0.host, address: $0.address) }
          ?? .resource(UpgradePlanResource.address(role)))
    }
    return blocks
  }

  /// Agents that are off and behind.
  var absent: [UpgradeNode] { behind(.agent).filter { $0.isOff && !isKeptByOthers($0) } }

  /// Nodes that we hold though there is no reason any more.
  func leftHeld(_ role: K3sRoleOfNode) -> [UpgradeNode] {
    let name = UpgradePlanObject.name(role)
    let behind = Set(behind(role).map(\.name))
    return nodes(role).filter { $0.heldPlan == name && !behind.contains($0.name) }
  }

  /// Pending nodes that an operator has cordoned: the controller would uncordon them.
  func cordonedByOthers(_ role: K3sRoleOfNode) -> [UpgradeNode] {
    wanted(role).uncordons ? pending(role).filter(isCordonedByOthers) : []
  }

  /// Whether somebody else has cordoned a node, as far as it is noted.
  ///
  /// A job may be gone long before the cordon that it has left.
  func isCordonedByOthers(_ node: UpgradeNode) -> Bool {
    switch node.before {
    case .cordoned: return true
    case .open: return false
    case nil: break
    }
    let name = UpgradePlanObject.name(node.isServer ? .server : .agent)
    let isTouched =
      isUnderWay(node)
      || view.jobs(of: name).contains { $0.node == node.name && $0.state != .complete }
    let isNoted =
      !node.isServer && node.heldPlan != name && view.plan(name)?.noted == target.words
    return node.isCordoned && node.cordonedFor == nil && !isTouched && !isNoted
  }

  /// Nodes at their release whose note nobody has taken off.
  func leftNoted(_ role: K3sRoleOfNode) -> [UpgradeNode] {
    let behind = Set(behind(role).map(\.name))
    return nodes(role).filter { $0.before != nil && !behind.contains($0.name) }
  }

  /// Nodes at their release whose job is on the way to another one, which is given up.
  func givenUp(_ role: K3sRoleOfNode) -> [UpgradeNode] {
    guard let tag = wantedTag, spec.channel == nil else { return [] }
    let behind = Set(behind(role).map(\.name))
    let strays = Set(
      view.jobs(of: UpgradePlanObject.name(role))
        .filter { $0.state != .complete && $0.version != tag }.map(\.node))
    return nodes(role).filter {
      strays.contains($0.name) && !behind.contains($0.name) && !isKeptByOthers($0)
    }
  }

  /// Whether a job has cordoned a node and did not come to its end.
  func isLeftByJob(_ node: UpgradeNode) -> Bool {
    let name = UpgradePlanObject.name(node.isServer ? .server : .agent)
    let plan = view.plan(name)
    return node.before == .open && node.isCordoned && node.cordonedFor == nil
      && (node.label(of: name) != plan?.latestHash || plan?.latestVersion != wantedTag)
  }

  func failedJobs(_ role: K3sRoleOfNode) -> [UpgradeJob] {
    view.jobs(of: UpgradePlanObject.name(role)).filter { $0.state == .failed }
  }

  /// The host that a server's node is.
  func member(_ node: UpgradeNode) -> K3sCluster.Member? {
    cluster.servers.first { $0.nodeName == node.name }
  }
}

extension UpgradeSpec {
  /// Whether disruption budgets can hold up a job of ours.
  var mindsBudgets: Bool { [servers, agents].contains { $0.drain?.minds == true } }
}

extension K3sVersion {
  /// The release in the spelling of image tags, which cannot hold a `+`.
  var imageTag: String { description.map { $0 == "+" ? "-" : String($0) }.joined() }

  /// Nil when the tag is that of no k3s release.
  init?(imageTag tag: String) {
    guard let mark = tag.lastIndex(of: "-") else { return nil }
    self.init("\(tag[..<mark])+\(tag[tag.index(after: mark)...])")
  }
}
