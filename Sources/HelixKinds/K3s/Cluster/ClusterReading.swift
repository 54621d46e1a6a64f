import HelixModel
import HelixPlan

extension K3sCluster {
  /// - Throws: every setting and host that cannot be part of a cluster.
  init(
    _ spec: ClusterSpec, inventory: Inventory, managed: Set<HostName>, given: Set<String> = []
  ) throws(Diagnostics) {
    let addresses = Dictionary(
      inventory.hosts.map { ($0.name, $0.connection.address) },
      uniquingKeysWith: { first, _ in first }
    )
    let members = { (hosts: [HostName]) in
      hosts.map { Member(host: $0, address: addresses[$0] ?? $0.rawValue) }
    }
    var problems: [Diagnostic] = []
    let common = Self.settings(spec.k3s.config, &problems)
    let server = common.overlaid(by: Self.settings(spec.k3s.serverConfig, &problems))
    let agent = common.overlaid(by: Self.settings(spec.k3s.agentConfig, &problems))
    let registries = spec.k3s.registries.map { RegistriesFile($0, &problems) }
    for host in spec.k3s.servers + spec.k3s.agents where !isNodeName(host.rawValue.lowercased()) {
      problems.append(Self.notANodeName(host, inventory))
    }
    if spec.k3s.servers.isEmpty {
      problems.append(
        Diagnostic(
          "the cluster has no servers", reason: "k3s.servers selects no host of the inventory",
          at: spec.location))
    }
    guard problems.isEmpty else { throw Diagnostics(problems) }
    name = spec.name.value
    version = spec.k3s.version
    token = spec.k3s.token.value
    endpoint = spec.k3s.endpoint.map { Self.host(of: $0.value) }
    apiPort = server["https-listen-port"]?.texts.first.flatMap { Int($0) } ?? 6443
    servers = members(spec.k3s.servers)
    agents = members(spec.k3s.agents)
    self.managed = managed
    serverSettings = server
    agentSettings = agent
    upgrade = spec.upgrade
    givenRoles = given
    self.registries = registries
    facts = Facts(served: Served.fact([]), ports: [:], survey: [])
    facts = Self.facts(of: self)
  }

  private static func facts(of cluster: K3sCluster) -> Facts {
    let served = Served.fact(cluster.targets)
    let survey = cluster.servers.flatMap { server in
      [
        Question(NodeState.fact, on: server.host), Question(NodeList.fact, on: server.host),
        Question(served, on: server.host), Question(InstalledBinary.fact, on: server.host),
      ]
    }
    return Facts(
      served: served,
      ports: [
        .server: TakenPort.fact([cluster.apiPort, 2379, 2380, 10250]),
        .agent: TakenPort.fact([10250]),
      ],
      survey: survey)
  }

  /// The registration address without a port that someone may have written.
  private static func host(of endpoint: String) -> String {
    let parts = endpoint.split(separator: ":", omittingEmptySubsequences: false)
    return parts.count == 2 ? String(parts[0]) : endpoint
  }

  private static func notANodeName(_ host: HostName, _ inventory: Inventory) -> Diagnostic {
    Diagnostic(
      "\"\(host)\" cannot be the name of a node",
      reason: "Kubernetes allows letters, digits, - and . in node names",
      remedy: "give the host another name and set ansible_host to its address",
      at: inventory.host(host).map { .source($0.location) })
  }
}

private func isNodeName(_ name: String) -> Bool {
  let isEdge = { (byte: UInt8) in
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
  guard let first = name.utf8.first, let last = name.utf8.last, name.utf8.count <= 253 else {
    return false
  }
  return isEdge(first) && isEdge(last)
    && name.utf8.allSatisfy { isEdge($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
}

// MARK: - Settings from the inventory

extension K3sCluster {
  private static func settings(
    _ mapping: Mapping, _ problems: inout [Diagnostic]
  ) -> ConfigSettings {
    var settings = ConfigSettings()
    for entry in mapping.entries {
      if let problem = unwelcome(entry) {
        problems.append(problem)
      } else if let value = value(entry, &problems) {
        settings[entry.key] = value
      }
    }
    return settings
  }

  private static func unwelcome(_ entry: Mapping.Entry) -> Diagnostic? {
    if let why = ConfigRules.ownKeys[entry.key] {
      return Diagnostic(
        "\"\(entry.key)\" is written by helix-infra", reason: why, remedy: "take it out",
        at: entry.keyLocation)
    }
    return ConfigRules.foreignKeys[entry.key].map { why in
      Diagnostic(
        "\"\(entry.key)\" is not supported", reason: why, remedy: "take it out",
        at: entry.keyLocation)
    }
  }

  private static func value(
    _ entry: Mapping.Entry, _ problems: inout [Diagnostic]
  ) -> ConfigValue? {
    if let secret = entry.value.namedSecret {
      return ConfigValue(words: [.secret(secret)], isList: false)
    }
    if ConfigRules.secretKeys.contains(entry.key) {
      problems.append(
        Diagnostic(
          "\"\(entry.key)\" is a secret written out",
          reason: "it would stand in plans and on everybody's disk",
          remedy: "put it into the secrets and write { secret: NAME }", at: entry.value.location))
      return nil
    }
    if let list = entry.value.list {
      let texts = list.compactMap { word($0, of: entry.key, &problems) }
      return .list(texts)
    }
    return word(entry.value, of: entry.key, &problems).map(ConfigValue.text)
  }

  private static func word(
    _ node: Node, of key: String, _ problems: inout [Diagnostic]
  ) -> String? {
    switch node.value {
    case .text(let text): return text
    case .bool(let bool): return bool ? "true" : "false"
    case .integer(let number): return String(number)
    case .number(let number): return number.description
    case .null, .hidden, .list, .mapping:
      problems.append(
        Diagnostic(
          "\"\(key)\" holds \(node.value.typeName)",
          reason: "k3s takes values and lists of values in its config", at: node.location))
      return nil
    }
  }
}
