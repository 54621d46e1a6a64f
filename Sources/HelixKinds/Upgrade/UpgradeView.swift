import HelixModel
import HelixPlan

/// A node as upgrades see it.
struct UpgradeNode: Sendable, Hashable {
  var name: String
  /// What its kubelet reports; nil when that is no k3s release.
  var version: K3sVersion?
  var isReady: Bool
  /// Whether the cluster has not heard its kubelet for a while.
  var isOff: Bool
  var isVoter: Bool?
  var isCordoned: Bool
  var labels: [String: String]
  var taints: [NodeTaint]
  /// The UpgradePlan that we keep from it for now.
  var heldPlan: String?
  /// How it stood before the controller had it; nil when that was not noted.
  var before: NodeLabels.Before?
  /// What we have cordoned it for; nil when it was not us.
  var cordonedFor: String?

  var isServer: Bool { labels[NodeLabels.controlPlane] == "true" }

  func label(of plan: String) -> String? { labels[NodeLabels.plan(plan)] }
}

/// An UpgradePlan as it is in the cluster.
struct LiveUpgradePlan: Sendable, Hashable {
  var namespace: String
  var name: String
  var spec: Mapping
  /// The release in an image tag's spelling, `v1.29.15-k3s1`; empty before it is known.
  var latestVersion: String
  var latestHash: String
  /// Nodes it works on now, by their hostname labels.
  var applying: [String]
  /// `type=status reason message`, as far as there are any.
  var conditions: [String: Condition]
  /// The target for which the cordons of its nodes were noted.
  var noted: String
  /// Whether its status is still of what it led to before its channel.
  var isUnasked: Bool

  struct Condition: Sendable, Hashable {
    var status: String
    var reason: String
    var message: String
  }

  var isOurs: Bool {
    namespace == ControllerObjects.namespace && Self.ourNames.contains(name)
  }

  fileprivate static let ourNames = [UpgradePlanObject.serversName, UpgradePlanObject.agentsName]

  /// Whether its status tells where a channel leads, and not what was asked for before.
  func hasAsked(_ channel: String) -> Bool {
    let resolved = conditions["LatestResolved"]
    return spec["channel"]?.text == channel && !isUnasked && resolved?.status == "True"
      && resolved?.reason == "Channel" && !latestVersion.isEmpty
  }
}

/// A Job of the controller.
struct UpgradeJob: Sendable, Hashable {
  enum State: String, Sendable { case waiting, running, complete, failed }

  var name: String
  var plan: String
  var node: String
  /// In an image tag's spelling.
  var version: String
  var state: State
  /// Why it failed: `DeadlineExceeded`, `BackoffLimitExceeded`.
  var reason: String
  /// How many of its pods have failed.
  var failures = 0

  var isUnfinished: Bool { state == .waiting || state == .running }

  var isOurs: Bool { LiveUpgradePlan.ourNames.contains(plan) }
}

/// What one living server says of upgrades: nodes, UpgradePlans, jobs, the controller.
struct UpgradeView: Sendable, Hashable {
  var nodes: [UpgradeNode]
  var plans: [LiveUpgradePlan]
  var jobs: [UpgradeJob]
  /// The controller's image and how many of it are available; nil when it is not installed.
  var controller: Controller?

  struct Controller: Sendable, Hashable {
    var image: String
    var available: Int
  }

  func plan(_ name: String) -> LiveUpgradePlan? {
    plans.first { $0.namespace == ControllerObjects.namespace && $0.name == name }
  }

  func jobs(of plan: String) -> [UpgradeJob] { jobs.filter { $0.plan == plan } }

  /// Jobs of the UpgradePlans that bring nodes to a release of ours.
  var ownJobs: [UpgradeJob] { jobs.filter(\.isOurs) }

  func node(_ name: String) -> UpgradeNode? { nodes.first { $0.name == name } }
}

// MARK: - The fact

extension UpgradeView {
  /// Nil when the server does not answer.
  static let fact = Fact<UpgradeView?>(
    "upgrades", command: command, parse: parse,
    summary: { $0.map(\.summary) ?? "no answer" })

  private static let command = """
    \(ClusterDoor.shell)
    helix_in="-n \(ControllerObjects.namespace)"
    if ! helix_served; then echo silent
    elif helix_kubectl get nodes -o jsonpath=\(shellQuoted(nodeRow)) &&
      helix_kinds=$(helix_kubectl get crd \(PlanDefinition.name) --ignore-not-found -o name) &&
      { [ -z "$helix_kinds" ] ||
        helix_kubectl get \(PlanDefinition.name) -A -o jsonpath=\(shellQuoted(planRow)); } &&
      helix_kubectl $helix_in get jobs -l upgrade.cattle.io/plan -o jsonpath=\(shellQuoted(jobRow)) &&
      helix_kubectl $helix_in get deployment \(ControllerObjects.name) --ignore-not-found \\
        -o jsonpath=\(shellQuoted(controllerRow))
    then echo whole; else echo silent; fi
    """

  private static let nodeRow =
    #"{range .items[*]}node{"\t"}{.metadata.name}{"\t"}{.status.nodeInfo.kubeletVersion}{"\t"}"#
    + #"{.status.conditions[?(@.type=="Ready")].status}{"\t"}"#
    + #"{.status.conditions[?(@.type=="EtcdIsVoter")].status}{"\t"}{.spec.unschedulable}{"\t"}"#
    + #"{.metadata.labels}{"\t"}{.spec.taints}{"\t"}"#
    + #"{.metadata.annotations.helix\.infra/holds-plan}{"\t"}"#
    + #"{.metadata.annotations.helix\.infra/before-upgrade}{"\t"}"#
    + #"{.metadata.annotations.\#(NodeDrain.annotationPath)}{"\n"}{end}"#

  private static let planRow =
    #"{range .items[*]}plan{"\t"}{.metadata.namespace}{"\t"}{.metadata.name}{"\t"}{.spec}{"\t"}"#
    + #"{.status}{"\t"}{.metadata.annotations.helix\.infra/cordons-noted}{"\t"}"#
    + #"{.metadata.annotations.helix\.infra/channel-unasked}{"\n"}{end}"#

  private static let jobRow =
    #"{range .items[*]}job{"\t"}{.metadata.name}{"\t"}{.metadata.labels}{"\t"}{.spec.parallelism}"#
    + #"{"\t"}{.status.conditions[?(@.type=="Complete")].status}{"\t"}"#
    + #"{.status.conditions[?(@.type=="Failed")].status}{"\t"}"#
    + #"{.status.conditions[?(@.type=="Failed")].reason}{"\t"}{.status.failed}{"\n"}{end}"#

  private static let controllerRow =
    #"controller{"\t"}{.spec.template.spec.containers[0].image}{"\t"}"#
    + #"{.status.availableReplicas}{"\n"}"#

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> UpgradeView? {
    var view = UpgradeView(nodes: [], plans: [], jobs: [], controller: nil)
    var ending: Substring?
    for line in answer.output.split(separator: "\n") {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      switch (cells[0], cells.count) {
      case ("node", 11): view.nodes.append(try UpgradeNode(cells))
      case ("plan", 7): view.plans.append(try LiveUpgradePlan(cells))
      case ("job", 8): view.jobs.append(try UpgradeJob(cells))
      case ("controller", 3):
        view.controller = Controller(image: cells[1], available: Int(cells[2]) ?? 0)
      default: ending = line
      }
    }
    switch ending {
    case "whole": break
    case "silent": return nil
    default: throw Diagnostic("the answer about upgrades broke off")
    }
    view.nodes.sort { $0.name < $1.name }
    view.plans.sort { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
    view.jobs.sort { $0.name < $1.name }
    return view
  }

  // What a plan of ours hangs on: a job that goes on or a message that grows is no other fact.
  private var summary: String {
    let told = nodes.map { node in
      let marks = [
        node.isOff ? "off" : "", node.isCordoned ? "cordoned" : "",
        node.label(of: node.isServer ? UpgradePlanObject.serversName : UpgradePlanObject.agentsName)
          == NodeLabels.disabled ? "held" : "",
        node.before.map { "\($0) before" } ?? "",
      ].filter { !$0.isEmpty }
      return ([node.name, node.version?.description ?? "?"] + marks).joined(separator: " ")
    }
    let plans = plans.map { "\($0.name) \(shortDigest(JSONText.write(.mapping($0.spec))))" }
    let failed = ownJobs.filter { $0.state == .failed }.map { "\($0.name) failed" }
    return (told + plans + failed).joined(separator: ", ")
  }
}

// MARK: - Rows

extension UpgradeNode {
  fileprivate init(_ cells: [String]) throws(Diagnostic) {
    let taints = try json(cells[7])?.list ?? []
    self.init(
      name: cells[1], version: K3sVersion(cells[2]), isReady: cells[3] == "True",
      isOff: cells[3] != "True" && cells[3] != "False",
      isVoter: cells[4].isEmpty ? nil : cells[4] == "True", isCordoned: cells[5] == "true",
      labels: texts(try json(cells[6])), taints: taints.compactMap { NodeTaint($0) },
      heldPlan: cells[8].isEmpty ? nil : cells[8],
      before: NodeLabels.Before(rawValue: cells[9]),
      cordonedFor: cells[10].isEmpty ? nil : cells[10])
  }
}

extension LiveUpgradePlan {
  fileprivate init(_ cells: [String]) throws(Diagnostic) {
    let status = try json(cells[4])?.mapping ?? Mapping()
    var conditions: [String: Condition] = [:]
    for condition in status["conditions"]?.list ?? [] {
      guard let fields = condition.mapping, let type = fields["type"]?.text else { continue }
      conditions[type] = Condition(
        status: fields["status"]?.text ?? "", reason: fields["reason"]?.text ?? "",
        message: fields["message"]?.text ?? "")
    }
    self.init(
      namespace: cells[1], name: cells[2], spec: try json(cells[3])?.mapping ?? Mapping(),
      latestVersion: status["latestVersion"]?.text ?? "",
      latestHash: status["latestHash"]?.text ?? "",
      applying: (status["applying"]?.list ?? []).compactMap(\.text), conditions: conditions,
      noted: cells[5], isUnasked: !cells[6].isEmpty)
  }
}

extension UpgradeJob {
  fileprivate init(_ cells: [String]) throws(Diagnostic) {
    let labels = texts(try json(cells[2]))
    let state: State
    if cells[4] == "True" {
      state = .complete
    } else if cells[5] == "True" {
      state = .failed
    } else {
      state = cells[3] == "0" ? .waiting : .running
    }
    self.init(
      name: cells[1], plan: labels["upgrade.cattle.io/plan"] ?? "",
      node: labels["upgrade.cattle.io/node"] ?? "",
      version: labels["upgrade.cattle.io/version"] ?? "", state: state, reason: cells[6],
      failures: Int(cells[7]) ?? 0)
  }
}

private func json(_ cell: String) throws(Diagnostic) -> Node? {
  cell.isEmpty ? nil : try JSONReading.read(cell)
}

private func texts(_ node: Node?) -> [String: String] {
  let pairs = (node?.mapping?.entries ?? []).map { ($0.key, $0.value.scalarText ?? "") }
  return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
}
