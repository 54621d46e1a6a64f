package import HelixModel

/// The votes of a cluster as its servers tell of them, and whether one more of them may be spent.
///
/// The one arithmetic for both times at which it matters: when a plan is made, and just before a
/// step runs. A voter is a node that any answering server lists as one, or whose own etcd votes.
/// One that a job of the cluster's own may restart, an upgrade that goes on without us, counts as not
/// well. What a claim costs:
///
/// - `voter`: the voters that are well, without its own and without those that other steps have
///   claimed, must still be a majority of all.
/// - `membership`: alone, and only while every voter but its own is well and nobody else is a
///   learner, since etcd takes in one member at a time.
///
/// One or two voters can never spare one; there a restart is an outage which the plan announces. So
/// a claim is granted alone, while every other voter is well. And a voter that has said for a while
/// that it is not well has no vote to lose: it may be touched, alone, whatever is left, or it could
/// never be mended. A silent one may be alive for the others, and is not touched for that.
package struct QuorumLedger: Sendable {
  /// What a step asks for.
  package struct Claim: Hashable, Sendable {
    package var budget: Budget
    /// The server that it is about.
    package var subject: HostName?

    package init(_ budget: Budget, subject: HostName? = nil) {
      self.budget = budget
      self.subject = subject
    }

    /// What a step asks for, if it spends anything.
    package init?(_ step: Step) {
      guard let budget = step.spends else { return nil }
      if case .voter(let host) = budget {
        self.init(budget, subject: host)
      } else {
        self.init(budget, subject: step.id.address.host)
      }
    }
  }

  /// A claim that has been granted.
  package struct Held: Hashable, Sendable {
    /// What became of the step that holds it.
    package enum Standing: Hashable, Sendable {
      case running
      /// It failed, and all it had begun has ended; what it stopped may come back late, or stop late.
      case failed
      /// Nobody saw its end, so it may still go on.
      case adrift
    }

    package var claim: Claim
    package var standing: Standing

    package init(_ claim: Claim, _ standing: Standing = .running) {
      self.claim = claim
      self.standing = standing
    }
  }

  /// Whether a claim may be taken.
  package enum Decision: Hashable, Sendable {
    case granted
    /// The arithmetic in words.
    case refused(String)
  }

  /// For so long all readings must have said the same of a voter before more is concluded from it:
  /// an election makes all of them look unwell for a moment, and what was just told to stop looks
  /// well for one.
  static let steadiness: Duration = .seconds(30)
  /// Readings that are further apart than this are not of one row, and so many make one: two moments
  /// may be two elections.
  private static let widestGap: Duration = .seconds(60)
  private static let fewestReadings = 3

  /// Readings in a row that said the same of a server: well, not well, or nothing.
  private struct Streak {
    var isWell: Bool?
    var since: Duration
    var last: Duration
    var readings = 1
  }

  let seats: [QuorumGuard.Seat]
  /// What the latest words add up to.
  package private(set) var votes = Votes()
  private var streaks: [HostName: Streak] = [:]
  private var now = Duration.zero

  package init(seats: [QuorumGuard.Seat]) { self.seats = seats }

  /// Takes in what the servers say at a moment; a silent one says nothing.
  package mutating func take(_ words: [HostName: QuorumWord], at now: Duration) {
    votes = Votes(words, seats: seats)
    self.now = now
    for seat in seats {
      let isWell = words[seat.host] == nil ? nil : votes.well.contains(seat.node)
      if var streak = streaks[seat.host], streak.isWell == isWell,
        now - streak.last <= Self.widestGap
      {
        streak.last = now
        streak.readings += 1
        streaks[seat.host] = streak
      } else {
        streaks[seat.host] = Streak(isWell: isWell, since: now, last: now)
      }
    }
  }

  /// From now on only later readings count for a server, since something was done to it.
  package mutating func doubt(_ host: HostName?) {
    guard let host else { return streaks = [:] }
    streaks[host] = nil
  }

  /// Counts what a step changes when it has succeeded.
  mutating func suppose(_ step: Step) {
    if let host = step.brings {
      let node = node(of: host)
      // Who was taken out before its turn does not come back by a restart.
      if case .voter = step.spends, !votes.voters.contains(node) { return }
      votes.count([node])
    } else if step.spends == .membership, let subject = step.id.address.host {
      votes.remove(node(of: subject))
    }
  }

  func node(of host: HostName) -> String {
    seats.first { $0.host == host }?.node ?? host.rawValue.lowercased()
  }

  /// Whether a server has been well, or has said that it is not, for a while.
  func isSteadily(well: Bool, _ host: HostName) -> Bool {
    guard let streak = streaks[host] else { return false }
    return streak.isWell == well && now - streak.since >= Self.steadiness
      && streak.readings >= Self.fewestReadings
  }
}
