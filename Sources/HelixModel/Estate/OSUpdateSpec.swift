/// The `os-update:` part of cluster.yaml: how the packages of nodes are brought up to date.
package struct OSUpdateSpec: Sendable, Hashable {
  /// When a node reboots.
  package enum Reboot: String, Sendable, Hashable, CaseIterable {
    /// When the system asks for it, or a package comes that it asks for it for.
    case whenRequired = "when-required"
    /// After every update.
    case always
    case never
  }

  package var reboot: Reboot
  /// How many agents at once; servers always go one at a time.
  package var concurrency: Int
  /// Nil means that nodes are cordoned and not drained.
  package var drain: UpgradeSpec.Drain?

  package init(
    reboot: Reboot = .whenRequired, concurrency: Int = 1,
    drain: UpgradeSpec.Drain? = UpgradeSpec.Drain()
  ) {
    self.reboot = reboot
    self.concurrency = concurrency
    self.drain = drain
  }
}
