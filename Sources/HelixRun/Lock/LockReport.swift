package import HelixModel
package import HelixPlan

/// What the servers of a cluster say of its lock, for people.
package struct LockReport: Sendable {
  /// What is known of a server's copy.
  package enum Sight: Sendable {
    case seen(ServerLock)
    case silent(Diagnostic)
  }

  /// In the inventory's order.
  package let servers: [(host: HostName, sight: Sight)]
  /// How many servers make a majority.
  package let majority: Int
  let highest: Int

  init(servers: [(host: HostName, sight: Sight)], majority: Int, highest: Int) {
    self.servers = servers
    self.majority = majority
    self.highest = highest
  }

  init(_ survey: LockSurvey, desk: LockDesk) {
    let servers = desk.servers.map { server -> (HostName, Sight) in
      if let lock = survey.locks[server] { return (server, .seen(lock)) }
      return (
        server, .silent(survey.silences[server] ?? Diagnostic("\(server) was not asked"))
      )
    }
    self.init(servers: servers, majority: desk.majority, highest: survey.highest)
  }

  /// Whether too few servers answered to know who holds the lock.
  package var isOutOfReach: Bool { servers.count - silences.count < majority }

  /// Why servers did not answer.
  package var silences: [Diagnostic] {
    servers.compactMap { if case .silent(let why) = $0.sight { why } else { nil } }
  }

  /// Who holds a copy, alive or not.
  package var holders: [LockHolder] {
    servers.compactMap { if case .seen(let lock) = $0.sight { lock.holder } else { nil } }
  }

  /// A run that may well be at work.
  package var living: LockHolder? {
    servers.lazy.compactMap { if case .seen(let lock) = $0.sight { lock } else { nil } }
      .first { $0.isAlive }?.holder
  }
}

extension LockHolder {
  /// Whether its process ran on this machine and has surely ended.
  package var isGone: Bool { LocalProcess.isGone(run.pid, mark: run.process) }
}

extension ServerLock {
  /// Whether its holder may well be at work.
  package var isAlive: Bool { state == .live && holder?.isGone == false }
}

extension ClusterLock {
  /// Asks every server about its copy; changes nothing.
  ///
  /// - Throws: `CancellationError` only.
  package func look() async throws -> LockReport {
    LockReport(try await desk.survey(waitingForAll: true), desk: desk)
  }

  /// Takes the copies away from whoever had them when they were looked at, and shuts out every number
  /// that there was: on the servers, and on all other hosts that answer.
  ///
  /// - Returns: where it was done; and what went wrong on servers.
  package func remove(_ report: LockReport) async -> (done: [HostName], faults: [Diagnostic]) {
    let number = report.highest + 1
    let outcomes = await withTaskGroup(of: HostAnswer<Diagnostic?>.self) { group in
      for case (let server, .seen(let lock)) in report.servers {
        group.addTask { HostAnswer(server, await remove(lock, on: server, number)) }
      }
      for host in desk.others {
        group.addTask { HostAnswer(host, await shutOut(number, on: host)) }
      }
      return await group.reduce(into: [HostName: Diagnostic?]()) {
        $0.updateValue($1.value, forKey: $1.host)
      }
    }
    return (
      desk.servers.filter { if case .some(.none) = outcomes[$0] { true } else { false } },
      outcomes.sorted { $0.key < $1.key }.compactMap(\.value)
    )
  }

  private func remove(_ lock: ServerLock, on server: HostName, _ number: Int) async -> Diagnostic? {
    let script = LockScripts.remove(
      holder: lock.holder?.run.id ?? "", number: number, by: desk.run)
    do {
      let answer = try await desk.ask(server, script)
      guard answer.verdict == .changed else { return nil }
      return Diagnostic(
        "the lock has changed hands meanwhile", remedy: "look at it once more",
        at: desk.shells.place(of: server))
    } catch {
      return desk.shells.silence(of: server, error)
    }
  }

  /// The next run shows its number there anyway; until then the old one is to be kept out.
  private func shutOut(_ number: Int, on host: HostName) async -> Diagnostic? {
    let fence = desk.fence(number).prefix(on: host)
    do {
      let shell = try await desk.shells.shell(to: host)
      _ = try await shell.run(
        .script(
          ShellScript("true", .stopsAtFailure, fence: fence), .deed,
          become: desk.shells.become(on: host), timeout: LockDesk.patience))
      return nil
    } catch {
      var silence = desk.shells.silence(of: host, error)
      silence.severity = .warning
      return silence
    }
  }
}
