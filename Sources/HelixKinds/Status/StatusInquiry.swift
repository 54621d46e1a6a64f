package import HelixModel
package import HelixPlan

/// What has to be asked to know how a cluster is, and the reading of the answers.
package struct StatusInquiry: Sendable {
  let cluster: K3sCluster
  /// The hosts that are told of; servers are asked in any case.
  let shown: Set<HostName>

  /// - Throws: everything in the declaration that cannot be a cluster.
  package init(
    _ spec: ClusterSpec, inventory: Inventory, shown: [HostName]
  ) throws(Diagnostics) {
    cluster = try K3sCluster(spec, inventory: inventory, managed: [])
    self.shown = Set(shown)
  }

  /// The requests to each host.
  package var questions: [HostName: [FactRequest]] {
    var questions: [HostName: [FactRequest]] = [:]
    for agent in cluster.agents where shown.contains(agent.host) {
      questions[agent.host] = Self.ofEveryHost
    }
    for server in cluster.servers { questions[server.host] = Self.ofEveryHost + ofServers }
    return questions
  }

  // The clock first: what takes its time before it would pass for an offset.
  private static let ofEveryHost = [
    ClockReading.fact.request, NodeState.fact.request, InstalledBinary.fact.request,
    HostVitals.fact.request, CertificateEnds.fact.request,
  ]

  private var ofServers: [FactRequest] {
    [
      EtcdMetrics.fact.request, cluster.facts.served.request, NodeList.fact.request,
      ClusterVoice.fact.request, LockReading.fact.request,
    ]
  }

  /// How the cluster is by what its hosts answered at a time in seconds since 1970.
  ///
  /// `hasEnded` tells whether a run's process is known to have ended, which only its own machine can.
  package func report(
    _ observation: Observation, now: Int,
    hasEnded: (LockHolder) -> Bool = { _ in false }
  ) -> StatusReport {
    let reading = StatusReading(self, observation)
    var report = reading.report(now: now)
    report.lock = reading.lock(hasEnded)
    report.problems = StatusJudgement(reading, report).problems
    let hidden = Set(cluster.servers.filter { !shown.contains($0.host) }.map(\.nodeName))
    report.nodes.removeAll { hidden.contains($0.name) }
    return report
  }
}
