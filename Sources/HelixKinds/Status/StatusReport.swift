package import HelixModel

/// How a cluster is: what was read of it, and what of that is wrong.
///
/// Its names are the keys of the JSON document; sizes are bytes.
package struct StatusReport: Sendable, Hashable {
  package enum Standing: String, Sendable, Hashable, Encodable {
    /// Servers answer for it.
    case living
    /// It is on disks, and no server answers for it.
    case asleep
    /// No server holds or serves a cluster.
    case new
    /// What was seen tells nothing for sure, or cannot be one cluster.
    case unclear
  }

  package var cluster: String
  package var standing: Standing
  /// The release that the inventory wants.
  package var release: String
  package var etcd: Etcd?
  package var endpoint: Endpoint?
  /// Servers, then agents, in inventory order; then nodes that are in no inventory, by name.
  package var nodes: [Node]
  package var upgradePlans: [UpgradePlanState]
  /// By how many seconds the hosts' clocks, which agree with each other, are ahead of ours; nil when
  /// ours is right, or they do not agree.
  package var clockReference: Int?
  /// Nil when no API says.
  package var pods: Pods?
  /// Who holds the cluster's lock; nil when too few servers say.
  package var lock: Lock?
  /// All that is wrong or odd, errors first.
  package var problems: [Diagnostic] = []

  /// Milliseconds; etcd's own advice for the 99th percentile.
  package static let slowestDisk = 10.0
  /// Seconds that a clock may be off before it is told; the question's own way is among them.
  package static let oddClock = 2
  /// Seconds beyond which k3s takes certificates for not yet valid.
  package static let clockTolerance = ClockReading.tolerance
  /// Days in which somebody should have restarted k3s, which renews certificates when it starts.
  package static let shortestCertificate = 30

  /// Whether nothing is wrong; what is odd alone is not.
  package var isHealthy: Bool { problems.allSatisfy { $0.severity != .error } }
}

extension StatusReport {
  /// The votes of etcd, counted.
  package struct Etcd: Sendable, Hashable, Encodable {
    package var voters: Int
    /// Voters whose own etcd says that it is well.
    package var well: Int
    /// How many of those that are well may stop before the majority is lost; below nothing when it is.
    package var spare: Int
    package var leader: String?
    /// The largest of the members' databases.
    package var databaseBytes: Int?
  }

  /// The registration address.
  package struct Endpoint: Sendable, Hashable, Encodable {
    package var address: String
    /// Whether the cluster is behind it; nil when nobody could ask.
    package var answers: Bool?
  }

  /// A declared host, or a node that is in no inventory.
  package struct Node: Sendable, Hashable, Encodable {
    package enum Role: String, Sendable, Hashable, Encodable { case server, agent }

    package var name: String
    package var role: Role
    /// Whether the inventory has it.
    package var declared: Bool
    /// Why it could not be asked; nil when it was, and for nodes that are in no inventory.
    package var unreachable: Diagnostic?
    /// The release its kubelet reports, and the one that is on its disk.
    package var version: String?
    package var installed: String?
    package var service: Service?
    /// As the cluster sees it; nil when no API says, or the cluster does not know it.
    package var ready: Bool?
    package var reason: String?
    package var pressures: [String] = []
    package var cordoned = false
    /// Who cordoned it, as far as that can be told.
    package var cordonedBy: String?
    package var etcd: Member?
    /// How many seconds its clock is ahead of ours.
    package var clockOffset: Int?
    /// The certificate that ends first.
    package var certificate: Certificate?
    package var disk: Room?
    package var podsNotReady: Int?
  }

  package struct Service: Sendable, Hashable, Encodable {
    package var unit: String
    /// systemd's word: `active`, `failed`.
    package var state: String
    package var restarts: Int?
  }

  /// A member of etcd.
  package struct Member: Sendable, Hashable, Encodable {
    package enum Part: String, Sendable, Hashable, Encodable { case leader, follower, learner }

    /// Nil where its etcd does not answer.
    package var part: Part?
    package var healthy: Bool
    package var fsync99Milliseconds: Double?
    package var leaderChanges: Int?
    package var databaseBytes: Int?
    package var quotaBytes: Int?
  }

  package struct Certificate: Sendable, Hashable, Encodable {
    package var file: String
    /// Seconds since 1970.
    package var ends: Int
    /// Whole days from now; below nothing when it has ended.
    package var days: Int
  }

  package struct Room: Sendable, Hashable, Encodable {
    package var total: Int
    package var free: Int

    /// Whether the kubelet may soon put pods out.
    package var isShort: Bool { free < max(total / 10, 1 << 30) }
  }

  package struct Pods: Sendable, Hashable, Encodable {
    package var notReady: Int
    /// Not more than the first two hundred.
    package var first: [Pod]
  }

  /// A pod that is not ready.
  package struct Pod: Sendable, Hashable, Encodable {
    package var namespace: String
    package var name: String
    /// `0/1`.
    package var ready: String
    /// In kubectl's word: `CrashLoopBackOff`.
    package var reason: String
    package var node: String?
    /// Whether it was made within the last two minutes, and may only be starting.
    package var isYoung: Bool

    private enum CodingKeys: String, CodingKey { case namespace, name, ready, reason, node }
  }
}

extension StatusReport: Encodable {
  private enum Key: String, CodingKey {
    case format, version, healthy, cluster, standing, release, etcd, endpoint, nodes, upgradePlans,
      clockReference, pods, lock, problems
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode("helix-infra/status", forKey: .format)
    try container.encode(1, forKey: .version)
    try container.encode(isHealthy, forKey: .healthy)
    try container.encode(cluster, forKey: .cluster)
    try container.encode(standing, forKey: .standing)
    try container.encode(release, forKey: .release)
    try container.encodeIfPresent(etcd, forKey: .etcd)
    try container.encodeIfPresent(endpoint, forKey: .endpoint)
    try container.encode(nodes, forKey: .nodes)
    try container.encode(upgradePlans, forKey: .upgradePlans)
    try container.encodeIfPresent(clockReference, forKey: .clockReference)
    try container.encodeIfPresent(pods, forKey: .pods)
    try container.encodeIfPresent(lock, forKey: .lock)
    try container.encode(problems, forKey: .problems)
  }
}
