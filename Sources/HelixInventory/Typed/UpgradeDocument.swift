internal import HelixModel

/// The `upgrade:` part of cluster.yaml: its shape, and what it becomes.
enum UpgradeDocument {
  /// The release of the controller that its facts were checked with.
  static let controllerVersion = "v0.13.4"

  static let shape = Shape.fields([
    .optional(
      "strategy", .word(UpgradeSpec.Strategy.allCases.map(\.rawValue)),
      "who upgrades: the system-upgrade-controller, or helix-infra over SSH"),
    .optional(
      "through", .list(of: .text(example: "v1.29.15+k3s1")),
      "releases to stop at on the way to one that is more than a minor away"),
    .optional(
      "channel", .text(example: "https://update.k3s.io/v1-release/channels/v1.29"),
      "where the controller learns its release from, in place of k3s.version"),
    .optional("controller", controller, "which system-upgrade-controller there should be"),
    .optional(
      "plans",
      .fields([
        .optional("servers", plan, "how servers upgrade"),
        .optional("agents", plan, "how agents upgrade"),
      ]), "how nodes upgrade"),
  ])

  private static let controller = Shape.fields([
    .optional("version", .text(example: controllerVersion), "its release"),
    .optional(
      "manifests", .text(example: "manifests/system-upgrade"),
      "a folder of its manifests, in place of generated ones"),
    .optional(
      "registry", .text(example: "registry.example.org"), "where its images come from"),
  ])

  private static let plan = Shape.fields([
    .optional("concurrency", .integer(1...100), "how many nodes at once"),
    .optional("cordon", .bool, "whether a node takes no new pods while it is upgraded"),
    .optional("drain", .either(.bool, drain), "take the pods off a node first"),
    .optional("tolerations", .list(of: .open), "tolerations of the upgrade's pods"),
    .optional("exclusive", .bool, "no other upgrade on a node at the same time"),
    .optional("window", window, "when upgrades may begin"),
    .optional("deadline", .duration, "how long one node's upgrade may take"),
    .optional(
      "prepare", .text(example: "rancher/k3s-upgrade"),
      "the image with which agents wait for the servers"),
  ])

  static let drain = Shape.fields([
    .optional("timeout", .duration, "how long a drain may take"),
    .optional("grace-period", .duration, "how long a pod may take to end"),
    .optional("force", .bool, "take pods too that nothing brings back"),
    .optional("delete-emptydir-data", .bool, "take pods too that keep data in an emptyDir"),
    .optional("ignore-daemonsets", .bool, "leave the pods of DaemonSets"),
    .optional("disable-eviction", .bool, "delete pods past every disruption budget"),
    .optional(
      "skip-wait-for-delete-timeout", .duration,
      "do not wait for pods that have been going so long"),
    .optional("pod-selector", .text(example: "app!=storage"), "which pods to take"),
  ])

  private static let window = Shape.fields([
    .optional("days", .list(of: .word(days)), "the days on which it opens"),
    .required("start", .text(example: "02:00"), "when it opens"),
    .required("end", .text(example: "05:00"), "when it closes"),
    .optional("time-zone", .text(example: "Europe/Zurich"), "the zone of both times"),
  ])

  private static let days = [
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
  ]

  /// What the part declares; nil when there is none.
  static func spec(_ fields: Fields?) -> UpgradeSpec? {
    guard let fields else { return nil }
    let plans = fields.fields("plans")
    let own = fields.fields("controller")
    return UpgradeSpec(
      strategy: fields.text("strategy").flatMap { .init(rawValue: $0.value) } ?? .controller,
      through: fields.texts("through").compactMap { tag in
        K3sVersion(tag.value).map { Located($0, at: tag.location) }
      },
      channel: fields.text("channel"),
      controller: UpgradeSpec.Controller(
        version: own?.text("version") ?? Located(controllerVersion, at: fields.location),
        manifests: own?.text("manifests"), registry: own?.text("registry")),
      servers: plan(plans?.fields("servers"), at: fields.location),
      agents: plan(plans?.fields("agents"), at: fields.location), location: fields.location)
  }

  private static func plan(
    _ fields: Fields?, at location: SourceLocation
  ) -> UpgradeSpec.PlanSpec {
    guard let fields else { return UpgradeSpec.PlanSpec(location: location) }
    return UpgradeSpec.PlanSpec(
      concurrency: fields.integer("concurrency") ?? 1,
      drain: drain(fields), cordon: fields.bool("cordon") ?? true,
      tolerations: fields.mapping["tolerations"]?.list,
      exclusive: fields.bool("exclusive") ?? false, window: window(fields.fields("window")),
      deadline: fields.seconds("deadline"), prepare: fields.text("prepare"),
      location: fields.location)
  }

  /// How the pods are taken off, as `drain:` of a part says; nil when they stay.
  static func drain(_ plan: Fields) -> UpgradeSpec.Drain? {
    guard let fields = plan.fields("drain") else {
      return plan.bool("drain") == true ? UpgradeSpec.Drain() : nil
    }
    let standard = UpgradeSpec.Drain()
    return UpgradeSpec.Drain(
      timeout: fields.seconds("timeout") ?? standard.timeout,
      gracePeriod: fields.seconds("grace-period"), force: fields.bool("force") ?? standard.force,
      deleteEmptyDirData: fields.bool("delete-emptydir-data") ?? standard.deleteEmptyDirData,
      ignoreDaemonSets: fields.bool("ignore-daemonsets") ?? standard.ignoreDaemonSets,
      disableEviction: fields.bool("disable-eviction") ?? standard.disableEviction,
      skipWaitForDeleteTimeout: fields.seconds("skip-wait-for-delete-timeout"),
      podSelector: fields.text("pod-selector")?.value)
  }

  private static func window(_ fields: Fields?) -> UpgradeSpec.Window? {
    guard let fields, let start = fields.text("start"), let end = fields.text("end") else {
      return nil
    }
    return UpgradeSpec.Window(
      days: fields.texts("days"), start: start, end: end, timeZone: fields.text("time-zone"))
  }
}
