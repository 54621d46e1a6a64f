import HelixModel
import HelixPlan

/// What the etcd on a server counts of itself, from its plain listener on the loopback address.
struct EtcdMetrics: Sendable, Hashable {
  /// Whether it knows a leader; without one nothing can be written.
  var hasLeader: Bool?
  var isLeader: Bool
  var isLearner: Bool
  var serverID: String?
  /// Since the process started, as all that is counted here.
  var leaderChanges: Int?
  var databaseBytes: Int?
  var usedBytes: Int?
  var quotaBytes: Int?
  /// The seconds within which 99 of 100 writes of the log were on the disk.
  var fsync99: Double?

  /// Nil where no etcd answers.
  static let fact = Fact<EtcdMetrics?>(
    "etcd-metrics",
    command: """
      \(ShellLibrary.http)
      [ ! -d \(K3sPaths.etcdMember) ] || helix_http 127.0.0.1 2381 /metrics | grep -E '\(wanted)'
      echo asked
      """,
    parse: parse, summary: { $0.map(\.summary) ?? "no answer" })

  // The whole page has some thousand lines.
  private static let wanted =
    "^etcd_(server_(has_leader|is_leader|is_learner|id|leader_changes_seen_total"
    + "|quota_backend_bytes)|mvcc_db_total_size_in_(use_in_)?bytes"
    + "|disk_wal_fsync_duration_seconds_bucket)[ {]"

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> EtcdMetrics? {
    guard answer.output.split(separator: "\n").last == "asked" else {
      throw Diagnostic("the host does not say how its etcd is", reason: "its answer broke off")
    }
    let page = PrometheusText(answer.output)
    guard page["etcd_server_has_leader"] != nil || page["etcd_server_is_leader"] != nil else {
      return nil
    }
    return EtcdMetrics(
      hasLeader: page["etcd_server_has_leader"].map { $0 == 1 },
      isLeader: page["etcd_server_is_leader"] == 1,
      isLearner: page["etcd_server_is_learner"] == 1,
      serverID: page.samples.first { $0.name == "etcd_server_id" }?.labels["server_id"],
      leaderChanges: page.count("etcd_server_leader_changes_seen_total"),
      databaseBytes: page.count("etcd_mvcc_db_total_size_in_bytes"),
      usedBytes: page.count("etcd_mvcc_db_total_size_in_use_in_bytes"),
      quotaBytes: page.count("etcd_server_quota_backend_bytes"),
      fsync99: LatencyHistogram(page, "etcd_disk_wal_fsync_duration_seconds")?.quantile(0.99))
  }

  // What is measured is never the same twice.
  private var summary: String {
    let part = isLearner ? "learner" : isLeader ? "leader" : "follower"
    return hasLeader == false ? "\(part) without a leader" : part
  }
}
