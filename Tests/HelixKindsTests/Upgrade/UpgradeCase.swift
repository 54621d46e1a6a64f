import Foundation
import HelixModel
import HelixPlan
import Testing

@testable import HelixKinds

/// A fixture folder of an upgrade: a declared cluster, what it says of itself, the plan and the status.
///
///     version v1.29.15+k3s1          through v1.28.15+k3s1     channel https://…
///     servers concurrency=1 drain=300 cordon=false window=02:00-05:00 toleration=KEY:EFFECT
///     agents concurrency=2 drain=300
///     node master-1 v1.29.1+k3s2 server cordoned ours before=open off held disabled done taint=K:E
///     strategy ssh
///     plan server-plan v1.29.1+k3s2  applying=master-1 noted unasked unpolled
///     job apply-1 agent-plan worker-1 failed DeadlineExceeded
///     job apply-1 server-plan master-1 running failures=70
///     pod apply-1 worker-1 Pending prepare Completed|drain ImagePullBackOff
///     pod apply-1 master-1 Failed upgrade Error WHAT IT SAID
///     log apply-1 WHAT IT WROTE
///     budget shop/web
///     blocks shop/db worker-1
///     foreign k3s-server v1.29.9+k3s1 prepare=no selector=LABEL namespace=other hash=HASH
///     process worker-1 812 host there /usr/local/bin/k3s k3s-agent.service     none
///     controller absent
///     deprecated group="policy",removed_release="1.30",resource="things",version="v1beta1"
///     fresh
///
/// What a host answers otherwise than it would when all is well stands in `facts/HOST/FACT.txt`.
struct UpgradeCase: CustomTestStringConvertible, Sendable {
  let name: String
  let folder: URL
  private(set) var lines: [[String]] = []

  var testDescription: String { name }

  static let all: [UpgradeCase] = {
    let root = K3sCase.fixtures.appending(path: "system-upgrade")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
    return names.sorted().compactMap { try? UpgradeCase(folder: root.appending(path: $0)) }
  }()

  init(folder: URL) throws {
    self.init(
      name: folder.lastPathComponent, folder: folder,
      text: try String(contentsOf: folder.appending(path: "cluster.txt"), encoding: .utf8))
  }

  init(name: String, folder: URL = K3sCase.fixtures, text: String) {
    self.folder = folder
    self.name = name
    lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { words(of: $0) }
  }

  private func rows(_ word: String) -> [[String]] {
    lines.filter { $0[0] == word }.map { Array($0.dropFirst()) }
  }

  private func first(_ word: String) -> [String]? { rows(word).first }
  private var isFresh: Bool { first("fresh") != nil }
  private let here = SourceLocation(file: "inventory/cluster.yaml", line: 9, column: 3)

  // MARK: - Declared

  private func nodes(_ isServer: Bool) -> [[String]] {
    rows("node").filter { $0.contains("server") == isServer }
  }

  private var cluster: K3sCaseCluster {
    get throws {
      let version = first("version")?[0] ?? "v1.29.15+k3s1"
      var text = "version \(version)\n"
      for node in nodes(true) { text += "server \(node[0]) \(isFresh ? "fresh" : "server")\n" }
      for node in nodes(false) { text += "agent \(node[0]) \(isFresh ? "fresh" : "agent")\n" }
      for taint in rows("node-taint") { text += "server-config node-taint [\(taint[0])]\n" }
      return try K3sCaseCluster(text)
    }
  }

  private func located(_ text: String) -> Located<String> { Located(text, at: here) }

  private func plan(_ words: [String]) -> UpgradeSpec.PlanSpec {
    var plan = UpgradeSpec.PlanSpec(location: here)
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      switch parts[0] {
      case "concurrency": plan.concurrency = Int(parts[1]) ?? 1
      case "drain": plan.drain = UpgradeSpec.Drain(timeout: Int(parts[1]) ?? 300)
      case "cordon": plan.cordon = parts[1] == "true"
      case "window":
        let times = parts[1].split(separator: "-").map { located(String($0)) }
        plan.window = UpgradeSpec.Window(days: [], start: times[0], end: times[1])
      case "toleration":
        let taint = parts[1].split(separator: ":").map(String.init)
        let draft: Draft = [
          "key": .text(taint[0]), "operator": "Exists", "effect": .text(taint[1]),
        ]
        plan.tolerations = (plan.tolerations ?? []) + [draft.node(at: here)]
      default: Issue.record("no word \"\(word)\" of a plan")
      }
    }
    return plan
  }

  private var upgrade: UpgradeSpec {
    UpgradeSpec(
      strategy: first("strategy").flatMap { .init(rawValue: $0[0]) } ?? .controller,
      through: rows("through").compactMap { K3sVersion($0[0]) }.map { Located($0, at: here) },
      channel: first("channel").map { located($0[0]) },
      controller: .init(version: located(first("release")?[0] ?? "v0.13.4")),
      servers: plan(first("servers") ?? []), agents: plan(first("agents") ?? []), location: here)
  }

  var inventory: Inventory {
    get throws {
      var inventory = try cluster.inventory
      inventory.cluster?.upgrade = first("strategy")?[0] == "none" ? nil : upgrade
      return inventory
    }
  }

  func desired() throws -> DesiredState {
    let inventory = try inventory
    let hosts = inventory.hosts.map(\.name)
    let given: Set = [K3sRole.role.name, SystemUpgradeRole.role.name]
    let demand = { (role: String, earlier: [String: [HostName]]) in
      RoleDemand(role: role, hosts: hosts, earlier: earlier, given: given, location: here)
    }
    let k3s = try Catalogue.resources(for: demand(K3sRole.role.name, [:]), inventory: inventory)
    let upgrade = try Catalogue.resources(
      for: demand(SystemUpgradeRole.role.name, isFresh ? [K3sRole.role.name: hosts] : [:]),
      inventory: inventory)
    let title = "upgrade"
    return DesiredState(
      stages: (isFresh ? [Stage(title: "k3s", items: [.init(resources: k3s)])] : [])
        + [Stage(title: title, items: [.init(resources: upgrade)])])
  }

  // MARK: - Answered

  func observation() throws -> Observation {
    let cluster = try cluster
    let deprecated = rows("deprecated").map { "deprecated \($0[0])\n" }.joined()
    var observation = try cluster.observation { host, fact in
      if fact.rawValue == "k3s-deprecated" { return deprecated }
      let file = folder.appending(path: "facts/\(host)/\(fact).txt")
      return try? String(contentsOf: file, encoding: .utf8)
    }
    for (host, requests) in try desired().questions {
      guard case .answered(var answers) = observation.hosts[host] else { continue }
      for request in requests where answers[request.id] == nil {
        answers[request.id] = FactAnswer(status: 0, output: try answer(request.id, host))
      }
      for fact in UpgradeStatus.requests {
        answers[fact.id] = FactAnswer(status: 0, output: try answer(fact.id, host))
      }
      observation.hosts[host] = .answered(answers)
    }
    return observation
  }

  /// Servers that all give one answer to whatever they are asked.
  func silence(saying text: String) -> Observation {
    let answers = UpgradeStatus.requests.map { ($0.id, FactAnswer(status: 0, output: text)) }
    let answered = Observation.HostAnswers.answered(Dictionary(uniqueKeysWithValues: answers))
    return Observation(
      hosts: Dictionary(uniqueKeysWithValues: nodes(true).map { (HostName($0[0]), answered) }))
  }

  /// What comes of asking for the status alone.
  func status(without silent: [HostName] = []) throws -> UpgradeStatus.Answer {
    let answers = try UpgradeStatus.requests.map { request in
      (request.id, FactAnswer(status: 0, output: try answer(request.id, "master-1")))
    }
    let answered = Observation.HostAnswers.answered(Dictionary(uniqueKeysWithValues: answers))
    let servers = nodes(true).map { node in
      let host = HostName(node[0])
      let silence = Diagnostic("cannot connect", at: .host(host, address: nil))
      return (host, silent.contains(host) ? .unreachable(silence) : answered)
    }
    return try UpgradeStatus.read(
      Observation(hosts: Dictionary(uniqueKeysWithValues: servers)), inventory: inventory)
  }

  private func answer(_ id: FactID, _ host: HostName) throws -> String {
    let name = id.rawValue
    if name == K3sProcesses.fact.request.id.rawValue { return processes(host.rawValue) }
    if name == UpgradeView.fact.request.id.rawValue { return isFresh ? "silent" : try view() }
    if name == UpgradeTrouble.fact.request.id.rawValue { return trouble }
    if name == EvictionView.fact.request.id.rawValue { return isFresh ? "silent" : evictions }
    guard name.hasPrefix("object:") else { throw Diagnostic("nobody asked for \(name)") }
    return first("controller")?[0] == "absent" ? "absent\nwhole\n" : "same\nwhole\n"
  }

  private func processes(_ host: String) -> String {
    let unit = nodes(true).contains { $0[0] == host } ? "k3s" : "k3s-agent"
    let own = rows("process").filter { $0[0] == host }.map { Array($0.dropFirst()) }
    let usual = ["812", "host", "there", "/usr/local/bin/k3s", unit + ".service"]
    let told = (own.isEmpty ? [usual] : own).filter { $0 != ["none"] }
    let lines = told.map { "k3s " + $0.joined(separator: " ") }
    return (lines + ["searched"]).joined(separator: "\n")
  }

  /// Budgets that let no pod go, each with a pod on a node.
  private var evictions: String {
    let rows = rows("blocks").flatMap { words in
      let name = words[0].split(separator: "/").map(String.init)
      let selector = #"{"matchLabels":{"app":"\#(name[1])"}}"#
      return [
        "budget\t\(name[0])\t\(name[1])\t\(selector)",
        "pod\t\(name[0])\t\(name[1])-0\t\(words[1])\tRunning\tStatefulSet\t{\"app\":\"\(name[1])\"}",
      ]
    }
    return (rows + ["answered"]).joined(separator: "\n") + "\n"
  }

  private func view() throws -> String {
    let nodes = try rows("node").map(nodeRow)
    let plans = try rows("plan").map(planRow) + rows("foreign").map(foreignRow)
    let jobs = rows("job").map(jobRow)
    let controller =
      first("controller")?[0] == "absent"
      ? [] : ["controller\trancher/system-upgrade-controller:v0.13.4\t1"]
    return (nodes + plans + jobs + controller + ["whole"]).joined(separator: "\n") + "\n"
  }

  private static func json(_ draft: Draft) -> String {
    let place = SourceLocation(file: "case", line: 1, column: 1)
    return JSONText.write(draft.node(at: place)).split(separator: "\n")
      .map { $0.drop { $0 == " " } }.joined()
  }

  private func nodeRow(_ words: [String]) throws -> String {
    let isServer = words.contains("server")
    let plan = isServer ? "server-plan" : "agent-plan"
    var labels: [(String, Draft)] = [("kubernetes.io/hostname", .text(words[0]))]
    if isServer { labels.append((NodeLabels.controlPlane, "true")) }
    if words.contains("held") || words.contains("disabled") {
      labels.append((NodeLabels.plan(plan), "disabled"))
    }
    if words.contains("done") { labels.append((NodeLabels.plan(plan), "hash")) }
    var taints: [Draft] = []
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      if parts[0] == "hostname" { labels[0].1 = .text(parts[1]) }
      guard parts[0] == "taint", let taint = NodeTaint(flag: parts[1]) else { continue }
      taints.append(["key": .text(taint.key), "effect": .text(taint.effect)])
    }
    let ready = words.contains("off") ? "Unknown" : "True"
    return [
      "node", words[0], words[1], ready, isServer ? "True" : "",
      words.contains("cordoned") ? "true" : "", Self.json(.fields(labels)),
      taints.isEmpty ? "" : Self.json(.list(taints)), words.contains("held") ? plan : "",
      words.first { $0.hasPrefix("before=") }.map { String($0.dropFirst(7)) } ?? "",
      words.contains("ours") ? "upgrade" : "",
    ].joined(separator: "\t")
  }

  /// An UpgradePlan of ours, as it would have been applied for another release.
  private func planRow(_ words: [String]) throws -> String {
    let role: K3sRoleOfNode = words[0] == "server-plan" ? .server : .agent
    let inventory = try inventory
    let spec = try #require(inventory.cluster)
    let cluster = try K3sCluster(spec, inventory: inventory, managed: [])
    let taints = rows("node").filter { $0.contains("server") == (role == .server) }
      .flatMap { $0 }.filter { $0.hasPrefix("taint=") }
      .compactMap { NodeTaint(flag: String($0.dropFirst(6))) }
    let target: UpgradePlanObject.Target =
      words[1].hasPrefix("http")
      ? .channel(words[1]) : .release(try #require(K3sVersion(words[1])))
    let wanted = UpgradeRollout.wanted(
      role, cluster, upgrade, ControllerRelease(upgrade.controller.version.value), target, taints)
    let applying = words.first { $0.hasPrefix("applying=") }.map { [String($0.dropFirst(9))] }
    let latest = words.first { $0.hasPrefix("latest=") }.map { String($0.dropFirst(7)) } ?? words[1]
    let status: Draft = [
      "latestVersion": .text(latest.replacingOccurrences(of: "+", with: "-")),
      "latestHash": "hash", "applying": .list((applying ?? []).map(Draft.text)),
      "conditions": [
        [
          "type": "LatestResolved", "status": "True",
          "reason": words[1].hasPrefix("http") && !words.contains("unpolled")
            ? "Channel" : "Version",
        ]
      ],
    ]
    var body = wanted.object.body["spec"] ?? Node(.null, at: here)
    if words.contains("extra") {
      var fields = try #require(body.mapping)
      let more = Node(.bool(true), at: here)
      fields.set(.init(key: "exclusive", keyLocation: here, value: more))
      body = Node(.mapping(fields), at: here)
    }
    return [
      "plan", "system-upgrade", words[0], Self.json(.node(body)), Self.json(status),
      words.contains("noted") ? words[1] : "", words.contains("unasked") ? "true" : "",
    ].joined(separator: "\t")
  }

  private func foreignRow(_ words: [String]) -> String {
    let label = words.first { $0.hasPrefix("selector=") }.map { String($0.dropFirst(9)) }
    let spec: Draft = [
      "version": .text(words[1]), "upgrade": ["image": "rancher/k3s-upgrade"],
      "drain": ["force": true],
      "nodeSelector": [
        "matchExpressions": [
          ["key": .text(label ?? NodeLabels.controlPlane), "operator": "Exists"]
        ]
      ],
    ]
    let value = { (key: String) in
      words.first { $0.hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) }
    }
    let status: Draft = ["latestHash": .text(value("hash") ?? "")]
    return [
      "plan", value("namespace") ?? "system-upgrade", words[0], Self.json(spec),
      Self.json(status), "", "",
    ].joined(separator: "\t")
  }

  private func jobRow(_ words: [String]) -> String {
    let labels: Draft = [
      "upgrade.cattle.io/plan": .text(words[1]), "upgrade.cattle.io/node": .text(words[2]),
      "upgrade.cattle.io/version": .text(
        (rows("plan").first { $0[0] == words[1] }?[1] ?? "v").replacingOccurrences(
          of: "+", with: "-")),
    ]
    return [
      "job", words[0], Self.json(labels), words[3] == "waiting" ? "0" : "1",
      words[3] == "complete" ? "True" : "", words[3] == "failed" ? "True" : "",
      words.dropFirst(4).first { !$0.contains("=") } ?? "",
      words.first { $0.hasPrefix("failures=") }.map { String($0.dropFirst(9)) } ?? "",
    ].joined(separator: "\t")
  }

  /// A container as a pod's status has it: `drain ImagePullBackOff`, `upgrade Error WHAT IT SAID`.
  private func container(_ text: Substring) -> String {
    let words = words(of: text)
    let image =
      words[0] == "drain" ? "rancher/kubectl:v1.29.2" : "rancher/k3s-upgrade:v1.29.15-k3s1"
    let reason = words.dropFirst().first
    let message = words.dropFirst(2).joined(separator: " ")
    let state: Draft =
      switch reason {
      case nil: ["running": ["startedAt": "2026-03-01T10:00:00Z"]]
      case "Completed": ["terminated": ["reason": "Completed", "exitCode": 0]]
      case "Error":
        [
          "terminated": [
            "reason": "Error", "exitCode": 1, "message": message.isEmpty ? .absent : .text(message),
          ]
        ]
      case let reason?: ["waiting": ["reason": .text(reason)]]
      }
    return [words[0], image, Self.json(state), ""].joined(separator: "\t")
  }

  private var trouble: String {
    let pods = rows("pod").map { words in
      let containers = words.dropFirst(3).joined(separator: " ").split(separator: "|")
      return ["pod", "\(words[0])-x", words[0], words[1], words[2], "2026-03-01T10:00:00Z\t"]
        .joined(separator: "\t") + containers.map(container).joined()
    }
    let logs = rows("log").map { words in
      "log\t\(words[0])-x\t\(words.dropFirst().joined(separator: " "))"
    }
    let budgets = rows("budget").map { "budget\t\($0[0])\t0\t1\t1" }
    return (pods + logs + budgets).joined(separator: "\n") + "\n"
  }
}

private func words(of line: Substring) -> [String] { line.split(separator: " ").map(String.init) }
