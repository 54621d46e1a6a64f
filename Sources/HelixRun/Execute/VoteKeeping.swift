import HelixModel
import HelixPlan

/// The claims on etcd's majority in one run: who holds one, who waits, and when votes are counted.
struct VoteKeeping {
  /// Between two counts that granted nothing.
  static let pause: Duration = .seconds(5)

  private let quorum: QuorumGuard?
  private var ledger: QuorumLedger
  /// Held by running steps, by their place in the plan.
  private var running: [Int: QuorumLedger.Claim] = [:]
  /// Left by steps that failed with a voter in hand.
  private var failed: [QuorumLedger.Held] = []
  /// What was held when the count that is under way began, and is held against its result.
  private var heldAtCount: [QuorumLedger.Held]?
  /// Hosts whose steps ended during the count.
  private var doubted: [HostName?] = []
  /// Whether something changed during the count.
  private var isOutdated = false
  private(set) var nextCount = Duration.zero
  /// Since when each waiting step is refused while no other step runs that might bring a voter back.
  private var since: [Int: Duration] = [:]
  /// What was last told about each waiting step.
  private var told: [Int: String] = [:]

  init(_ quorum: QuorumGuard?) {
    self.quorum = quorum
    ledger = QuorumLedger(seats: quorum?.seats ?? [])
  }

  var isCounting: Bool { heldAtCount != nil }
  /// What people can do about the latest count.
  var remedy: String { ledger.remedy }

  private var held: [QuorumLedger.Held] {
    running.sorted { $0.key < $1.key }.map { QuorumLedger.Held($0.value) } + failed
  }
}

extension VoteKeeping {
  /// What comes of asking for a vote.
  enum Answer {
    /// There is nobody to ask, and no other step holds a claim.
    case goesAhead
    /// A count was due and is under way from now on.
    case counts
    case waitsForCount
    /// A running step must end first.
    case waits(for: Int)
  }

  /// Asks for a vote for the step at a place in the plan, or once more for one that holds it.
  mutating func ask(
    for claim: QuorumLedger.Claim, at position: Int, now: Duration
  ) -> Answer {
    let others = running.filter { $0.key != position }
    guard quorum != nil else { return others.keys.min().map(Answer.waits) ?? .goesAhead }
    let mine = others.map { QuorumLedger.Held($0.value) }
    if let first = others.keys.min(), !ledger.mightGrant(claim, held: mine) {
      return .waits(for: first)
    }
    guard !isCounting, now >= nextCount else { return .waitsForCount }
    heldAtCount = held
    return .counts
  }

  /// Takes in what the servers said.
  mutating func take(_ words: [HostName: QuorumWord], at now: Duration) {
    ledger.take(words, at: now)
    for host in doubted { ledger.doubt(host) }
    doubted = []
  }

  /// What a count leads to for one step.
  enum Verdict {
    case granted
    case waits(String)
    /// With the seconds that it waited, unless there was nothing to wait for.
    case failed(String, patience: Int?)
  }

  /// Decides on the latest count; a step that ended since it began still counts as running.
  ///
  /// Where the walk is not idle, something is still to be waited for.
  mutating func decide(
    _ claim: QuorumLedger.Claim, at position: Int, now: Duration, isIdle: Bool
  ) -> Verdict {
    let own = running[position].map { QuorumLedger.Held($0) }
    let held = union(heldAtCount ?? [], held).filter { $0 != own }
    let adrift = failed.filter { $0.standing == .adrift }
    guard case .refused(let words) = ledger.decide(claim, held: held) else {
      return .granted
    }
    if ledger.isHopeless(claim, held: adrift) { return .failed(words, patience: nil) }
    guard isIdle else {
      since[position] = nil
      return .waits(words)
    }
    let start = since[position] ?? now
    since[position] = start
    guard let patience = quorum?.patience, now - start >= .seconds(patience) else {
      return .waits(words)
    }
    return .failed(words, patience: patience)
  }

  private func union(
    _ before: [QuorumLedger.Held], _ now: [QuorumLedger.Held]
  ) -> [QuorumLedger.Held] {
    before + now.filter { held in !before.contains { $0.claim == held.claim } }
  }

  mutating func grant(_ claim: QuorumLedger.Claim, to position: Int) {
    running[position] = claim
    told[position] = nil
  }

  /// Lets nobody have waited yet: a step has begun or ended, so the run goes on.
  mutating func startOver() { since = [:] }

  /// Ends the count that was under way.
  mutating func pause(hasGranted: Bool, now: Duration) {
    heldAtCount = nil
    nextCount = hasGranted || isOutdated ? .zero : now + Self.pause
    isOutdated = false
  }

  /// Lets the next count come at once, since something has changed.
  mutating func hurry() {
    nextCount = .zero
    isOutdated = isCounting
  }

  /// Whether nobody has been told this about a waiting step.
  mutating func isNews(_ words: String, of position: Int) -> Bool {
    guard told[position] != words else { return false }
    told[position] = words
    return true
  }

  /// Gives back what an ended step held, unless it may still stop a voter.
  mutating func release(_ position: Int, _ outcome: StepOutcome) {
    guard let claim = running.removeValue(forKey: position) else { return }
    hurry()
    if isCounting { doubted.append(claim.subject) }
    guard let standing = outcome.standing else { return }
    ledger.doubt(claim.subject)
    failed.append(QuorumLedger.Held(claim, standing))
  }
}

extension StepOutcome {
  /// What becomes of a claim on a voter when its step has ended so; nil when it is free again.
  fileprivate var standing: QuorumLedger.Held.Standing? {
    switch self {
    case .done, .skipped, .notBegun: nil
    case .failed(let diagnostic): diagnostic.evidence?.status == nil ? .adrift : .failed
    case .interrupted: .adrift
    }
  }
}
