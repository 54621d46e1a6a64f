package import HelixModel

/// The votes of a cluster as its servers tell of them, and whether one more of them may be spent.
///
/// The one arithmetic for both times at which it matters: when a plan is made, and just before a
/// step runs. A voter is a node that any answering server lists as one, or whose own etcd votes.
/// What a claim costs:
///
/// - `voter`: the voters that are well, without its own and without those that other steps have
///   claimed, must still be a majority of all.
/// - `anyVoter`: the same, with one voter less, whoever it is.
/// - `membership`: alone, and only while every voter but its own is well and nobody else is a
///   learner, since etcd takes in one member at a time.
///
/// One or two voters can never spare one; there a restart is an outage which the plan announces. So
/// a claim is granted alone, while every other voter is well. And a voter that has not been well for
/// a while has no vote to lose: it may be touched, alone, whatever is left, or it could never be
/// mended.
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

  /// After so many readings in a row a voter is taken for what they say: an election makes all of
  /// them look unwell for a moment, and what was just told to stop looks well for one.
  package static let steadyReadings = 3

  let seats: [QuorumGuard.Seat]
  /// What the latest words add up to.
  package private(set) var votes = Votes()
  /// For how many readings in a row a server has been well, or with a minus, has not.
  private var streaks: [HostName: Int] = [:]

  package init(seats: [QuorumGuard.Seat]) { self.seats = seats }

  /// Takes in what the servers say now; a silent one says nothing.
  package mutating func take(_ words: [HostName: QuorumWord]) {
    votes = Votes(words, seats: seats)
    for seat in seats {
      let streak = streaks[seat.host, default: 0]
      let isWell = votes.well.contains(seat.node)
      streaks[seat.host] = isWell ? max(0, streak) + 1 : min(0, streak) - 1
    }
  }

  /// From now on only later readings count for a server, since something was done to it.
  package mutating func doubt(_ host: HostName?) {
    guard let host else { return streaks = [:] }
    streaks[host] = 0
  }

  func node(of host: HostName) -> String {
    seats.first { $0.host == host }?.node ?? host.rawValue.lowercased()
  }

  func streak(of host: HostName) -> Int { streaks[host, default: 0] }
}
