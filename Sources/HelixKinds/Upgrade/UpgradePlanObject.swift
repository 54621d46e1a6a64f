import HelixModel

/// An UpgradePlan: what the system-upgrade-controller does to nodes of one sort.
struct UpgradePlanObject: Sendable, Hashable {
  static let serversName = "server-plan"
  static let agentsName = "agent-plan"
  static let apiVersion = "\(PlanDefinition.group)/v1"
  static let image = "rancher/k3s-upgrade"

  /// What it brings nodes to.
  enum Target: Sendable, Hashable {
    case release(K3sVersion)
    /// The URL of a release channel.
    case channel(String)

    var words: String {
      switch self {
      case .release(let release): release.description
      case .channel(let url): url
      }
    }
  }

  let role: K3sRoleOfNode
  var target: Target
  var followsChannel: Bool { if case .channel = target { true } else { false } }
  let spec: UpgradeSpec.PlanSpec
  let registry: String?
  let release: ControllerRelease?
  /// Of nodes that it is for, in order.
  var taints: [NodeTaint]

  var name: String { Self.name(role) }

  static func name(_ role: K3sRoleOfNode) -> String {
    role == .server ? serversName : agentsName
  }

  var object: ManifestObject {
    Draft.fields([("spec", plan)]).object(
      Self.apiVersion, "Plan", name, in: ControllerObjects.namespace, at: spec.location)
  }

  /// The object with the note for which target the cordons of its nodes were looked at.
  ///
  /// The note comes with the target, so a cordon that is not noted then is that of a job. So does the
  /// one that the channel has to be asked anew, and no cut can come between.
  func noted(unasked: Bool) -> ManifestObject {
    Draft.fields([("spec", plan)]).object(
      Self.apiVersion, "Plan", name, in: ControllerObjects.namespace,
      annotations: [
        NodeLabels.noted: .text(target.words), NodeLabels.unasked: unasked ? "true" : .absent,
      ], at: spec.location)
  }

  /// Whether what its status says of a release would not be the channel's answer.
  func mustBeAsked(by live: LiveUpgradePlan) -> Bool {
    guard case .channel(let channel) = target else { return false }
    return live.isUnasked || live.spec["channel"]?.text != channel
  }

  /// Whether the controller makes nodes schedulable again when it is done, whoever cordoned them.
  var uncordons: Bool { spec.cordon || spec.drain != nil }

  /// Seconds for one node's job.
  ///
  /// Servers are waited for before agents are told, so `prepare` only looks again; a drain and a
  /// slow image are what takes long.
  var deadline: Int { spec.deadline ?? max(ControllerObjects.jobDeadline, drainTime + 1800) }

  private var drainTime: Int { spec.drain?.timeout ?? 0 }
}

// MARK: - The spec

extension UpgradePlanObject {
  private var plan: Draft {
    let images = Draft.text(ControllerObjects.image(Self.image, from: registry))
    var version = Draft.absent
    var channel = Draft.absent
    switch target {
    case .release(let release): version = .text("\(release)")
    case .channel(let url): channel = .text(url)
    }
    return [
      "concurrency": .number(spec.concurrency),
      "version": version, "channel": channel,
      "nodeSelector": ["matchExpressions": .list([selector] + marked)],
      "serviceAccountName": .text(ControllerObjects.account),
      "tolerations": tolerations,
      "exclusive": spec.exclusive ? true : .absent,
      "window": window,
      "jobActiveDeadlineSecs": .number(deadline),
      "prepare": prepare(images),
      "cordon": spec.cordon && spec.drain == nil ? true : .absent,
      "drain": drain,
      "upgrade": ["image": images],
    ]
  }

  private var selector: Draft {
    switch role {
    case .server:
      ["key": .text(NodeLabels.controlPlane), "operator": "In", "values": ["true"]]
    case .agent: ["key": .text(NodeLabels.controlPlane), "operator": "DoesNotExist"]
    }
  }

  // A job would cordon and drain a node that has just joined, for nothing: it carries no mark, and is
  // left alone until a run has looked at it. Where a channel leads, every node follows.
  private var marked: [Draft] {
    guard case .release = target else { return [] }
    return [["key": .text(NodeLabels.plan(name)), "operator": "Exists"]]
  }

  private func prepare(_ image: Draft) -> Draft {
    // A server's job that waits for the servers would wait for itself.
    guard role == .agent else { return .absent }
    return [
      "image": spec.prepare.map { .text($0.value) } ?? image,
      "args": ["prepare", .text(Self.serversName)],
    ]
  }

  private var tolerations: Draft {
    if let written = spec.tolerations {
      return written.isEmpty ? .absent : .list(written.map(Draft.node))
    }
    let needed = NodeTaint.tolerations(of: taints)
    return needed.isEmpty ? .absent : .list(needed)
  }

  private var window: Draft {
    guard let window = spec.window else { return .absent }
    let days = window.days.isEmpty ? Self.week : window.days.map(\.value)
    return [
      "days": .list(days.map(Draft.text)),
      "startTime": .text(window.start.value), "endTime": .text(window.end.value),
      "timeZone": .text(window.timeZone?.value ?? "UTC"),
    ]
  }

  private static let week = [
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
  ]

  private var drain: Draft {
    guard let drain = spec.drain else { return .absent }
    let takesText = release?.takesDurationText ?? false
    return [
      "timeout": takesText
        ? .text("\(drain.timeout)s") : .number(drain.timeout * 1_000_000_000),
      "gracePeriod": drain.gracePeriod.map(Draft.number) ?? .absent,
      "force": .truth(drain.force),
      "deleteEmptydirData": .truth(drain.deleteEmptyDirData),
      "ignoreDaemonSets": .truth(drain.ignoreDaemonSets),
      "disableEviction": drain.disableEviction ? true : .absent,
      "skipWaitForDeleteTimeout": drain.skipWaitForDeleteTimeout.map(Draft.number) ?? .absent,
      "podSelector": drain.podSelector.flatMap(PodSelector.init)?.draft ?? .absent,
    ]
  }
}
