import HelixModel
import HelixPlan

/// Asks servers about their copies of the lock, in the name of one run.
struct LockDesk: Sendable {
  let cluster: String
  /// All servers of the cluster, in the inventory's order.
  let servers: [HostName]
  /// Other hosts whose fence counts when a number is chosen.
  let others: [HostName]
  let members: Set<HostName>
  let shells: HostShells
  let run: RunIdentity
  let clock: any RunClock

  /// Seconds after a renewal for which a server believes in its holder.
  static let timeToLive = 60
  /// What a script may take; it waits at most half of this for another one to end.
  static let patience: Duration = .seconds(10)
  /// How long hosts are waited for once enough servers have answered.
  private static let grace: Duration = .seconds(3)

  /// How many servers it takes.
  var majority: Int { servers.count / 2 + 1 }

  func fence(_ number: Int) -> Fence {
    Fence(number: number, who: run.who, cluster: cluster, members: members)
  }

  func ask(
    _ host: HostName, _ script: String, _ effect: CommandEffect = .deed
  ) async throws -> ServerLock {
    let shell = try await shells.shell(to: host)
    let output = try await shell.run(
      .script(
        ShellScript(script, .stopsAtFailure), effect, become: shells.become(on: host),
        timeout: Self.patience))
    do throws(Diagnostic) {
      guard output.status == 0 else {
        throw Diagnostic("the lock on \(host) cannot be worked with")
      }
      return try ServerLock(output.output)
    } catch {
      var told = error
      told.place = shells.place(of: host)
      told.evidence = Diagnostic.Evidence(
        command: "the script of the lock in \(HostPlaces.state)", status: output.status,
        lastLines: plainLines(output.errors))
      throw told
    }
  }

  /// Asks many at once.
  func askAll(
    _ hosts: [HostName], _ script: String
  ) async -> [HostName: Result<ServerLock, any Error>] {
    await withTaskGroup(of: HostAnswer<Result<ServerLock, any Error>>.self) { group in
      for host in hosts {
        group.addTask { await answer(of: host, to: script) }
      }
      var answers: [HostName: Result<ServerLock, any Error>] = [:]
      for await answer in group { answers[answer.host] = answer.value }
      return answers
    }
  }

  private func answer(of host: HostName, to script: String) async -> HostAnswer<
    Result<ServerLock, any Error>
  > {
    do {
      let lock = try await ask(host, script)
      return HostAnswer(host, .success(lock))
    } catch {
      return HostAnswer(host, .failure(error))
    }
  }
}

/// What the hosts of a cluster say of its lock.
struct LockSurvey: Sendable {
  fileprivate(set) var locks: [HostName: ServerLock] = [:]
  fileprivate(set) var silences: [HostName: Diagnostic] = [:]

  /// The highest number that any of them knows.
  var highest: Int { locks.values.map(\.highest).max() ?? 0 }
}

extension LockDesk {
  private enum News: Sendable {
    case answer(HostName, ServerLock)
    case silence(HostName, Diagnostic)
    case timeIsUp
  }

  /// Looks at every server's copy, and at the numbers that other hosts know.
  ///
  /// Whoever is slow is not waited for once a majority has answered: the connection is made all the
  /// same, and is there for what comes next.
  ///
  /// - Throws: `CancellationError` only.
  func survey(waitingForAll: Bool = false) async throws -> LockSurvey {
    let (stream, news) = AsyncStream.makeStream(of: News.self)
    let hosts = servers + others
    let asking = hosts.map { host in
      Task {
        do {
          let script = LockReading.look(fence: fence(0).path(on: host))
          news.yield(.answer(host, try await ask(host, script, .question)))
        } catch {
          news.yield(.silence(host, shells.silence(of: host, error)))
        }
      }
    }
    var survey = LockSurvey()
    var timer: Task<Void, Never>?
    defer { timer?.cancel() }
    for await piece in stream {
      switch piece {
      case .answer(let host, let lock): survey.locks[host] = lock
      case .silence(let host, let why): survey.silences[host] = why
      case .timeIsUp: return survey
      }
      if survey.locks.count + survey.silences.count == hosts.count { return survey }
      if timer == nil, !waitingForAll, servers.count(where: { survey.locks[$0] != nil }) >= majority
      {
        timer = Task {
          try? await clock.sleep(for: Self.grace)
          news.yield(.timeIsUp)
        }
      }
    }
    for task in asking { task.cancel() }
    throw CancellationError()
  }
}
