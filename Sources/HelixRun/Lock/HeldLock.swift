package import HelixModel
package import HelixPlan

/// The lock while a run holds it: renewed in the background until it is given back or lost.
package actor HeldLock {
  /// What the run shows before everything it does.
  package nonisolated let fence: Fence
  /// Runs of this machine that died with the lock in their hands.
  package nonisolated let overtaken: [LockHolder]
  /// Why the run must not go on; nil as long as it may.
  package private(set) var loss: Diagnostic?

  private nonisolated let desk: LockDesk
  /// When each server was asked for what it then granted.
  private var proven: [HostName: Duration]
  /// Who holds a server's copy instead; nil inside when it was taken away for nobody.
  private var lostTo: [HostName: LockHolder?] = [:]
  private var renewals: Task<Void, Never>?
  private var mourners: [@Sendable () -> Void] = []

  private static let interval: Duration = .seconds(10)
  /// A renewal counts here for less long than there: nobody else can have the lock by then.
  private static let limit: Duration = .seconds(LockDesk.timeToLive - 5)

  init(
    _ desk: LockDesk, number: Int, granted: [HostName: Duration], overtaken: [LockHolder]
  ) {
    self.desk = desk
    fence = desk.fence(number)
    proven = granted
    var seen: Set<String> = []
    self.overtaken = overtaken.filter { seen.insert($0.run.id).inserted }
  }

  /// Calls `act` as soon as the lock is lost, which may be now.
  package func whenLost(_ act: @escaping @Sendable () -> Void) {
    if loss != nil { act() } else { mourners.append(act) }
  }

  /// Asks once more, at once, if some step was refused by a fence: the next renewal would tell why only
  /// after the run has ended.
  package func lookAgain(after failures: [Diagnostic]) async {
    guard loss == nil, failures.contains(where: { $0.evidence?.status == Fence.refused }) else {
      return
    }
    await withTaskGroup { group in
      for server in desk.servers { group.addTask { await self.renew(on: server) } }
    }
  }

  func beginRenewing() {
    renewals =
      renewals
      ?? Task {
        await withTaskGroup { group in
          for server in desk.servers { group.addTask { await self.keepRenewing(on: server) } }
          group.addTask { await self.watchTime() }
        }
      }
  }

  /// Ends the renewals and gives every copy back.
  package func giveBack() async {
    renewals?.cancel()
    await renewals?.value
    let held = proven.keys.sorted()
    proven = [:]
    guard !held.isEmpty else { return }
    await desk.giveBack(fence.number, on: held, wasHeld: true)
  }
}

extension HeldLock {
  /// Each server for itself: one that hangs must not hold up the others.
  private nonisolated func keepRenewing(on server: HostName) async {
    while !Task.isCancelled {
      await renew(on: server)
      do { try await desk.clock.sleep(for: Self.interval) } catch { return }
    }
  }

  private nonisolated func renew(on server: HostName) async {
    let script = LockScripts.renew(
      number: fence.number, run: desk.run, timeToLive: LockDesk.timeToLive)
    let asked = desk.clock.now
    let answer = try? await within(LockDesk.patience, clock: desk.clock) { [desk] in
      try await desk.ask(server, script)
    }
    await note(answer, of: server, asked: asked)
  }

  private func note(_ answer: ServerLock?, of server: HostName, asked: Duration) {
    guard !Task.isCancelled else { return }
    if let answer {
      if answer.verdict == .renewed {
        proven[server] = asked
        lostTo[server] = nil
      } else {
        proven[server] = nil
        lostTo.updateValue(answer.holder, forKey: server)
      }
    }
    judge()
  }

  /// Notices when the time of a majority is over, also while servers hang and tell nothing to judge by.
  private func watchTime() async {
    while loss == nil, let end {
      do { try await desk.clock.sleep(for: max(.zero, end - desk.clock.now)) } catch { return }
      judge()
    }
  }

  /// When the lock is lost unless a server renews it until then; nil when no majority has it.
  private var end: Duration? {
    let newest = proven.values.sorted(by: >)
    return newest.count < desk.majority ? nil : newest[desk.majority - 1] + Self.limit
  }

  /// Whether a majority still stands behind the run.
  private func judge() {
    guard loss == nil, !Task.isCancelled else { return }
    let now = desk.clock.now
    let ours = desk.servers.filter { server in
      proven[server].map { now - $0 < Self.limit } ?? false
    }
    guard ours.count < desk.majority else { return }
    let survey = LockSurvey()
    loss = LockWords(desk: desk, survey: survey).lost(
      kept: ours, to: lostTo.values.compactMap(\.self).first, taken: lostTo.keys.sorted())
    for act in mourners { act() }
    mourners = []
  }
}
