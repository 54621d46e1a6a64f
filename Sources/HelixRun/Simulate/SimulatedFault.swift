package import HelixModel
package import HelixPlan

/// Something that goes wrong in a simulated run.
package struct SimulatedFault: Hashable, Sendable {
  /// What goes wrong.
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A step fails; what it stopped comes back, sooner or later.
    case fail
    /// The connection is lost during a step: what it does there goes on unseen.
    case disconnect
    /// A host is gone for good.
    case lost
    /// A host reboots by itself.
    case reboot
    /// A step fails and leaves k3s on its host down.
    case broken
    /// An etcd voter dies by itself; now and then it comes back.
    case voterDies = "voter-dies"
    /// The operator asks to stop.
    case ctrlC = "ctrl-c"
  }

  package var kind: Kind
  /// Where; nil for wherever the step runs.
  package var host: HostName?
  /// While which step runs; nil for some moment.
  package var step: StepID?

  package init(_ kind: Kind, host: HostName? = nil, step: StepID? = nil) {
    self.kind = kind
    self.host = host
    self.step = step
  }
}
