package import HelixModel

/// How the votes of a cluster are counted just before a step that may cost one.
package struct QuorumGuard: Hashable, Sendable, Codable {
  /// A server and the node it is.
  package struct Seat: Hashable, Sendable, Codable {
    package var host: HostName
    package var node: String

    package init(host: HostName, node: String) {
      self.host = host
      self.node = node
    }
  }

  /// Every declared server, in inventory order; all are asked at once.
  package var seats: [Seat]
  /// POSIX sh that changes nothing and prints what one server knows; `QuorumWord` reads it.
  package var script: String
  /// Seconds to wait for a unit before the step is given up.
  package var patience: Int

  package init(seats: [Seat], script: String, patience: Int = 600) {
    self.seats = seats
    self.script = script
    self.patience = patience
  }
}

/// What one server says of etcd, as `QuorumGuard.script` prints it.
package struct QuorumWord: Hashable, Sendable {
  /// What its own etcd says.
  package enum Etcd: String, Hashable, Sendable {
    case healthy, unhealthy
    /// There is none on it.
    case absent
  }

  package var etcd: Etcd
  package var isLearner: Bool
  /// Whether its API answers as ready.
  package var isReady: Bool
  /// The nodes that its API lists as voters, and whether each is ready; nil when it does not answer.
  package var voters: [String: Bool]?
  /// Nodes whose k3s a job of the cluster's own may restart at any moment.
  package var upgrading: Set<String>

  package init(
    etcd: Etcd, isLearner: Bool, isReady: Bool, voters: [String: Bool]?,
    upgrading: Set<String> = []
  ) {
    self.etcd = etcd
    self.isLearner = isLearner
    self.isReady = isReady
    self.voters = voters
    self.upgrading = upgrading
  }
}

extension QuorumWord {
  /// Reads `etcd healthy|unhealthy|absent`, `learner`, `ready`, `voters`, `voter NODE True|…`,
  /// `upgrading NODE` and the closing `whole`; nil when the answer broke off.
  package init?(_ output: String) {
    var word = QuorumWord(etcd: .absent, isLearner: false, isReady: false, voters: nil)
    var isWhole = false
    for line in output.split(separator: "\n") {
      let cells = line.split(separator: " ", omittingEmptySubsequences: true)
      switch cells.first {
      case "etcd": word.etcd = cells.last.flatMap { Etcd(rawValue: String($0)) } ?? .absent
      case "learner": word.isLearner = true
      case "ready": word.isReady = true
      case "voters": word.voters = word.voters ?? [:]
      case "voter" where cells.count >= 2:
        word.voters = word.voters ?? [:]
        word.voters?[String(cells[1])] = cells.count > 2 && cells[2] == "True"
      case "upgrading" where cells.count == 2: word.upgrading.insert(String(cells[1]))
      case "whole": isWhole = true
      default: break
      }
    }
    guard isWhole else { return nil }
    self = word
  }
}
