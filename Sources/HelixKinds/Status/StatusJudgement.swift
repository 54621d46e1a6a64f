import HelixModel

/// What of a cluster is wrong (errors: it is not healthy) or odd (warnings), and what to do about it.
struct StatusJudgement {
  /// Restarts by systemd that are more than a slow beginning.
  static let manyRestarts = 3

  let reading: StatusReading
  let report: StatusReport

  init(_ reading: StatusReading, _ report: StatusReport) {
    self.reading = reading
    self.report = report
  }

  /// Errors first; causes before what comes of them.
  var problems: [Diagnostic] {
    let all = standing + report.nodes.flatMap(of) + votes + reach + unread
    return all.filter { $0.severity == .error } + all.filter { $0.severity != .error }
  }

  /// What hosts said that makes no sense, but for what makes them count as silent.
  private var unread: [Diagnostic] {
    let told = Set(reading.silent.values)
    return reading.unread.filter { !told.contains($0) }.map(\.asWarning)
  }
}

// MARK: - The whole

extension StatusJudgement {
  private var standing: [Diagnostic] {
    switch reading.survey?.standing {
    case .living: []
    case .new:
      [
        Diagnostic(
          "there is no cluster yet", reason: "no server holds or serves one",
          remedy: "helix-infra plan, then helix-infra apply")
      ]
    case .asleep:
      [
        Diagnostic(
          "no server answers for the cluster",
          reason: "it is on their disks, and no API answers with a majority of etcd behind it",
          remedy: "start k3s where it does not run, as helix-infra apply does; else see its journal"
        )
      ]
    case .unseen where reading.cluster.servers.allSatisfy { reading.silent[$0.host] != nil }: []
    case .unseen:
      [
        Diagnostic(
          "no server that answers knows of a cluster",
          reason: "\(silentServers) may hold it", remedy: "bring \(silentServers) back")
      ]
    case .unclear(let diagnostic): [diagnostic]
    case nil:
      [Diagnostic("what the servers say of the cluster makes no sense", reason: whyNoSurvey)]
    }
  }

  private var whyNoSurvey: String? { reading.unread.first?.summary }

  private var silentServers: String {
    reading.cluster.servers.map(\.host).filter { reading.silent[$0] != nil }
      .map(\.rawValue).joined(separator: ", ")
  }

  private var votes: [Diagnostic] {
    guard let etcd = report.etcd else { return [] }
    let counted = "\(etcd.well) of \(etcd.voters) voters \(etcd.well == 1 ? "is" : "are") well"
    if etcd.spare < 0 {
      return [
        Diagnostic(
          "etcd has no majority: \(counted)", reason: "nothing can be written without one",
          remedy: "start the servers that are down; reset nothing before all else has failed")
      ]
    }
    if etcd.voters >= 3, etcd.spare == 0 {
      return [
        Diagnostic(
          "no voter may stop: \(counted)", reason: "one less, and etcd loses its majority",
          remedy: "bring the others back before anything else is done to a server")
      ]
    }
    guard etcd.voters == 2, reading.cluster.servers.count == 2 else { return [] }
    return [
      Diagnostic(
        "two voters bear no loss", reason: "the majority of two is two",
        remedy: "have one server or three", severity: .warning)
    ]
  }

  private var reach: [Diagnostic] {
    endpoint + pods + plans + versions + ownClock
  }

  private var endpoint: [Diagnostic] {
    guard let endpoint = report.endpoint, endpoint.answers == false else { return [] }
    return [
      Diagnostic(
        "the cluster does not answer at its endpoint \(endpoint.address)",
        reason: "servers answer at their own addresses, and users and new agents ask there",
        remedy: "see to the virtual IP, the DNS name or the load balancer")
    ]
  }

  private var pods: [Diagnostic] {
    let bad = (report.pods?.first ?? []).filter { $0.namespace == "kube-system" && !$0.isYoung }
    guard let first = bad.first else { return [] }
    return [
      Diagnostic(
        "\(count(bad.count, "pod")) of kube-system \(bad.count == 1 ? "is" : "are") not ready",
        reason: bad.prefix(3).map { "\($0.name) \($0.reason)" }.joined(separator: ", "),
        remedy:
          "helix-infra exec \(speaker) -- k3s kubectl -n kube-system describe pod \(first.name)")
    ]
  }

  private var speaker: String {
    (reading.survey?.living ?? reading.cluster.servers).first?.host.rawValue ?? "SERVER"
  }

  private var plans: [Diagnostic] {
    report.upgradePlans.compactMap { plan in
      plan.complaint.map { complaint in
        Diagnostic(
          "UpgradePlan \(plan.namespace)/\(plan.name) does not know its release",
          reason: complaint, remedy: "helix-infra upgrade status", severity: .warning)
      }
    }
  }

  private var versions: [Diagnostic] {
    let others = report.nodes.filter { $0.version != nil && $0.version != report.release }
    guard !others.isEmpty else { return [] }
    let told = others.prefix(5).map { "\($0.name) \($0.version ?? "")" }.joined(separator: ", ")
    let rest = others.count > 5 ? " and \(others.count - 5) more" : ""
    return [
      Diagnostic(
        "\(count(others.count, "node")) \(others.count == 1 ? "does" : "do") not run \(report.release)",
        reason: told + rest, remedy: "helix-infra plan says what would be done", severity: .warning)
    ]
  }

  private var ownClock: [Diagnostic] {
    guard let common = report.clockReference else { return [] }
    return [
      Diagnostic(
        "the clock here is \(abs(common)) s \(common > 0 ? "behind" : "ahead of") the hosts'",
        reason: "they agree with each other", remedy: "set the clock of this machine",
        severity: .warning)
    ]
  }

  private func count(_ number: Int, _ word: String) -> String {
    "\(number) \(word)\(number == 1 ? "" : "s")"
  }
}

// MARK: - A node

extension StatusJudgement {
  private func of(_ node: StatusReport.Node) -> [Diagnostic] {
    if let silence = node.unreachable {
      // An agent that the cluster hears is well; only we do not reach it. Where the cluster itself is
      // not heard, that is the trouble.
      let isHeard = node.ready ?? (report.standing != .living)
      return [node.role == .agent && isHeard ? silence.asWarning : silence]
    }
    return (life(node) + health(node) + oddities(node)).map { problem in
      var placed = problem
      placed.place = problem.place ?? place(node)
      return placed
    }
  }

  /// Whether it takes part; one problem at most, since the others would come of it.
  private func life(_ node: StatusReport.Node) -> [Diagnostic] {
    guard report.standing != .new else { return [] }
    if let service = node.service, service.state != "active" { return [stopped(node, service)] }
    if report.standing == .living, node.ready == nil {
      return [
        Diagnostic(
          "\(node.name) is no node of the cluster", reason: "the API does not list it",
          remedy: "helix-infra plan says what it needs")
      ]
    }
    if let problem = vote(node) ?? api(node) { return [problem] }
    guard node.ready == false else { return [] }
    return [
      Diagnostic(
        "node \(node.name) is not ready", reason: node.reason,
        remedy: node.declared
          ? "helix-infra exec \(node.name) -- journalctl -u \(node.service?.unit ?? "k3s") -n 50"
          : "k3s kubectl describe node \(node.name), or delete it if it is gone for good")
    ]
  }

  private func stopped(
    _ node: StatusReport.Node, _ service: StatusReport.Service
  ) -> Diagnostic {
    if service.state == "activating" {
      return Diagnostic(
        "k3s is starting on \(node.name)", reason: "it is ready only when it has found its cluster",
        remedy:
          "wait a minute; helix-infra exec \(node.name) -- journalctl -u \(service.unit) -n 50")
    }
    if node.installed == nil {
      return Diagnostic(
        "\(node.name) has no k3s", reason: "the inventory makes it one of the cluster's hosts",
        remedy: "helix-infra plan, then helix-infra apply")
    }
    return Diagnostic(
      "k3s does not run on \(node.name)",
      reason: "systemd says that \(service.unit) is \(service.state)",
      remedy: "helix-infra exec \(node.name) -- journalctl -u \(service.unit) -n 50")
  }

  private func vote(_ node: StatusReport.Node) -> Diagnostic? {
    if let etcd = node.etcd, etcd.part == .learner {
      return Diagnostic(
        "\(node.name) does not vote yet", reason: "its etcd is a learner until it has caught up",
        remedy: "wait; its journal says when it cannot")
    }
    if let etcd = node.etcd, !etcd.healthy {
      return Diagnostic(
        "etcd on \(node.name) is not well",
        reason: etcd.part == nil
          ? "it does not answer on 127.0.0.1:2381" : "it cannot read through a leader",
        remedy: "see that most servers run and reach each other on 2379-2380/tcp")
    }
    guard node.role == .server, report.etcd != nil, let live = reading.liveNodes[node.name],
      live.isVoter != true
    else { return nil }
    return Diagnostic(
      "\(node.name) does not vote", reason: "the cluster lists it as no voter of etcd",
      remedy: "helix-infra exec \(node.name) -- journalctl -u k3s -n 50")
  }

  private func api(_ node: StatusReport.Node) -> Diagnostic? {
    guard node.declared, node.role == .server,
      let server = reading.cluster.servers.first(where: { $0.nodeName == node.name })
    else { return nil }
    switch reading.hosts[server.host]?.voice?.readiness {
    case .failing(let checks):
      return Diagnostic(
        "the API on \(node.name) is not ready",
        reason: "it says of itself: \(checks.joined(separator: ", "))",
        remedy: "helix-infra exec \(node.name) -- journalctl -u k3s -n 50")
    case .silent:
      return Diagnostic(
        "the API on \(node.name) does not answer",
        reason: "k3s runs there, and /readyz does not say ok",
        remedy: "helix-infra exec \(node.name) -- journalctl -u k3s -n 50")
    case .ready, .absent, nil: return nil
    }
  }

  private func place(_ node: StatusReport.Node) -> Diagnostic.Place? {
    let members = reading.cluster.servers + reading.cluster.agents
    return members.first { $0.nodeName == node.name }.map { .host($0.host, address: $0.address) }
  }
}

extension Diagnostic {
  fileprivate var asWarning: Diagnostic {
    var warning = self
    warning.severity = .warning
    return warning
  }
}
