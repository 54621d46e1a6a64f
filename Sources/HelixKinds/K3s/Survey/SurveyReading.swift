import HelixModel
import HelixPlan

/// Reads what the servers say and draws the conclusion; every reading ends in one standing.
struct SurveyReading {
  private let cluster: K3sCluster
  private var states: [HostName: NodeState] = [:]
  private var silent: [HostName: Diagnostic] = [:]
  private var lists: [HostName: NodeList] = [:]
  private var versions: [HostName: K3sVersion] = [:]
  /// What is served at each `address:port`, as far as anyone could tell.
  private var served: [String: Served] = [:]

  init(_ cluster: K3sCluster, _ sight: inout Sight) throws(Diagnostic) {
    self.cluster = cluster
    for server in cluster.servers {
      if let silence = sight.observation.silence(of: server.host) {
        silent[server.host] = silence
      } else {
        try read(server.host, &sight)
      }
    }
  }

  private mutating func read(_ host: HostName, _ sight: inout Sight) throws(Diagnostic) {
    states[host] = try sight.read(NodeState.fact, on: host)
    lists[host] = try sight.read(NodeList.fact, on: host)
    versions[host] = try sight.read(InstalledBinary.fact, on: host)?.version
    for (target, answer) in try sight.read(cluster.facts.served, on: host) {
      // One host that reaches a cluster is proof; hosts that do not are none.
      switch (served[target], answer) {
      case (.cluster, .nothing), (.cluster, .unknown), (.nothing, .unknown): break
      default: served[target] = answer
      }
    }
  }

  var survey: ClusterSurvey {
    let holders = cluster.servers.filter { states[$0.host]?.datastore != nil }
    let standing = standing(holders)
    var living: [K3sCluster.Member] = []
    var endpointServes = false
    if case .living(let ca) = standing {
      living = self.living(ca)
      endpointServes = cluster.endpoint.map { serves($0, ca) } ?? false
    }
    return ClusterSurvey(
      cluster: cluster, standing: standing, states: states, silent: silent, living: living,
      holders: holders, ledger: ledger,
      nodes: living.first.flatMap { lists[$0.host] }?.nodes ?? [:],
      endpointServes: endpointServes, versions: versions)
  }

  private var ledger: QuorumLedger {
    var ledger = QuorumLedger(seats: cluster.quorumGuard.seats)
    ledger.take(
      Dictionary(
        cluster.servers.compactMap { server in word(of: server).map { (server.host, $0) } },
        uniquingKeysWith: { first, _ in first }), at: .zero)
    return ledger
  }

  /// What a server would say if it were asked before a step.
  private func word(of server: K3sCluster.Member) -> QuorumWord? {
    guard let state = states[server.host] else { return nil }
    let etcd: QuorumWord.Etcd =
      state.etcdIsHealthy.map { $0 ? .healthy : .unhealthy } ?? .absent
    return QuorumWord(
      etcd: etcd, isLearner: state.etcdIsLearner,
      isReady: state.apiIsReady && state.unit(.server).isActive,
      voters: lists[server.host]?.nodes.filter { $0.value.isVoter == true }.mapValues(\.isReady),
      upgrading: Set(state.upgrading))
  }

  private func serves(_ address: String, _ ca: String) -> Bool {
    served[K3sCluster.authority(address, port: cluster.apiPort)] == .cluster(ca: ca)
  }

  /// Servers of a cluster that answer with a quorum behind them.
  private func living(_ ca: String) -> [K3sCluster.Member] {
    cluster.servers.filter { server in
      guard let state = states[server.host], lists[server.host] != nil else { return false }
      return state.serverCA == ca && state.etcdIsHealthy != false && !state.etcdIsLearner
    }
  }
}

// MARK: - The conclusion

extension SurveyReading {
  private func standing(_ holders: [K3sCluster.Member]) -> ClusterSurvey.Standing {
    let claims = claims
    if claims.count > 1 { return .unclear(manyClusters(claims)) }
    guard let ca = claims.keys.first else { return standingWithoutClaim(holders) }
    if !living(ca).isEmpty { return .living(ca: ca) }
    if !holders.isEmpty { return .asleep(ca: ca) }
    if let without = cluster.servers.first(where: { states[$0.host]?.serverCA == ca }) {
      if let unseen { return .unseen(unseen) }
      return .unclear(
        runs(without.host) ? stillStarting(without) : identityWithoutData(without, ca))
    }
    return .unclear(servedElsewhere(ca, by: claims[ca] ?? []))
  }

  /// Who says there is a cluster, by the hash of its CA; a CA on disk counts even without data.
  private var claims: [String: [String]] {
    var claims: [String: [String]] = [:]
    for server in cluster.servers {
      guard let ca = states[server.host]?.serverCA else { continue }
      claims[ca, default: []].append("\(server.host)")
    }
    for target in cluster.targets {
      guard case .cluster(let ca) = served[target] else { continue }
      claims[ca, default: []].append("https://\(target)")
    }
    return claims
  }

  /// Why a server that may hold the cluster could not be asked; nil when all could.
  private var unseen: Diagnostic? {
    silent.min { $0.key < $1.key }.map(silentServer)
  }

  private func standingWithoutClaim(
    _ holders: [K3sCluster.Member]
  ) -> ClusterSurvey.Standing {
    if let holder = holders.first { return .unclear(dataWithoutIdentity(holder)) }
    if let unseen { return .unseen(unseen) }
    if let starting = startingElsewhere { return .unclear(stillStarting(starting)) }
    if let unasked = unaskedEndpoint { return .unclear(cannotAsk(unasked)) }
    return .new
  }

  /// A server that runs k3s and has nothing on disk yet, other than the one that is to begin.
  private var startingElsewhere: K3sCluster.Member? {
    cluster.servers.dropFirst().first { runs($0.host) }
  }

  private func runs(_ server: HostName) -> Bool {
    guard let unit = states[server]?.unit(.server) else { return false }
    return unit.isActive || unit.isStarting
  }

  /// The registration address, when no server had a tool to ask it; the servers' own addresses
  /// need no asking, for their disks were seen.
  private var unaskedEndpoint: String? {
    guard let endpoint = cluster.endpoint,
      !cluster.servers.contains(where: { $0.address == endpoint })
    else { return nil }
    let target = K3sCluster.authority(endpoint, port: cluster.apiPort)
    switch served[target] {
    case .unknown, nil: return target
    case .cluster, .nothing: return nil
    }
  }
}

// MARK: - The words

extension SurveyReading {
  private func manyClusters(_ claims: [String: [String]]) -> Diagnostic {
    let told = claims.sorted { $0.key < $1.key }.map { ca, who in
      "\(who.joined(separator: ", ")): \(short(ca))"
    }
    return Diagnostic(
      "\(cluster.name) is \(claims.count) clusters",
      reason: "these CA hashes differ: \(told.joined(separator: "; "))",
      remedy: "keep the one with your data, and run k3s-uninstall.sh on the servers of the others")
  }

  private func servedElsewhere(_ ca: String, by targets: [String]) -> Diagnostic {
    let places = targets.joined(separator: ", ")
    return Diagnostic(
      "\(places) already serves a cluster that is on no server of the inventory",
      reason:
        "its CA hash is \(short(ca)); a new cluster behind the same address would be a second one",
      remedy: silent.isEmpty
        ? "add its servers to the inventory, or choose another endpoint"
        : "bring \(silent.keys.sorted().map(\.rawValue).joined(separator: ", ")) back first")
  }

  private func dataWithoutIdentity(_ holder: K3sCluster.Member) -> Diagnostic {
    Diagnostic(
      "\(holder.host) holds a cluster's data but not its CA",
      reason:
        "\(K3sPaths.serverCA) is missing, so it cannot be told which cluster the data belongs to",
      remedy: "restore the file, or run k3s-uninstall.sh there if the data may go",
      at: .host(holder.host, address: holder.address))
  }

  private func identityWithoutData(_ server: K3sCluster.Member, _ ca: String) -> Diagnostic {
    Diagnostic(
      "\(server.host) holds a cluster's CA but not its data",
      reason:
        "the cluster of CA hash \(short(ca)) was there once, and a new one must not pass for it",
      remedy: "restore its data, or run k3s-uninstall.sh there if the cluster is gone for good",
      at: .host(server.host, address: server.address))
  }

  private func silentServer(_ host: HostName, _ silence: Diagnostic) -> Diagnostic {
    Diagnostic(
      "\(host) cannot be asked, so no cluster is begun",
      reason:
        "\(silence.summary); \(host) may hold the cluster already, and a second one must never be",
      remedy: "bring \(host) back, or take it out of the inventory for good",
      at: .host(host, address: cluster.servers.first { $0.host == host }?.address))
  }

  private func stillStarting(_ server: K3sCluster.Member) -> Diagnostic {
    Diagnostic(
      "k3s has just started on \(server.host) and holds no data of a cluster yet",
      reason: "beginning a cluster elsewhere now could make two",
      remedy: "wait a minute, or stop k3s on \(server.host)",
      at: .host(server.host, address: server.address))
  }

  private func cannotAsk(_ target: String) -> Diagnostic {
    Diagnostic(
      "no server could ask https://\(target) whether it serves a cluster already",
      reason: "none of them has curl, wget or openssl, and a second cluster must never be begun",
      remedy: "install curl on the servers")
  }
}
