internal import HelixModel

/// What a cluster.yaml of the right shape may still get wrong.
struct ClusterChecks {
  /// The minor releases that this version was tested with, upgrades from one to the next too.
  private static let testedMinors = 28...30

  private let top: Fields
  private let k3s: Fields
  private let inventory: Inventory
  private let hosts: [HostName: Host]
  private(set) var problems: [Diagnostic] = []
  private(set) var warnings: [Diagnostic] = []

  init?(_ document: Node, in inventory: Inventory) {
    guard let top = Fields(document), let k3s = top.fields("k3s") else { return nil }
    self.top = top
    self.k3s = k3s
    self.inventory = inventory
    hosts = Dictionary(inventory.hosts.map { ($0.name, $0) }) { first, _ in first }
  }

  /// Checks everything; what concerns hosts only when the hosts themselves were read well.
  mutating func check(judgingHosts: Bool) {
    checkName()
    checkVersion()
    checkArtifacts()
    let servers = judgingHosts ? select("servers") : nil
    let agents = judgingHosts ? select("agents") : nil
    if let servers { checkServers(servers, agents: agents ?? []) }
    let nodes = (servers ?? []) + (agents ?? [])
    checkNodeNames(nodes)
    checkEndpoint(servers: servers ?? [], agents: agents ?? [])
    var configs = ConfigChecks(k3s, hasAgents: agents?.isEmpty == false)
    configs.check()
    var networks = NetworkChecks(k3s, nodes: nodes.compactMap { hosts[$0] })
    networks.check()
    problems += configs.problems + networks.problems
    warnings += configs.warnings + networks.warnings
    if var upgrades = UpgradeChecks(top, servers: servers?.count) {
      upgrades.check()
      problems += upgrades.problems
      warnings += upgrades.warnings
    }
  }

  // MARK: - Cluster, version, artifacts

  private mutating func checkName() {
    guard let name = top.text("cluster"), !NodeNames.isLabel(name.value) else { return }
    problems.append(
      Diagnostic(
        "\"\(name.value)\" is not a cluster's name", reason: NodeNames.rule,
        remedy: "write for example \(NodeNames.suggestion(for: name.value))", at: name.location))
  }

  private mutating func checkVersion() {
    guard let tag = k3s.text("version") else { return }
    guard let version = K3sVersion(tag.value) else {
      problems.append(
        Diagnostic(
          "\"\(tag.value)\" is not a k3s release", reason: "nodes install one exact release",
          remedy: "write the whole tag, for example \(Self.example(for: tag.value))",
          at: tag.location))
      return
    }
    guard version.major != 1 || !Self.testedMinors.contains(version.minor) else { return }
    warnings.append(
      Diagnostic(
        "\(tag.value) is not a release that was tested",
        reason: "this version of helix-infra was tested with v1.\(Self.testedMinors.lowerBound) to"
          + " v1.\(Self.testedMinors.upperBound)",
        remedy: "try it on a cluster that may break", at: tag.location, severity: .warning))
  }

  /// A tag near to what was written: `1.29` lacks the rest, `v1.29.4` only the build.
  private static func example(for text: String) -> String {
    let numbers = text.drop { $0 == "v" }.split(separator: "+")[safe: 0] ?? ""
    let parts = numbers.split(separator: ".").compactMap { Int($0) }
    let halves = text.split(separator: "+")
    if parts.count == 3, halves.count == 2, K3sVersion("v\(text)") != nil { return "v\(text)" }
    return parts.count == 3 ? "v\(numbers)+k3s1" : "v1.29.15+k3s1"
  }

  private mutating func checkArtifacts() {
    guard let artifacts = k3s.fields("artifacts") else { return }
    let mirror = artifacts.text("mirror")
    let folder = artifacts.text("folder")
    if let mirror, folder != nil {
      problems.append(
        Diagnostic(
          "artifacts has both a mirror and a folder", reason: "a release comes from one place",
          remedy: "keep one of them", at: mirror.location))
    } else if mirror == nil, folder == nil {
      problems.append(
        Diagnostic(
          "artifacts names neither a mirror nor a folder",
          remedy: "add one of them, or remove artifacts to use k3s's own releases",
          at: artifacts.location))
    }
    guard let mirror, !mirror.value.hasPrefix("http://"), !mirror.value.hasPrefix("https://") else {
      return
    }
    problems.append(
      Diagnostic(
        "\"\(mirror.value)\" is not a URL", reason: "a mirror is asked over http or https",
        remedy: "write the URL with https://, or use folder for local files", at: mirror.location))
  }

  // MARK: - Hosts

  /// The hosts of a key's patterns; nil when a pattern is wrong.
  private mutating func select(_ key: String) -> [HostName]? {
    do throws(Diagnostic) {
      guard let pattern = try HostPattern(joining: k3s.texts(key)) else { return [] }
      return try pattern.select(from: inventory)
    } catch {
      problems.append(error)
      return nil
    }
  }

  private mutating func checkServers(_ servers: [HostName], agents: [HostName]) {
    guard let place = k3s.texts("servers").first?.location else { return }
    if servers.isEmpty {
      problems.append(
        Diagnostic(
          "the cluster has no servers", reason: "the pattern selects no host",
          remedy: "add hosts to the group, or choose another pattern", at: place))
    } else if servers.count.isMultiple(of: 2) {
      warnings.append(
        Diagnostic(
          "\(servers.count) servers bear no more failures than \(servers.count - 1)",
          reason: "etcd works while more than half of its members do",
          remedy: "make it \(servers.count - 1) or \(servers.count + 1)", at: place,
          severity: .warning))
    }
    let both = Set(servers).intersection(agents).sorted()
    guard !both.isEmpty, let agentPlace = k3s.texts("agents").first?.location else { return }
    problems.append(
      Diagnostic(
        "\(both.map(\.rawValue).joined(separator: ", ")) would be server and agent at once",
        reason: "a server runs an agent already, and a machine is one or the other",
        remedy: "write \"\(k3s.texts("agents").map(\.value).joined(separator: ",")),!"
          + "\(both.map(\.rawValue).joined(separator: ",!"))\", or correct the groups",
        at: agentPlace))
  }

  private mutating func checkNodeNames(_ nodes: [HostName]) {
    for name in nodes where !NodeNames.isName(name.rawValue) {
      guard let host = hosts[name] else { continue }
      problems.append(
        Diagnostic(
          "\"\(name)\" cannot be the name of a node", reason: NodeNames.rule,
          remedy: "rename the host, for example to \(NodeNames.suggestion(for: name.rawValue))",
          at: host.location))
    }
  }

  // MARK: - Endpoint

  private mutating func checkEndpoint(servers: [HostName], agents: [HostName]) {
    guard let endpoint = k3s.text("endpoint") else {
      if servers.count > 1, let place = k3s.texts("servers").first?.location {
        warnings.append(
          Diagnostic(
            "\(servers.count) servers, but no endpoint",
            reason: "kubeconfigs and joining nodes would depend on a single server",
            remedy: "add k3s.endpoint: a virtual IP, a name or a load balancer", at: place,
            severity: .warning))
      }
      return
    }
    guard isAddress(endpoint) else { return }
    checkOwners(of: endpoint, servers: servers, agents: agents)
    noteCertificate(for: endpoint)
  }

  private mutating func isAddress(_ endpoint: Located<String>) -> Bool {
    let text = endpoint.value
    guard IPAddress(text) == nil, !NodeNames.isName(text) || text.looksLikeAddress else {
      return true
    }
    let bare = text.withoutSchemeAndPort
    let isBareGood = bare != text && (IPAddress(bare) != nil || NodeNames.isName(bare))
    problems.append(
      Diagnostic(
        "\"\(text)\" is not an address",
        reason: isBareGood
          ? "nodes use https and the port 6443 by themselves"
          : "an endpoint is an IP address or a DNS name",
        remedy: isBareGood ? "write \(bare)" : "write for example 192.168.1.10 or k3s.example.org",
        at: endpoint.location))
    return false
  }

  private mutating func checkOwners(
    of endpoint: Located<String>, servers: [HostName], agents: [HostName]
  ) {
    func owner(_ names: [HostName]) -> HostName? {
      names.first {
        $0.rawValue == endpoint.value || hosts[$0]?.connection.address == endpoint.value
      }
    }
    if let agent = owner(agents) {
      problems.append(
        Diagnostic(
          "the endpoint is the address of the agent \(agent)",
          reason: "no API server listens there",
          remedy: "name a virtual IP, a load balancer or a server", at: endpoint.location))
    } else if servers.count > 1, let server = owner(servers) {
      warnings.append(
        Diagnostic(
          "the endpoint is the address of the server \(server)",
          reason: "when it is down, no kubeconfig works and no node can join through it",
          remedy: "name a virtual IP, a DNS name or a load balancer", at: endpoint.location,
          severity: .warning))
    }
  }

  private mutating func noteCertificate(for endpoint: Located<String>) {
    let config = k3s.open("server-config")
    let given = (config["tls-san"] ?? config["tls-san+"]).map { $0.list ?? [$0] } ?? []
    guard !given.contains(where: { $0.scalarText == endpoint.value }) else { return }
    warnings.append(
      Diagnostic(
        "tls-san gets the endpoint \(endpoint.value) by itself",
        reason: "the servers' certificate must be good for the address that nodes join through",
        at: endpoint.location, severity: .note))
  }
}

extension Array {
  /// The element at a position; nil past the end.
  subscript(safe position: Int) -> Element? {
    indices.contains(position) ? self[position] : nil
  }
}

extension String {
  /// Digits and dots only: an address, well-formed or not, rather than a name.
  var looksLikeAddress: Bool {
    allSatisfy { $0 == "." || ("0"..."9").contains($0) }
  }

  /// `https://name:6443/` without all but the name.
  fileprivate var withoutSchemeAndPort: String {
    var rest = self[...]
    for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) {
      rest = rest.dropFirst(scheme.count)
    }
    if let slash = rest.firstIndex(of: "/") { rest = rest[..<slash] }
    if rest.first == "[", let close = rest.firstIndex(of: "]") {
      return String(rest[rest.index(after: rest.startIndex)..<close])
    }
    if let colon = rest.lastIndex(of: ":"), rest.firstIndex(of: ":") == colon {
      rest = rest[..<colon]
    }
    return String(rest)
  }
}
