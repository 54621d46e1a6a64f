import HelixModel

extension QuorumLedger {
  /// Whether a claim may be taken now, beside those that are held.
  package func decide(_ claim: Claim, held: [Held]) -> Decision {
    Judgement(self, claim, held: held.filter(isHeldStill)) { isSteadily(well: false, $0) }
      .decision
  }

  /// Why a claim could not be granted however long it waits, if the servers stay as they are; nil
  /// when it could.
  package func obstacle(to claim: Claim) -> String? {
    let judgement = Judgement(self, claim, held: []) { !votes.silent.contains(node(of: $0)) }
    guard case .refused(let words) = judgement.decision else { return nil }
    return words
  }

  /// Whether a claim could be granted beside those held if all servers were well; if not, there is
  /// no use in asking them.
  package func mightGrant(_ claim: Claim, held: [Held]) -> Bool {
    var judgement = Judgement(self, claim, held: held, isSteady: { _ in false })
    judgement.votes.count(seats.map(\.node))
    return judgement.decision == .granted
  }

  /// Whether a claim could not be granted beside those held even if all members were well.
  package func isHopeless(_ claim: Claim, held: [Held]) -> Bool {
    var judgement = Judgement(self, claim, held: held, isSteady: { _ in false })
    judgement.votes.count(votes.voters + votes.learners)
    return judgement.decision != .granted
  }

  /// What a failed step did is over when its server has been well for a while.
  private func isHeldStill(_ held: Held) -> Bool {
    guard held.standing == .failed else { return true }
    guard let subject = held.claim.subject else {
      return !seats.allSatisfy { isSteadily(well: true, $0.host) }
    }
    return !isSteadily(well: true, subject)
  }
}

/// One claim against one count of votes.
private struct Judgement {
  var votes: QuorumLedger.Votes
  private let claim: QuorumLedger.Claim
  private let held: [QuorumLedger.Held]
  private let isSteady: (HostName) -> Bool
  /// The node that the claim is about.
  private let own: String?
  /// Voters that others have claimed.
  private let claimed: Set<String>

  init(
    _ ledger: QuorumLedger, _ claim: QuorumLedger.Claim, held: [QuorumLedger.Held],
    isSteady: @escaping (HostName) -> Bool
  ) {
    votes = ledger.votes
    self.claim = claim
    self.held = held
    self.isSteady = isSteady
    own = claim.subject.map(ledger.node)
    var claimed: Set<String> = []
    for other in held.map(\.claim) {
      switch other.budget {
      case .voter(let host): claimed.insert(ledger.node(of: host))
      case .membership:
        // It came half-way in, or half-way out: a voter in doubt.
        guard let subject = other.subject else { break }
        claimed.insert(ledger.node(of: subject))
        votes.doubt(ledger.node(of: subject))
      }
    }
    self.claimed = claimed
  }

  var decision: QuorumLedger.Decision {
    if held.contains(where: { $0.standing == .running && $0.claim.budget == .membership }) {
      return .refused("etcd's members are being changed\(inWork)")
    }
    switch claim.budget {
    case .voter(let host): return voter(host)
    case .membership: return membership
    }
  }
}

// MARK: - The two claims

extension Judgement {
  private func voter(_ host: HostName) -> QuorumLedger.Decision {
    guard let own, votes.voters.contains(own) else {
      return votes.voters.isEmpty ? aloneWithoutVoters : .granted
    }
    let others = claimed.subtracting([own])
    let isAlone = others.isEmpty
    if votes.voters.count > 2 {
      let left = votes.well.subtracting(others).subtracting([own]).count
      if left >= votes.majority { return .granted }
      if isAlone, mayMend(host, own) { return .granted }
      return .refused("\(tally)\(inWork); \(rest(left, without: host.rawValue))")
    }
    if isAlone, votes.unwell.allSatisfy({ $0 == own }) || mayMend(host, own) { return .granted }
    return .refused("\(tally)\(inWork); \(neverOne)")
  }

  /// Whether a voter that is not well may be touched although a majority is not well without it:
  /// its vote is lost already, or etcd alone does well without it.
  private func mayMend(_ host: HostName, _ own: String) -> Bool {
    guard !votes.well.contains(own), isSteady(host) else { return false }
    let voting = votes.voting.subtracting([own]).count
    return !votes.voting.contains(own)
      || voting >= min(votes.majority, votes.voters.count - 1)
  }

  private var membership: QuorumLedger.Decision {
    guard held.allSatisfy({ $0.standing != .running && $0.claim.subject == claim.subject }) else {
      return .refused("etcd's members change only while no other step may stop a voter\(inWork)")
    }
    if !votes.isListed {
      let holders = votes.holders.filter { $0 != own }
      guard votes.voting.isEmpty, holders.isEmpty || holders.allSatisfy(isSilent) else {
        return .refused("no server answers for the cluster, so its votes cannot be counted")
      }
      return .granted
    }
    if let learner = votes.learners.first(where: { $0 != own }) {
      return .refused("\(learner) is still a learner, and etcd takes in one member at a time")
    }
    guard votes.unwell.allSatisfy({ $0 == own }) else {
      return .refused("\(tally); etcd's members change only while all voters are well")
    }
    return .granted
  }

  /// Before there are votes, and where there is no etcd, steps go one by one.
  private var aloneWithoutVoters: QuorumLedger.Decision {
    held.isEmpty ? .granted : .refused("no server votes yet, so one goes after the other\(inWork)")
  }

  private func isSilent(_ node: String) -> Bool { votes.silent.contains(node) }
}

// MARK: - The words

extension QuorumLedger {
  /// What people can do about a job of the cluster's own that may restart a server.
  package static let jobRemedy =
    "see with helix-infra upgrade status what keeps the job, or delete its UpgradePlan where it is not"
    + " wanted any more, then run apply again"

  /// What people can do where etcd can spare no vote.
  ///
  /// A server that an upgrade job may restart is up, so bringing it back would mend nothing.
  package var remedy: String {
    votes.upgrading.isEmpty
      ? "bring the servers back that are not well, then run apply again" : Self.jobRemedy
  }
}

extension Judgement {
  private var tally: String {
    let count = votes.voters.count
    let well = votes.voters.count - votes.unwell.count
    let names = votes.unwell.map { name in
      votes.upgrading.contains(name) ? "\(name), which an upgrade job may restart" : name
    }
    let unwell = names.isEmpty ? "" : ", not \(names.joined(separator: " and "))"
    return "of \(count) \(count == 1 ? "voter" : "voters") \(well) \(well == 1 ? "is" : "are") well"
      + unwell
  }

  private func rest(_ left: Int, without whom: String) -> String {
    "without \(whom) \(max(0, left)) would be left, and a majority is \(votes.majority)"
  }

  private var neverOne: String { "one may be stopped only while the other is well" }

  private var inWork: String {
    let running = held.filter { $0.standing == .running }
    let others = held.filter { $0.standing != .running }
    var words = ""
    if !running.isEmpty {
      words += "; \(names(of: running)) \(running.count == 1 ? "is" : "are") in work"
    }
    if !others.isEmpty {
      words += "; a step that failed may still stop \(names(of: others))"
    }
    return words
  }

  private func names(of held: [QuorumLedger.Held]) -> String {
    held.map { $0.claim.subject?.rawValue ?? "one of the servers" }.joined(separator: " and ")
  }
}
