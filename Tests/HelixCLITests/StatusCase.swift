import Foundation
import HelixKinds
import HelixModel
import HelixPlan
import Testing

/// A fixture folder: a declared cluster, what its hosts answered, and the screen and document that
/// must come of it.
///
///     server master-1 server
///     agent worker-1 silent
///     endpoint 192.0.2.10
///     endpoint-down
///     limit worker-1 worker-2
///     node worker-2 not-ready KubeletNotReady container runtime network not ready
///     node worker-1 cordoned note=upgrade
///     node worker-3 absent
///     node burst-1 agent release=v1.28.5+k3s1
///     pod default web-1 0/1 CrashLoopBackOff 3d worker-2
///     plan system-upgrade agents v1.29.1-k3s2 HASH worker-1
///     done worker-2 agents=HASH
///     lock master-1 live 12 alice taken=89816 renewed=89997
///
/// The word after a host is its profile: a folder of `hosts`, or `silent`. A file of the case
/// itself, `facts/HOST/FACT.txt`, outweighs the profile's.
struct StatusCase: CustomTestStringConvertible, Sendable {
  struct CaseHost: Sendable {
    var name: HostName
    var isServer: Bool
    var profile: String
    var address: String
  }

  let folder: URL
  private(set) var hosts: [CaseHost] = []
  private var endpoint: String?
  private var endpointIsDown = false
  private var limit: [HostName]?
  private var nodes: [String: [String]] = [:]
  private var done: [String: [String]] = [:]
  private var pods: [[String]] = []
  private var plans: [[String]] = []
  private var locks: [String: [String]] = [:]

  static let release = "v1.29.1+k3s2"
  static let now = 1_700_000_000
  private static let ca = String(repeating: "ca01", count: 16)
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures/status")

  static let all: [StatusCase] = {
    let cases = root.appending(path: "cases")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: cases.path)) ?? []
    return names.sorted().compactMap { try? StatusCase(folder: cases.appending(path: $0)) }
  }()

  init(folder: URL) throws {
    self.folder = folder
    let text = try String(contentsOf: folder.appending(path: "cluster.txt"), encoding: .utf8)
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ").map(String.init)
      take(words[0], Array(words.dropFirst()))
    }
  }

  var testDescription: String { folder.lastPathComponent }

  private mutating func take(_ word: String, _ rest: [String]) {
    switch word {
    case "server", "agent":
      let number = hosts.count { $0.isServer == (word == "server") } + 1
      hosts.append(
        CaseHost(
          name: HostName(rest[0]), isServer: word == "server", profile: rest[1],
          address: "192.0.2.\((word == "server" ? 10 : 20) + number)"))
    case "endpoint": endpoint = rest[0]
    case "endpoint-down": endpointIsDown = true
    case "limit": limit = rest.map { HostName($0) }
    case "node": nodes[rest[0]] = Array(rest.dropFirst())
    case "done": done[rest[0]] = Array(rest.dropFirst())
    case "pod": pods.append(rest)
    case "plan": plans.append(rest)
    case "lock": locks[rest[0]] = Array(rest.dropFirst())
    default: Issue.record("no word \"\(word)\" in cluster.txt")
    }
  }

  /// What `status` would tell of it.
  func report(hasEnded: (LockHolder) -> Bool = { _ in false }) throws -> StatusReport {
    let inquiry = try StatusInquiry(
      spec, inventory: Inventory(hosts: inventoryHosts, groups: []),
      shown: limit ?? hosts.map(\.name))
    var observation = Observation()
    for (host, requests) in inquiry.questions {
      guard let known = hosts.first(where: { $0.name == host }) else { continue }
      if known.profile == "silent" {
        observation.hosts[host] = .unreachable(
          Diagnostic(
            "cannot connect to \(host)", reason: "no route to host", remedy: "see whether it is on")
        )
        continue
      }
      let answers = try requests.map { ($0.id, try answer($0.id, of: known)) }
      observation.hosts[host] = .answered(Dictionary(uniqueKeysWithValues: answers))
    }
    return inquiry.report(observation, now: Self.now, hasEnded: hasEnded)
  }

  private var inventoryHosts: [HelixModel.Host] {
    hosts.map { host in
      HelixModel.Host(
        name: host.name, connection: Connection(address: host.address), groups: [],
        variables: Mapping(), location: here)
    }
  }

  private var here: HelixModel.SourceLocation {
    HelixModel.SourceLocation(file: "inventory/cluster.yaml", line: 1, column: 1)
  }

  private var spec: ClusterSpec {
    let version = K3sVersion(major: 1, minor: 29, patch: 1, build: 2)
    return ClusterSpec(
      name: Located("helix", at: here),
      k3s: K3sSpec(
        version: Located(version, at: here), servers: hosts.filter(\.isServer).map(\.name),
        agents: hosts.filter { !$0.isServer }.map(\.name),
        endpoint: endpoint.map { Located($0, at: here) },
        token: Located(SecretName("k3s-token"), at: here)),
      location: here)
  }
}

// MARK: - Answers

extension StatusCase {
  private func answer(_ fact: FactID, of host: CaseHost) throws -> FactAnswer {
    let own = folder.appending(path: "facts/\(host.name)/\(fact).txt")
    let shared = Self.root.appending(path: "hosts/\(host.profile)/\(fact).txt")
    let isOwn = FileManager.default.fileExists(atPath: own.path)
    let text = try String(contentsOf: isOwn ? own : shared, encoding: .utf8)
    let leader = hosts.first { $0.isServer && $0.profile != "silent" }
    let values = [
      "version": Self.release, "ca": Self.ca, "served": served, "nodes": nodeRows, "api": api,
      "leader": host.name == leader?.name ? "1" : "0", "lock": lock(host.name.rawValue),
    ]
    return FactAnswer(
      status: 0,
      output: values.reduce(text) { $0.replacingOccurrences(of: "{\($1.key)}", with: $1.value) })
  }

  private var served: String {
    let own = hosts.filter(\.isServer).map { host in
      "\(host.address):6443 \(host.profile == "server" ? Self.ca : "nothing")"
    }
    let isUp = !endpointIsDown && hosts.contains { $0.profile == "server" }
    return (own + [endpoint.map { "\($0):6443 \(isUp ? Self.ca : "nothing")" }].compactMap(\.self))
      .joined(separator: "\n")
  }

  private func lock(_ host: String) -> String {
    guard let words = locks[host] else { return "helix-lock seen free" }
    let times = words[3...].map { $0.replacingOccurrences(of: "=", with: " ") }
    return
      ([
        "helix-lock seen \(words[0])", "number \(words[1])", "run run-\(words[1])",
        "user \(words[2])", "host laptop", "pid 4711", "command apply",
        "started 2026-11-21T05:45:32Z", "process elsewhere", "ttl 60", "boot boot-1",
      ] + times).joined(separator: "\n")
  }

  private var members: [(name: String, isServer: Bool, words: [String])] {
    let known = hosts.filter { $0.profile != "fresh" && nodes[$0.name.rawValue] != ["absent"] }.map
    { host in
      (host.name.rawValue, host.isServer, nodes[host.name.rawValue] ?? [])
    }
    let names = Set(hosts.map(\.name.rawValue))
    let others = nodes.filter { !names.contains($0.key) }.map { name, words in
      (name, !words.contains("agent"), words)
    }
    return (known + others).sorted { $0.0 < $1.0 }
  }

  private func release(_ words: [String]) -> String {
    words.first { $0.hasPrefix("release=") }.map { String($0.dropFirst(8)) } ?? Self.release
  }

  private var nodeRows: String {
    members.map { name, isServer, words in
      let ready = words.contains("NodeStatusUnknown") ? "Unknown" : "False"
      return [
        "node", name, "machine-\(name)", release(words),
        words.contains("not-ready") ? ready : "True",
        isServer ? (words.contains("learner") ? "False" : "True") : "",
      ].joined(separator: "\t")
    }.joined(separator: "\n")
  }

  private var api: String {
    let rows = members.map { name, isServer, words in
      let note = words.first { $0.hasPrefix("note=") }.map { String($0.dropFirst(5)) } ?? ""
      let why =
        words.contains("not-ready") ? Array(words.drop { $0 != "not-ready" }.dropFirst()) : []
      let hashes = (done[name] ?? []).map { $0.replacingOccurrences(of: "=", with: ":") + " " }
      return [
        "node", isServer ? "server" : "agent", name, words.contains("cordoned") ? "true" : "",
        hashes.joined(), note, "False", "False", "False", "False", why.first ?? "KubeletReady",
        why.dropFirst().joined(separator: " "),
      ].joined(separator: "\t")
    }
    let plans = plans.map { plan in
      [
        "plan", plan[0], plan[1], plan[2], plan[2], plan[3],
        plan.dropFirst(4).joined(separator: " "), "True", "",
      ].joined(separator: "\t")
    }
    let pods = pods.map { (["pod"] + $0).joined(separator: "\t") }
    return
      (["ready"] + rows + ["answered nodes"] + plans + ["answered plans"] + pods
      + ["answered pods", "pods \(pods.count)"]).joined(separator: "\n")
  }
}
