import Foundation
import HelixModel
import HelixPlan

@testable import HelixKinds

/// A cluster in the short form of the fixtures, one word and its rest per line.
///
///     version v1.29.1+k3s2
///     runs v1.28.5+k3s1
///     upgrade ssh
///     through v1.29.1+k3s2
///     upgrade-agents concurrency=2 drain=300 cordon=false
///     registries {"mirrors": {}}
///     os-update concurrency=2 reboot=never
///     endpoint 192.0.2.10
///     server master-1 fresh
///     agent worker-1 silent
///     limit worker-1
///     config kubelet-arg [image-gc-high-threshold=55]
///     server-config agent-token {agent-secret}
///     node worker-1 gone
///     marks worker-1 label/zone {"zone":"east"} [{"key":"gpu","effect":"NoSchedule"}]
///     prune false
///     kubeconfig ~/.kube/helix.yaml merge
///     bootstrap flux-system sops-age
///     manifest flux-system github token=github-token
///     identities age1abc opens 12 closed=old.yaml
///     identities age1abc fails "the file a.yaml is not for it"
///
/// Words of `marks`: what the node remembers of helix-infra (`-` for nothing), its labels, its taints.
/// A case with a `manifests.json` beside it declares its list of objects.
/// The word after a host is its profile: a folder of k3s-hosts, or `silent`. `runs` is the release
/// that members have, where it is not the declared one.
struct K3sCaseCluster: Sendable {
  struct CaseHost: Sendable {
    var name: HostName
    var isServer: Bool
    var profile: String
    var address: String
  }

  var version = "v1.29.1+k3s2"
  var runs: String?
  var upgrade: UpgradeSpec?
  var registries: Mapping?
  /// With it the case is one of `helix.infra.rollout_update`.
  var osUpdate: OSUpdateSpec?
  var endpoint: String?
  var hosts: [CaseHost] = []
  var limit: [HostName]?
  var settings: [String: [Mapping.Entry]] = [:]
  var kubeconfig: KubeconfigSpec?
  var bootstrap: BootstrapSpec?
  var identities: IdentityProof?
  /// The rows that `kubectl get nodes` has beside or instead of those of living hosts.
  var nodes: [(name: String, words: [String])] = []
  var marks: [String: [String]] = [:]
  /// Kubernetes objects that should be there.
  var objects: [ManifestObject]?
  var prunes = true

  let here = SourceLocation(file: "playbooks/k3s.yaml", line: 3, column: 5)

  init(_ text: String) throws {
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ").map(String.init)
      try take(words[0], Array(words.dropFirst()))
    }
  }

  private mutating func take(_ word: String, _ rest: [String]) throws {
    switch word {
    case "version": version = rest[0]
    case "endpoint": endpoint = rest[0]
    case "server", "agent": add(rest, isServer: word == "server")
    case "limit": limit = rest.map { HostName($0) }
    case "config", "server-config", "agent-config":
      settings[word, default: []].append(entry(rest[0], rest.dropFirst().joined(separator: " ")))
    case "kubeconfig":
      kubeconfig = KubeconfigSpec(path: Located(rest[0], at: here), merge: rest.contains("merge"))
    case "bootstrap":
      bootstrap = BootstrapSpec(
        namespace: Located(rest[0], at: here), name: Located(rest[1], at: here))
    case "manifest":
      let manifest = manifest(rest)
      bootstrap?.manifests.append(manifest)
    case "identities": identities = proof(rest)
    case "runs": runs = rest[0]
    case "upgrade", "through", "upgrade-servers", "upgrade-agents": try takeUpgrade(word, rest)
    case "os-update": osUpdate = update(rest)
    case "registries":
      registries = try JSONReading.read(rest.joined(separator: " ")).mapping
    case "node": nodes.append((rest[0], Array(rest.dropFirst())))
    case "marks": marks[rest[0]] = Array(rest.dropFirst())
    case "prune": prunes = rest[0] == "true"
    default: throw Diagnostic("no word \"\(word)\" in cluster.txt")
    }
  }

  private mutating func add(_ words: [String], isServer: Bool) {
    let number = hosts.count { $0.isServer == isServer } + 1
    hosts.append(
      CaseHost(
        name: HostName(words[0]), isServer: isServer, profile: words[1],
        address: "192.0.2.\((isServer ? 10 : 20) + number)"))
  }

  private func manifest(_ words: [String]) -> SecretManifest {
    var manifest = SecretManifest(namespace: words[0], name: words[1], data: [], location: here)
    for word in words.dropFirst(2) {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      switch parts[0] {
      case "type": manifest.type = parts[1]
      case "label": manifest.labels["app"] = parts[1]
      case "annotation": manifest.annotations["example.org/note"] = parts[1]
      default:
        manifest.data.append(.init(key: parts[0], value: "\(secret: SecretName(parts[1]))"))
      }
    }
    return manifest
  }

  private func proof(_ words: [String]) -> IdentityProof {
    let problems =
      words[1] == "fails" ? [Diagnostic(words.dropFirst(2).joined(separator: " "))] : []
    return IdentityProof(
      recipients: [words[0]], files: words.count > 2 ? Int(words[2]) ?? 0 : 0,
      fingerprints: ["fp-\(words[0])"],
      closedFiles: words.filter { $0.hasPrefix("closed=") }.map { String($0.dropFirst(7)) },
      problems: problems)
  }

  private func entry(_ key: String, _ text: String) -> Mapping.Entry {
    let node = { (value: Value) in Node(value, at: here) }
    let value: Value
    if text.hasPrefix("["), text.hasSuffix("]") {
      let parts = text.dropFirst().dropLast().split(separator: ",")
      value = .list(parts.map { node(.text($0.trimmingCharacters(in: .whitespaces))) })
    } else if text.hasPrefix("{") {
      let secret = Mapping.Entry(
        key: "secret", keyLocation: here, value: node(.text(String(text.dropFirst().dropLast()))))
      value = .mapping(Mapping([secret]))
    } else {
      value = text == "true" || text == "false" ? .bool(text == "true") : .text(text)
    }
    return Mapping.Entry(key: key, keyLocation: here, value: node(value))
  }

  var inventory: Inventory {
    let hosts = hosts.map { host in
      Host(
        name: host.name, connection: Connection(address: host.address), groups: [],
        variables: Mapping(), location: here)
    }
    return Inventory(hosts: hosts, groups: [], cluster: spec)
  }

  private var spec: ClusterSpec? {
    guard let release = K3sVersion(version) else { return nil }
    let k3s = K3sSpec(
      version: Located(release, at: here),
      servers: hosts.filter(\.isServer).map(\.name),
      agents: hosts.filter { !$0.isServer }.map(\.name),
      endpoint: endpoint.map { Located($0, at: here) },
      token: Located(SecretName("k3s-token"), at: here),
      config: Mapping(settings["config"] ?? []),
      serverConfig: Mapping(settings["server-config"] ?? []),
      agentConfig: Mapping(settings["agent-config"] ?? []),
      registries: registries.map { Located($0, at: here) })
    return ClusterSpec(
      name: Located("helix", at: here), k3s: k3s, kubeconfig: kubeconfig, upgrade: upgrade,
      osUpdate: osUpdate,
      secrets: bootstrap.map { SecretsSpec(bootstrap: $0) },
      manifests: objects.map { ManifestsSpec(objects: $0, prune: prunes, location: here) },
      location: here)
  }
}

// MARK: - Answers

extension K3sCaseCluster {
  /// Every question answered, from `special` if it has something, else from the host's profile.
  func observation(special: (HostName, FactID) -> String?) throws -> Observation {
    let questions = try desired(hosts: hosts.map(\.name)).questions
    var observation = Observation(identities: identities)
    for (host, requests) in questions {
      if hosts.first(where: { $0.name == host })?.profile == "silent" {
        observation.hosts[host] = .unreachable(
          Diagnostic("\(host) does not answer", reason: "no route to host"))
        continue
      }
      let answers = try requests.map { request in
        (request.id, try answer(request.id, on: host, special))
      }
      observation.hosts[host] = .answered(Dictionary(uniqueKeysWithValues: answers))
    }
    return observation
  }

  /// The roles that the cluster's parts ask for, in order, given to some hosts.
  func desired(hosts: [HostName]) throws -> DesiredState {
    let role = osUpdate == nil ? K3sRole.role.name : RolloutUpdateRole.role.name
    let roles =
      [role] + (bootstrap == nil ? [] : [SOPSAgeRole.role.name])
      + (objects == nil ? [] : [ManifestsRole.role.name])
    let items = try roles.map { role in
      let demand = RoleDemand(
        role: role, hosts: hosts, earlier: role == roles[0] ? [:] : [roles[0]: hosts],
        location: here)
      return Stage.Item(
        resources: try Catalogue.resources(for: demand, inventory: inventory))
    }
    return DesiredState(stages: [Stage(title: "k3s", items: items)])
  }

  private func answer(
    _ fact: FactID, on host: HostName, _ special: (HostName, FactID) -> String?
  ) throws -> FactAnswer {
    let profile = hosts.first { $0.name == host }?.profile ?? "controller"
    let name = fact.rawValue.split(separator: ":").first.map(String.init) ?? ""
    let full = String(fact.rawValue.map { ":/".contains($0) ? "-" : $0 })
    let own = K3sCase.fixtures.appending(path: "k3s-hosts/\(profile)/\(name).txt")
    let every = K3sCase.fixtures.appending(path: "k3s-hosts/every/\(name).txt")
    let text =
      try special(host, FactID(full)) ?? special(host, FactID(name))
      ?? (try? String(contentsOf: own, encoding: .utf8))
      ?? String(contentsOf: every, encoding: .utf8)
    return FactAnswer(status: 0, output: filled(text, for: host))
  }

  private func filled(_ text: String, for name: HostName) -> String {
    guard text.contains("{") else { return text }
    let host = hosts.first { $0.name == name }
    let role: K3sRoleOfNode = host?.isServer ?? true ? .server : .agent
    let values: [String: String] = [
      "name": name.rawValue, "address": host?.address ?? "", "machine-id": Self.machineID(name),
      "version": runs ?? version, "ca": Self.ca, "registries": registriesFingerprint,
      "service": role.service, "role": role.rawValue,
      "served": served, "nodes": nodeRows, "marks": markRows, "endpoint": endpoint ?? "",
      "server": hosts.first(where: \.isServer)?.address ?? "",
    ]
    let text = values.reduce(text) { $0.replacingOccurrences(of: "{\($1.key)}", with: $1.value) }
    return text.contains("{unit}") ? withUnit(text, role) : text
  }

  private func withUnit(_ text: String, _ role: K3sRoleOfNode) -> String {
    let digest = PlainFingerprints().digest
    let unit = NodeScripts.unit(role).split(separator: "\n", omittingEmptySubsequences: false)
      .dropLast().map { "|\($0)" }.joined(separator: "\n")
    let values: [String: String] = [
      "unit": unit, "killall": "\(K3sPaths.killScript) \(digest(NodeScripts.kill))",
      "uninstall": "\(K3sPaths.uninstallScript(role)) \(digest(NodeScripts.uninstall(role)))",
    ]
    return values.reduce(text) { $0.replacingOccurrences(of: "{\($1.key)}", with: $1.value) }
  }

  static let ca = String(repeating: "ca01", count: 16)

  static func machineID(_ host: HostName) -> String {
    let digits = PlainFingerprints().digest(of: host.rawValue)
    return String((digits + digits).prefix(32))
  }

  private var living: [CaseHost] { hosts.filter { ["server", "installed"].contains($0.profile) } }

  private var served: String {
    let own = hosts.filter(\.isServer).map { host in
      "\(host.address):6443 \(living.contains { $0.name == host.name } ? Self.ca : "nothing")"
    }
    let front = endpoint.map { "\($0):6443 \(living.isEmpty ? "nothing" : Self.ca)" }
    return (own + [front].compactMap(\.self)).joined(separator: "\n")
  }

  /// Hosts that are part of the cluster by their profile are ready, unless a `node` line says more:
  /// `waiting` is heard by the cluster and not ready.
  private var knownNodes: [String: [String]] {
    var rows: [String: [String]] = [:]
    for host in hosts where ["server", "agent", "installed"].contains(host.profile) {
      rows[host.name.rawValue] = ["ready"] + (host.isServer ? ["voter"] : [])
    }
    for (name, words) in nodes { rows[name] = words.contains("gone") ? nil : words }
    return rows
  }

  /// What the nodes bear beside what k3s itself gives them: nothing, unless a `marks` line says more.
  private var markRows: String {
    knownNodes.keys.sorted().map { name in
      let bears = marks[name] ?? ["-", "{}", "[]"]
      let known = bears[0] == "-" ? "" : bears[0]
      let taints = bears[2] == "[]" ? "" : bears[2]
      return ["node", name, known, bears[1], taints].joined(separator: "\t")
    }.joined(separator: "\n")
  }

  private var nodeRows: String {
    knownNodes.sorted { $0.key < $1.key }.map { name, words in
      let machine = words.first { $0.hasPrefix("machine=") }.map { String($0.dropFirst(8)) }
      let unready = words.contains("waiting") ? "False" : "Unknown"
      let ready = words.contains("ready") ? "True" : unready
      let voter = words.contains("voter") ? "True" : words.contains("learner") ? "False" : ""
      let release = words.first { $0.hasPrefix("runs=") }.map { String($0.dropFirst(5)) }
      let cordon = words.first { $0.hasPrefix("for=") }.map { String($0.dropFirst(4)) }
      return [
        "node", name, machine ?? Self.machineID(HostName(name)), release ?? runs ?? version, ready,
        voter, words.contains("cordoned") || cordon != nil ? "true" : "", cordon ?? "",
      ].joined(separator: "\t")
    }.joined(separator: "\n")
  }
}
