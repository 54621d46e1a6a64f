import HelixModel
import HelixPlan

/// A node's labels and taints as `node-label` and `node-taint` say.
///
/// k3s sets them when a node registers and never again, so a living node is told through the API.
/// What helix-infra has set is remembered in an annotation of the node, and taken away when it is
/// no longer said; labels and taints of others stay as they are.
struct K3sNodeMarks: Resource {
  static let kind = "k3s-node"
  let node: K3sNode
  /// Of all nodes of the cluster.
  let fact: Fact<[String: LiveMarks]?>

  var address: Address { node.address(Self.kind) }
  var location: SourceLocation? { node.location }
  var after: [Address] { [node.address(K3sService.kind)] }
  /// A server is told through its own API, so that no other has to be up for it.
  var mayAwait: [Address] { node.role == .server ? [] : door.waits }

  private var door: ClusterDoor { ClusterDoor(cluster: node.cluster) }
  private var wanted: NodeMarks { Self.wanted(node) }

  static func wanted(_ node: K3sNode) -> NodeMarks {
    NodeMarks(node.role == .server ? node.cluster.serverSettings : node.cluster.agentSettings)
  }

  /// The question that all nodes of a cluster share.
  static func fact(of cluster: K3sCluster) -> Fact<[String: LiveMarks]?> {
    let servers = NodeMarks(cluster.serverSettings)
    let agents = NodeMarks(cluster.agentSettings)
    let wanted =
      cluster.servers.map { ($0.nodeName, servers) } + cluster.agents.map { ($0.nodeName, agents) }
    return LiveMarks.fact(Dictionary(wanted, uniquingKeysWith: { first, _ in first }))
  }

  var questions: [Question] {
    door.questions + node.cluster.servers.map { Question(fact, on: $0.host) }
  }

  /// What the cluster says of all its nodes' marks; read once for all of them.
  private struct View: Sendable {
    var nodes: [String: LiveMarks]
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let wanted = wanted
    let nothing = Verdict.unchanged(reason: "no labels or taints are asked for")
    switch try door.way(&sight) {
    case .closed(let why): return wanted.isEmpty ? nothing : .heldBack(why)
    case .opening(let host):
      guard !wanted.isEmpty else { return nothing }
      let isNew = try ClusterSurvey.read(node.cluster, &sight).isNew
      return isNew ? .change(registered(wanted, on: host)) : .heldBack(comparedLater)
    case .open(let host):
      let view = try sight.shared(View.self) { (sight) throws(Diagnostic) in
        guard let nodes = try sight.read(fact, on: host) else {
          throw Diagnostic("the cluster's API did not tell of its nodes")
        }
        return View(nodes: nodes)
      }
      guard let live = view.nodes[node.name] else {
        return wanted.isEmpty ? nothing : .change(registered(wanted, on: host))
      }
      let fields = fields(from: live, to: wanted)
      guard !fields.isEmpty else {
        return wanted.isEmpty ? nothing : .unchanged(reason: "it bears what is asked for")
      }
      return .change(
        work(.update, fields, reason: "its labels or taints differ", live, wanted, on: host))
    }
  }

  /// It bears them from its registration on; only the memory of it is missing.
  private func registered(_ wanted: NodeMarks, on host: HostName) -> Work {
    let none = LiveMarks(marks: NodeMarks(), remembered: [])
    return work(
      .create, fields(from: none, to: wanted).filter { $0.name != Self.memory },
      reason: "the node is not in the cluster yet", none, wanted, on: host)
  }
}

// MARK: - Difference

extension K3sNodeMarks {
  private var comparedLater: Diagnostic {
    Diagnostic(
      "the labels and taints of \(node.name) are compared when \(node.cluster.name) answers again",
      reason: "nobody tells now which of them it has", remedy: "apply this plan, then apply again",
      at: .resource(address))
  }
}

extension K3sNodeMarks {
  private static let memory = "remembered"

  private func fields(from live: LiveMarks, to wanted: NodeMarks) -> [FieldChange] {
    var fields: [FieldChange] = []
    let shown = { (value: String?) in value == "" ? "set" : value }
    for key in Set(live.marks.labels.keys).union(wanted.labels.keys).sorted() {
      let (before, after) = (live.marks.labels[key], wanted.labels[key])
      if before != after {
        fields.append(FieldChange("label \(key)", before: shown(before), after: shown(after)))
      }
    }
    for key in Set(live.marks.taints.keys).union(wanted.taints.keys).sorted() {
      let (before, after) = (live.marks.taints[key], wanted.taints[key])
      if before != after {
        fields.append(FieldChange("taint \(key)", before: shown(before), after: shown(after)))
      }
    }
    if fields.isEmpty, live.remembered != wanted.names {
      fields.append(
        FieldChange(
          Self.memory, before: Self.words(live.remembered), after: Self.words(wanted.names)))
    }
    return fields
  }

  private static func words(_ names: Set<String>) -> String? {
    names.isEmpty ? nil : names.sorted().joined(separator: ",")
  }

  private func disruption(_ live: LiveMarks, _ wanted: NodeMarks) -> String? {
    let evicts = wanted.taints.contains { key, value in
      key.effect == "NoExecute" && live.marks.taints[key] != value
    }
    return evicts ? "ends the pods on \(node.name) that do not tolerate the new taint" : nil
  }
}

// MARK: - Steps

extension K3sNodeMarks {
  private func work(
    _ action: Action, _ fields: [FieldChange], reason: String, _ live: LiveMarks,
    _ wanted: NodeMarks, on host: HostName
  ) -> Work {
    let host = node.role == .server ? node.host : host
    return Work(
      action, fields: fields, reason: reason,
      disruption: action == .create ? nil : disruption(live, wanted),
      after: mayAwait.filter { $0.host == host },
      steps: [
        Step(
          StepID(address, "mark"), title: "label and taint \(node.name)", host: host,
          instructions: [.run(script: script(live, wanted))])
      ])
  }

  /// Remembered first, so that a run that breaks off leaves no mark that nobody knows of.
  private func script(_ live: LiveMarks, _ wanted: NodeMarks) -> String {
    let name = shellQuoted(node.name)
    let labels = wanted.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let taints = wanted.taints.sorted { $0.key < $1.key }.map { taint, value in
      value.isEmpty ? "\(taint)" : "\(taint.key)=\(value):\(taint.effect)"
    }
    let goneLabels = live.marks.labels.keys.filter { wanted.labels[$0] == nil }.sorted()
    let goneTaints = live.marks.taints.keys.filter { wanted.taints[$0] == nil }.sorted()
    var lines = ["# label and taint \(node.name)", ClusterDoor.shell]
    let lasting = live.remembered.union(wanted.names)
    if lasting != wanted.names, lasting != live.remembered { lines.append(remember(lasting)) }
    if lasting == wanted.names { lines.append(remember(wanted.names)) }
    let marks = labels + goneLabels.map { "\($0)-" }
    if !marks.isEmpty {
      lines.append("helix_kubectl label node \(name) --overwrite \(quoted(marks)) >/dev/null")
    }
    if !taints.isEmpty {
      lines.append("helix_kubectl taint node \(name) --overwrite \(quoted(taints)) >/dev/null")
    }
    // A taint that is not there any more is refused by kubectl.
    lines += goneTaints.map { taint in
      """
      if helix_kubectl get node \(name) -o jsonpath='{range .spec.taints[*]}{.key}:{.effect}{"\\n"}{end}' |
        grep -qxF \(shellQuoted("\(taint)"))
      then
        helix_kubectl taint node \(name) \(shellQuoted("\(taint)-")) >/dev/null
      fi
      """
    }
    if lasting != wanted.names { lines.append(remember(wanted.names)) }
    return lines.joined(separator: "\n")
  }

  private func remember(_ names: Set<String>) -> String {
    let words = Self.words(names)
    let mark = words.map { "\(LiveMarks.annotation)=\($0)" } ?? "\(LiveMarks.annotation)-"
    return "helix_kubectl annotate node \(shellQuoted(node.name)) --overwrite \(shellQuoted(mark))"
      + " >/dev/null"
  }

  private func quoted(_ words: [String]) -> String { words.map(shellQuoted).joined(separator: " ") }
}
