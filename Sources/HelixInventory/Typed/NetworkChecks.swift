internal import HelixModel

/// Checks that the cluster's networks stay clear of each other and of the machines.
struct NetworkChecks {
  /// A network and where it was set; nil where k3s's default is meant.
  private struct Network {
    var name: String
    var range: CIDR
    var location: SourceLocation?
  }

  private static let defaults = [
    "cluster-cidr": "10.42.0.0/16", "service-cidr": "10.43.0.0/16",
  ]

  private let k3s: Fields
  private let nodes: [Host]
  private(set) var problems: [Diagnostic] = []
  private(set) var warnings: [Diagnostic] = []

  init(_ k3s: Fields, nodes: [Host]) {
    self.k3s = k3s
    self.nodes = nodes
  }

  mutating func check() {
    let pods = networks("cluster-cidr")
    let services = networks("service-cidr")
    checkOverlap(pods, services)
    checkDNS(services)
    for network in pods + services {
      checkHosts(network)
      checkEndpoint(network)
    }
  }

  /// What server-config says, or config when there are no agents; servers read both.
  private func entry(_ key: String) -> Mapping.Entry? {
    k3s.open("server-config").entry(key) ?? k3s.open("config").entry(key)
  }

  /// The parts of a list, or of text joined by commas (two address families).
  private func parts(_ node: Node) -> [Located<String>] {
    (node.list ?? [node]).flatMap { element in
      (element.scalarText ?? "").split(separator: ",").map {
        Located($0.trimmingBlanks, at: element.location)
      }
    }
  }

  private mutating func networks(_ name: String) -> [Network] {
    guard let entry = entry(name) else {
      return Self.defaults[name].flatMap { CIDR($0) }.map { [Network(name: name, range: $0)] } ?? []
    }
    return parts(entry.value).compactMap { text in
      guard let range = CIDR(text.value) else {
        problems.append(
          Diagnostic(
            "\"\(text.value)\" is not a network", reason: "\(name) is an address and a length",
            remedy: "write for example \(Self.defaults[name] ?? "10.42.0.0/16")",
            at: text.location))
        return nil
      }
      return Network(name: name, range: range, location: text.location)
    }
  }

  private mutating func checkOverlap(_ pods: [Network], _ services: [Network]) {
    for pod in pods {
      for service in services where pod.range.overlaps(service.range) {
        // The one that was set is the one to correct; the default stays where it is.
        guard let place = service.location ?? pod.location else { continue }
        problems.append(
          Diagnostic(
            "\(described(service)) overlaps with \(described(pod))",
            reason: "an address would belong to a pod and a service at once",
            remedy: "choose networks that share no address", at: place))
      }
    }
  }

  private mutating func checkDNS(_ services: [Network]) {
    guard let entry = entry("cluster-dns") else { return }
    for text in parts(entry.value) {
      guard let address = IPAddress(text.value) else {
        problems.append(
          Diagnostic(
            "\"\(text.value)\" is not an IP address", remedy: "write for example 10.43.0.10",
            at: text.location))
        continue
      }
      guard !services.isEmpty, !services.contains(where: { $0.range.contains(address) }) else {
        continue
      }
      problems.append(
        Diagnostic(
          "cluster-dns \(text.value) is outside \(services.map(described).joined(separator: " and "))",
          reason: "the DNS service takes its address from the services' network",
          remedy: "write an address inside it, usually the tenth", at: text.location))
    }
  }

  private mutating func checkHosts(_ network: Network) {
    let inside = nodes.filter { host in
      IPAddress(host.connection.address).map(network.range.contains) ?? false
    }
    guard let first = inside.first else { return }
    let others = inside.count == 1 ? "" : " (and \(inside.count - 1) more)"
    problems.append(
      Diagnostic(
        "\(first.name)'s address \(first.connection.address)\(others) is inside \(described(network))",
        reason: "the other nodes could no longer reach it",
        remedy: "set \(network.name) in server-config to a network that no machine is in",
        at: first.variables["ansible_host"]?.location ?? first.location))
  }

  private mutating func checkEndpoint(_ network: Network) {
    guard let endpoint = k3s.text("endpoint"), let address = IPAddress(endpoint.value),
      network.range.contains(address)
    else { return }
    problems.append(
      Diagnostic(
        "the endpoint \(endpoint.value) is inside \(described(network))",
        reason: "nodes would look for it inside the cluster that they want to join",
        remedy: "use an address of the machines' network", at: endpoint.location))
  }

  private func described(_ network: Network) -> String {
    let origin = network.location == nil ? "the default " : ""
    return "\(origin)\(network.name) \(network.range)"
  }
}
