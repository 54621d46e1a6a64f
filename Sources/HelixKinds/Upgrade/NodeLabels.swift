/// Labels and annotations of nodes that upgrades go by.
enum NodeLabels {
  /// Every server of k3s carries it with the value `true`.
  static let controlPlane = "node-role.kubernetes.io/control-plane"
  /// What Kubernetes called it before; new releases do not set it any more.
  static let legacyControlPlane = "node-role.kubernetes.io/master"
  static let hostname = "kubernetes.io/hostname"
  /// Notes on a node which UpgradePlan we keep from it for now.
  static let hold = "helix.infra/holds-plan"
  /// Notes on a node how it stood before the upgrade's job: see `Before`.
  static let before = "helix.infra/before-upgrade"
  /// Notes on an UpgradePlan for which target the cordons of its nodes were noted.
  static let noted = "helix.infra/cordons-noted"
  /// Notes on an UpgradePlan that what its status says of a release is not the channel's answer yet.
  static let unasked = "helix.infra/channel-unasked"
  /// The value with which a node is left out.
  static let disabled = "disabled"
  /// The value with which a node waits for its job: any but `disabled` and the hash would do.
  static let due = "due"

  /// How a node stood before the controller had it; it uncordons nodes whoever cordoned them.
  enum Before: String, Sendable {
    /// Somebody had cordoned it, and it is cordoned again afterwards.
    case cordoned
    /// It took pods; a cordon is that of a job.
    case open
  }

  /// The label that tells how far a node is with an UpgradePlan.
  static func plan(_ name: String) -> String { "plan.upgrade.cattle.io/\(name)" }
}
