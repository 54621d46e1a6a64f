/// The `upgrade:` part of cluster.yaml: how a living cluster comes to another release.
package struct UpgradeSpec: Sendable, Hashable {
  /// Who carries an upgrade out.
  package enum Strategy: String, Sendable, Hashable, CaseIterable {
    /// The system-upgrade-controller, in the cluster.
    case controller
    /// helix-infra itself, over SSH.
    case ssh
  }

  package var strategy: Strategy
  /// Releases to stop at on the way to one that is more than a minor away, oldest first.
  package var through: [Located<K3sVersion>]
  /// Where the controller learns its release from in place of `k3s.version`: a release channel's URL.
  package var channel: Located<String>?
  package var controller: Controller
  package var servers: PlanSpec
  package var agents: PlanSpec
  package var location: SourceLocation

  package init(
    strategy: Strategy = .controller, through: [Located<K3sVersion>] = [],
    channel: Located<String>? = nil, controller: Controller, servers: PlanSpec, agents: PlanSpec,
    location: SourceLocation
  ) {
    self.strategy = strategy
    self.through = through
    self.channel = channel
    self.controller = controller
    self.servers = servers
    self.agents = agents
    self.location = location
  }
}

extension UpgradeSpec {
  /// Which system-upgrade-controller there should be.
  package struct Controller: Sendable, Hashable {
    /// A release tag such as `v0.13.4`.
    package var version: Located<String>
    /// A folder of its manifests, in place of those that are generated.
    package var manifests: Located<String>?
    /// What the folder holds; nil where there is none.
    package var objects: [ManifestObject]?
    /// The registry that its images come from, in place of Docker Hub.
    package var registry: Located<String>?

    package init(
      version: Located<String>, manifests: Located<String>? = nil,
      objects: [ManifestObject]? = nil, registry: Located<String>? = nil
    ) {
      self.version = version
      self.manifests = manifests
      self.objects = objects
      self.registry = registry
    }
  }

  /// How one sort of node is upgraded; both strategies go by it.
  package struct PlanSpec: Sendable, Hashable {
    /// How many nodes at once.
    package var concurrency: Int
    /// Nil means that nodes are cordoned and not drained.
    package var drain: Drain?
    package var cordon: Bool
    /// Tolerations of the upgrade's pods, as Kubernetes writes them; nil means those that the
    /// servers' taints need.
    package var tolerations: [Node]?
    /// Whether no other upgrade may run on a node at the same time.
    package var exclusive: Bool
    package var window: Window?
    /// Seconds that one node's upgrade may take.
    package var deadline: Int?
    /// The image whose `prepare` waits for the servers; nil means k3s-upgrade's own.
    package var prepare: Located<String>?
    package var location: SourceLocation

    package init(
      concurrency: Int = 1, drain: Drain? = nil, cordon: Bool = true, tolerations: [Node]? = nil,
      exclusive: Bool = false, window: Window? = nil, deadline: Int? = nil,
      prepare: Located<String>? = nil, location: SourceLocation
    ) {
      self.concurrency = concurrency
      self.drain = drain
      self.cordon = cordon
      self.tolerations = tolerations
      self.exclusive = exclusive
      self.window = window
      self.deadline = deadline
      self.prepare = prepare
      self.location = location
    }
  }

  /// How pods are taken off a node, in the words of `kubectl drain`.
  package struct Drain: Sendable, Hashable {
    /// Seconds for the whole drain.
    package var timeout: Int
    /// Seconds that a pod may take to end; nil leaves it to the pod.
    package var gracePeriod: Int?
    /// Whether pods go that nothing brings back.
    package var force: Bool
    package var deleteEmptyDirData: Bool
    package var ignoreDaemonSets: Bool
    /// Whether pods are deleted rather than evicted, past every disruption budget.
    package var disableEviction: Bool
    package var skipWaitForDeleteTimeout: Int?
    package var podSelector: String?

    package init(
      timeout: Int = 300, gracePeriod: Int? = nil, force: Bool = false,
      deleteEmptyDirData: Bool = true, ignoreDaemonSets: Bool = true,
      disableEviction: Bool = false, skipWaitForDeleteTimeout: Int? = nil,
      podSelector: String? = nil
    ) {
      self.timeout = timeout
      self.gracePeriod = gracePeriod
      self.force = force
      self.deleteEmptyDirData = deleteEmptyDirData
      self.ignoreDaemonSets = ignoreDaemonSets
      self.disableEviction = disableEviction
      self.skipWaitForDeleteTimeout = skipWaitForDeleteTimeout
      self.podSelector = podSelector
    }
  }

  /// When upgrades may begin.
  package struct Window: Sendable, Hashable {
    /// `monday` … `sunday`.
    package var days: [Located<String>]
    /// `HH:MM`.
    package var start: Located<String>
    package var end: Located<String>
    /// An IANA name such as `Europe/Zurich`; nil means UTC.
    package var timeZone: Located<String>?

    package init(
      days: [Located<String>], start: Located<String>, end: Located<String>,
      timeZone: Located<String>? = nil
    ) {
      self.days = days
      self.start = start
      self.end = end
      self.timeZone = timeZone
    }
  }
}
