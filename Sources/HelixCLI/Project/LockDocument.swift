import Foundation
import HelixModel
import HelixPlan
import HelixRun

/// Who holds a cluster's lock, for programs.
struct LockDocument: Encodable {
  let format = "helix-infra/lock"
  let version = 1
  let cluster: String
  /// In the inventory's order.
  let servers: [Server]

  struct Server: Encodable {
    let host: String
    /// `free`, `live`, `gone`, `expired` or `silent`.
    let state: String
    let holder: LockHolder?
    /// Whether the copy was taken away from its holder.
    let removed: Bool
    /// Why it did not answer.
    let unreachable: Diagnostic?
  }

  init(cluster: String, _ report: LockReport, removed: [HostName]) {
    self.cluster = cluster
    servers = report.servers.map { host, sight in
      switch sight {
      case .silent(let why):
        Server(
          host: host.rawValue, state: "silent", holder: nil, removed: false, unreachable: why)
      case .seen(let lock):
        Server(
          host: host.rawValue,
          state: lock.state == .live && !lock.isAlive ? "gone" : lock.state.rawValue,
          holder: lock.holder,
          removed: lock.holder != nil && removed.contains(host), unreachable: nil)
      }
    }
  }
}
