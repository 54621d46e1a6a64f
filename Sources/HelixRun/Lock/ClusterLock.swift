package import HelixModel
package import HelixPlan

/// The lock of a cluster: one run at a time changes it, wherever that run was started.
///
/// It is held on a majority of the cluster's servers, so that no two runs can have it, and no server
/// has to be up for it. docs/locking.md tells the protocol.
package struct ClusterLock: Sendable {
  /// Why a run may not begin.
  package enum Refusal: Error {
    /// Another run holds the lock.
    case taken(Diagnostic)
    /// Too few servers answer.
    case outOfReach([Diagnostic])
  }

  let desk: LockDesk

  /// How often numbers are chosen anew because another run was quicker.
  private static let attempts = 5

  /// The lock on these servers, taken in the name of a run; `others` are further hosts on which the
  /// run may do something, of which `agents` belong to the cluster.
  package init(
    cluster: String, servers: [HostName], agents: [HostName], others: [HostName],
    shells: HostShells, run: RunIdentity, clock: any RunClock = SystemClock()
  ) {
    let first = Set(servers)
    desk = LockDesk(
      cluster: cluster, servers: servers, others: others.filter { !first.contains($0) },
      members: first.union(agents), shells: shells, run: run, clock: clock)
  }

  /// Takes the lock, which is then renewed until it is given back.
  ///
  /// A task that is cancelled over it leaves nothing taken.
  ///
  /// - Throws: a `Refusal` when it cannot be had.
  package func take() async throws -> HeldLock {
    for _ in 1..<Self.attempts {
      if let held = try await attempt() { return held }
    }
    guard let held = try await attempt() else {
      throw Refusal.taken(
        Diagnostic(
          "other runs want the lock of cluster \(desk.cluster) at the same time",
          remedy: "run it again"))
    }
    return held
  }

  /// Nil when somebody was quicker with the same number.
  private func attempt() async throws -> HeldLock? {
    let survey = try await desk.survey()
    let words = LockWords(desk: desk, survey: survey)
    let present = desk.servers.filter { survey.locks[$0] != nil }
    guard present.count >= desk.majority else { throw words.outOfReach() }
    let living = present.compactMap { server in
      survey.locks[server].flatMap { $0.state == .live ? $0.holder : nil }
    }
    let gone = living.filter(\.isGone)
    if let holder = living.first(where: { !gone.contains($0) }) { throw words.taken(by: holder) }
    var claim = Claim(
      number: survey.highest + 1, over: Array(Set(gone.map(\.run.id))).sorted())
    do {
      // All begin with the same server, so that of many who come at once one wins, and not none.
      var rest = present[...]
      while claim.granted.isEmpty, claim.isUndisputed, let first = rest.popFirst() {
        try await stake(&claim, on: [first])
      }
      guard claim.isUndisputed else { return try await withdraw(claim, words) }
      try await stake(&claim, on: Array(rest))
    } catch {
      await giveBack(claim)
      throw error
    }
    guard claim.granted.count >= desk.majority else { return try await withdraw(claim, words) }
    let held = HeldLock(desk, number: claim.number, granted: claim.granted, overtaken: gone)
    await held.beginRenewing()
    return held
  }
}

extension ClusterLock {
  /// How far a run has come with taking the lock.
  private struct Claim {
    let number: Int
    /// Runs that are known to have ended.
    let over: [String]
    /// Where it was asked for: an answer that is lost may have been a yes.
    var asked: [HostName] = []
    /// When it was asked of each server that gave it.
    var granted: [HostName: Duration] = [:]
    /// Where another run holds it.
    var holder: LockHolder?
    var isOutnumbered = false
    var faults: [Diagnostic] = []

    var isUndisputed: Bool { holder == nil && !isOutnumbered }
  }

  private func stake(_ claim: inout Claim, on servers: [HostName]) async throws {
    let asked = desk.clock.now
    claim.asked += servers
    let script = LockScripts.take(
      number: claim.number, run: desk.run, timeToLive: LockDesk.timeToLive, over: claim.over)
    for (server, answer) in await desk.askAll(servers, script).sorted(by: { $0.key < $1.key }) {
      switch answer {
      case .success(let lock) where lock.verdict == .granted: claim.granted[server] = asked
      case .success(let lock) where lock.verdict == .outnumbered: claim.isOutnumbered = true
      case .success(let lock): claim.holder = claim.holder ?? lock.holder
      case .failure(let error): claim.faults.append(desk.shells.silence(of: server, error))
      }
    }
    try Task.checkCancellation()
  }

  /// Gives back what was taken in vain.
  ///
  /// - Throws: who holds the lock, or what is wrong with the servers.
  private func withdraw(_ claim: Claim, _ words: LockWords) async throws -> HeldLock? {
    await giveBack(claim)
    if let holder = claim.holder { throw words.taken(by: holder) }
    guard claim.isOutnumbered else { throw words.outOfOrder(claim.faults) }
    return nil
  }

  private func giveBack(_ claim: Claim) async {
    await desk.giveBack(claim.number, on: claim.asked, wasHeld: false)
  }
}

extension LockDesk {
  /// Gives copies back, also when the task that wants it was cancelled; what cannot be reached
  /// expires by itself.
  func giveBack(_ number: Int, on servers: [HostName], wasHeld: Bool) async {
    guard !servers.isEmpty else { return }
    let script = LockScripts.giveBack(number: number, run: run, wasHeld: wasHeld)
    await Task {
      _ = try? await within(.seconds(5), clock: clock) { await askAll(servers, script) }
    }.value
  }
}
