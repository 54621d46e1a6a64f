import HelixModel
import HelixPlan

/// k3s enabled and running with the files that are there, its node taking part in the cluster.
struct K3sService: K3sResource {
  static let kind = "k3s-service"
  let node: K3sNode

  /// The resources whose changes a running k3s takes up only by a restart.
  var parts: [any K3sResource] {
    [
      K3sArtifact(node: node), K3sToken(node: node), K3sConfig(node: node), K3sUnit(node: node),
    ] + (node.cluster.registries == nil ? [] : [K3sRegistries(node: node)])
  }

  var after: [Address] {
    parts.map(\.address) + [node.address(K3sMember.kind)]
  }

  var ownQuestions: [Question] {
    parts.flatMap(\.ownQuestions)
      + (firstServer.map { [Question(MachineFacts.fact, on: $0)] } ?? [])
  }

  /// The server that begins the cluster, for the one that joins it first.
  private var firstServer: HostName? {
    let servers = node.cluster.managedServers
    guard servers.count > 1, servers[1].host == node.host else { return nil }
    return servers[0].host
  }

  func artifacts(_ sight: inout Sight) -> [ArtifactReference] {
    K3sArtifact(node: node).artifacts(&sight)
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let changing = try changingParts(&sight)
    return try node.judge(&sight) { (sight, view) throws(Diagnostic) in
      let binary = try sight.read(InstalledBinary.fact, on: self.node.host)
      let trial = binary?.wayBack == nil ? nil : binary?.version
      guard let need = ServiceNeed(self.node, view, changing: changing, onTrial: trial) else {
        return .unchanged(reason: "runs, and takes part in the cluster")
      }
      if let why = self.leapAsleep(view) { return .heldBack(why) }
      if need.isRestart, let why = view.survey.jobAtWork(on: self.node) { return .heldBack(why) }
      var first: MachineFacts?
      if view.entry.joinPoint?.identity == .learned, let server = self.firstServer {
        first = try sight.read(MachineFacts.fact, on: server)
      }
      return .change(self.work(need, view, first, onTrial: trial))
    }
  }

  /// The words of the parts that this plan changes; asking them keeps both of one mind.
  private func changingParts(_ sight: inout Sight) throws(Diagnostic) -> [String] {
    var changing: [String] = []
    for part in parts {
      guard case .change(let work) = try part.verdict(&sight) else { continue }
      guard work.steps.contains(where: { $0.id.name != tidyStep }) else { continue }
      let word = part.address.kind.dropFirst("k3s-".count)
      changing.append("the \(word) change\(word.hasSuffix("s") ? "" : "s")")
    }
    return changing
  }

  private func waitsForService(_ view: NodeView) -> TurnWaits {
    let waits = view.survey.waitsForService(of: node, view.entry)
    return view.release == nil ? waits : waits + view.survey.waitsForTurn(of: node, in: view.round)
  }

  /// Why k3s must not take up a file of another release now: nobody answers for the cluster.
  private func leapAsleep(_ view: NodeView) -> Diagnostic? {
    guard let release = view.release, view.survey.isAsleep,
      view.state.newerFiles.contains(K3sPaths.binary)
    else { return nil }
    return Diagnostic(
      "\(node.host) would come to \(release.to) while no server of \(node.cluster.name) answers",
      reason: "a run that was cut short put it there, and k3s still runs with \(release.from)",
      remedy: "bring the servers back, then apply again; or restart \(node.role.service) yourself",
      at: .host(node.host, address: node.member.address))
  }

  private func work(
    _ need: ServiceNeed, _ view: NodeView, _ first: MachineFacts?, onTrial: K3sVersion?
  ) -> Work {
    let steps = ServiceSteps(
      service: self, need: need, view: view, first: first,
      onTrial: view.release?.to ?? onTrial)
    let waits = need.startsQuietly ? TurnWaits() : waitsForService(view)
    return Work(
      need.action, fields: [need.field], reason: need.reason,
      disruption: need.isRestart ? view.survey.restartWords(node) : nil,
      after: waits.after, behind: waits.behind,
      steps: steps.all)
  }
}

/// What k3s on a node needs so that it runs as it should.
struct ServiceNeed {
  enum Sort {
    /// It has never run here.
    case start
    /// A member that is stopped.
    case resume
    /// It runs with files that are changed, or are about to be.
    case restart
    /// It runs, and is not yet what it should be in the cluster.
    case wait
  }

  let sort: Sort
  let reason: String
  let field: FieldChange

  private init(_ sort: Sort, _ reason: String, _ field: FieldChange) {
    self.sort = sort
    self.reason = reason
    self.field = field
  }

  /// Nil when nothing is needed.
  init?(_ node: K3sNode, _ view: NodeView, changing: [String], onTrial: K3sVersion?) {
    let unit = view.state.unit(node.role)
    if unit.isActive || unit.isStarting {
      // Without registries in cluster.yaml the file is somebody else's, and so is its restart.
      let newer = view.state.newerFiles
        .filter { $0 != K3sPaths.registries || node.cluster.registries != nil }
        .map { "\($0) is newer than the process" }
      var reasons = changing + newer
      if let onTrial, reasons.isEmpty, view.release != nil {
        reasons = ["\(onTrial) came by a run that was cut short, and is not well"]
      }
      if !reasons.isEmpty {
        self = Self.restart(reasons)
      } else if let lack = Self.lack(unit, node, view) {
        self.init(.wait, lack, FieldChange("node", before: "not ready", after: "ready"))
      } else if let onTrial {
        self.init(
          .wait, "a run was cut short before it saw \(onTrial) well",
          FieldChange("release", before: "on trial", after: "seen well"))
      } else {
        return nil
      }
    } else {
      let field = FieldChange("state", before: unit.activity, after: "active")
      self.init(
        view.entry.isMember ? .resume : .start, Self.whyStart(unit, node, view), field)
    }
  }

  private static func restart(_ reasons: [String]) -> ServiceNeed {
    ServiceNeed(
      .restart, reasons.joined(separator: "; "),
      FieldChange("process", before: "runs with what was there", after: "restarted"))
  }

  private static func whyStart(
    _ unit: NodeState.Unit, _ node: K3sNode, _ view: NodeView
  ) -> String {
    switch view.entry {
    case .initialise: "no server holds a cluster, so this one begins it"
    case .join(let point): "joins through \(point.server)"
    case .member:
      "a member of the cluster, and \(node.role.service) is \(unit.activity)"
        + (view.survey.living.isEmpty ? "; no server answers, so members are only started" : "")
    }
  }

  /// What a running node lacks.
  private static func lack(
    _ unit: NodeState.Unit, _ node: K3sNode, _ view: NodeView
  ) -> String? {
    if unit.isStarting { return "\(node.role.service) is still starting" }
    if !unit.isEnabled {
      return "\(node.role.service) is not enabled, so it would not survive a reboot"
    }
    if view.state.etcdIsLearner { return "its etcd is not a voter yet" }
    if node.role == .server, view.survey.living.first(where: { $0.host == node.host }) == nil {
      return "k3s runs, and its API or etcd does not answer"
    }
    guard !view.survey.living.isEmpty else { return nil }
    guard let live = view.survey.nodes[node.name] else { return "the cluster has no such node yet" }
    if live.isVoter == false { return "its etcd is not a voter yet" }
    return live.isReady || !node.cluster.bringsNetwork ? nil : "its node is not ready"
  }

  var isRestart: Bool { if case .restart = sort { true } else { false } }

  /// A stopped member only adds to the majority: it waits for nobody, or a cluster without a
  /// quorum could not come back.
  var startsQuietly: Bool {
    switch sort {
    case .resume: true
    case .start, .restart, .wait: false
    }
  }

  var action: Action {
    switch sort {
    case .start: .create
    case .resume, .restart, .wait: .update
    }
  }
}
