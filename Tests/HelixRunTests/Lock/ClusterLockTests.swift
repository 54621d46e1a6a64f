import Glibc
import HelixModel
import HelixPlan
import Testing

@testable import HelixRun

/// Servers, each a folder, and the runs that want their lock.
private final class Servers: Sendable {
  let scratch: ScratchFolder
  let machines: [FarMachine]

  init(_ count: Int) throws {
    let scratch = try ScratchFolder()
    var machines: [FarMachine] = []
    for number in 1...count {
      machines.append(try FarMachine(HostName("master-\(number)"), in: scratch))
    }
    self.machines = machines
    self.scratch = scratch
  }

  func lock(
    _ run: RunIdentity, clock: any RunClock = ManualClock(), agents: [FarMachine] = []
  ) -> ClusterLock {
    ClusterLock(
      cluster: "helix", servers: machines.map(\.host), agents: agents.map(\.host),
      others: (machines + agents).map(\.host), shells: shells(of: machines + agents), run: run,
      clock: clock)
  }

  /// Takes the lock, and returns when its first renewals are through.
  func take(_ run: RunIdentity, clock: ManualClock = ManualClock()) async throws -> HeldLock {
    let held = try await lock(run, clock: clock).take()
    await settle(clock)
    return held
  }

  /// Waits until every renewal has come to its end, and the next ones lie ahead.
  func settle(_ clock: ManualClock) async {
    var quiet = 0
    for _ in 0..<12_000 where quiet < 5 {
      // One sleeper for each server, and one who watches the time.
      let isQuiet = clock.sleeperCount > machines.count && !machines.contains(where: \.isBusy)
      quiet = isQuiet ? quiet + 1 : 0
      try? await Task.sleep(for: .milliseconds(5))
    }
    if quiet < 5 { Issue.record("renewals never came to rest") }
  }

  /// Lets a renewal's interval pass.
  func tick(_ clock: ManualClock) async {
    clock.advance(by: .seconds(10))
    await settle(clock)
  }

  func pass(_ seconds: Int) throws {
    for machine in machines { try machine.boot("boot-1", uptime: 1000 + seconds) }
  }

  /// Who holds each server's copy, by the name of the run.
  func holders() -> [String?] {
    machines.map { machine in
      machine.text(of: "state/lock/holder")?.split(separator: "\n")
        .first { $0.hasPrefix("run ") }.map { String($0.dropFirst(4)) }
    }
  }
}

/// Why a run may not begin.
private func refusal(_ work: () async throws -> Void) async -> ClusterLock.Refusal? {
  await #expect(throws: ClusterLock.Refusal.self) { try await work() }
}

extension ClusterLock.Refusal {
  fileprivate var diagnostic: Diagnostic? {
    switch self {
    case .taken(let diagnostic): diagnostic
    case .outOfReach(let diagnostics): diagnostics.first
    }
  }

  fileprivate var isTaken: Bool { if case .taken = self { true } else { false } }
}

@Suite("the lock of a cluster", .enabled(if: LocalHost.isRoot))
struct ClusterLockTests {
  @Test("of many who come at once exactly one gets it", arguments: [1, 3, 5])
  func race(count: Int) async throws {
    let servers = try Servers(count)
    for round in 1...3 {
      let locks = (1...8).map { servers.lock(runIdentity("run-\(round)-\($0)")) }
      let outcomes = await withTaskGroup(of: Result<HeldLock, any Error>.self) { group in
        for lock in locks {
          group.addTask {
            do { return .success(try await lock.take()) } catch { return .failure(error) }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      let winners = outcomes.compactMap { try? $0.get() }
      #expect(winners.count == 1)
      for case .failure(let error) in outcomes {
        #expect((error as? ClusterLock.Refusal)?.isTaken == true, "\(error)")
      }
      for winner in winners {
        #expect(winner.fence.number >= round)
        await winner.giveBack()
      }
      #expect(servers.holders() == Array(repeating: nil, count: count))
    }
  }

  @Test("it is held on every server, written down whole, and numbers only rise")
  func holder() async throws {
    let servers = try Servers(3)
    for number in 1...3 {
      let held = try await servers.lock(runIdentity("run-\(number)")).take()
      #expect(held.fence.number == number)
      #expect(servers.holders() == Array(repeating: "run-\(number)", count: 3))
      let text = try #require(servers.machines[1].text(of: "state/lock/holder"))
      for line in [
        "user alice", "host laptop", "pid 4711", "command apply", "ttl 60", "boot boot-1",
      ] {
        #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)")
      }
      await held.giveBack()
    }
    // What may have been done under a number stays shut to all below it.
    #expect(servers.machines[2].text(of: "state/fence") == "3 alice on laptop\n")
  }

  @Test("it expires by the servers' uptime and by nothing else")
  func uptime() async throws {
    let servers = try Servers(3)
    let first = try await servers.take(runIdentity("first"))
    try servers.pass(60)
    let refused = await refusal {
      _ = try await servers.lock(runIdentity("second", user: "bob")).take()
    }
    #expect(refused?.isTaken == true)
    #expect(refused?.diagnostic?.summary == "another run holds the lock of cluster helix")
    #expect(refused?.diagnostic?.reason?.contains("alice on laptop (apply, process 4711") == true)
    try servers.pass(61)
    let second = try await servers.lock(runIdentity("second", user: "bob")).take()
    #expect(second.fence.number == first.fence.number + 1)
    #expect(servers.holders() == ["second", "second", "second"])
  }

  @Test("among other facts a server tells the same of its copy, and changes nothing")
  func fact() async throws {
    let servers = try Servers(1)
    let machine = servers.machines[0]
    let ask = { () async throws -> ServerLock in
      let output = try await machine.run(
        .script(
          ShellScript(
            "(eval \(shellQuoted(LockReading.fact.request.command))) </dev/null", .stopsAtFailure),
          .question, become: .root, timeout: .seconds(10)))
      return try LockReading.fact.parse(
        FactAnswer(status: Int(output.status), output: output.output))
    }
    #expect(try await ask().state == .free)
    #expect(machine.text(of: "state/mutex") == nil)
    let held = try await servers.take(runIdentity("first"))
    try servers.pass(59)
    let taken = try await ask()
    #expect(taken.state == .live && taken.holder?.run.who == "alice on laptop")
    #expect(taken.holder?.held == 59 && taken.highest == held.fence.number)
    try servers.pass(61)
    #expect(try await ask().state == .expired)
    try machine.boot("boot-2", uptime: 5)
    #expect(try await ask().state == .expired)
    await held.giveBack()
    #expect(try await ask().state == .free)
  }

  @Test("an answer about the lock that broke off is no answer")
  func factBrokenOff() {
    for answer in [
      FactAnswer(status: 1, output: "helix-lock seen free\n"), FactAnswer(status: 0, output: ""),
    ] {
      #expect(throws: Diagnostic.self) { try LockReading.fact.parse(answer) }
    }
  }

  @Test("a reboot frees a server's copy, and the holder takes it again with the same number")
  func reboot() async throws {
    let servers = try Servers(3)
    let clock = ManualClock()
    let held = try await servers.take(runIdentity("first"), clock: clock)
    try servers.machines[0].boot("boot-2", uptime: 5)
    let refused = await refusal { _ = try await servers.lock(runIdentity("second")).take() }
    #expect(refused?.isTaken == true)
    await servers.tick(clock)
    #expect(servers.machines[0].text(of: "state/lock/holder")?.contains("boot boot-2") == true)
    #expect(
      servers.machines[0].text(of: "state/lock/holder")?.contains(
        "number \(held.fence.number)\n") == true)
    #expect(await held.loss == nil)
  }

  @Test("a run of this machine whose process has ended holds up nobody")
  func gone() async throws {
    let servers = try Servers(3)
    let mine = try #require(LocalProcess.mark(of: getpid()))
    let words = mine.split(separator: " ")
    func identity(_ id: String, _ mark: String) -> RunIdentity {
      RunIdentity(
        id: id, user: "alice", host: "laptop", pid: Int(getpid()), command: "apply", started: "",
        process: mark)
    }
    let living = try await servers.lock(identity("living", mine)).take()
    let refused = await refusal { _ = try await servers.lock(runIdentity("next")).take() }
    #expect(refused?.isTaken == true)
    await living.giveBack()
    // The same number, but of a process that was born at another time, or elsewhere.
    let elsewhere = identity("elsewhere", "\(words[0]) pid:[1] 1")
    let far = try await servers.lock(elsewhere).take()
    let again = await refusal { _ = try await servers.lock(runIdentity("next")).take() }
    #expect(again?.isTaken == true)
    await far.giveBack()
    let dead = try await servers.lock(identity("dead", "\(words[0]) \(words[1]) 1")).take()
    let next = try await servers.lock(runIdentity("next")).take()
    #expect(next.overtaken.map(\.run.id) == ["dead"])
    #expect(next.fence.number == dead.fence.number + 1)
  }

  @Test("a server that is silent is no obstacle, a silent majority is, with the arithmetic")
  func silence() async throws {
    let servers = try Servers(3)
    servers.machines[0].isCut = true
    let held = try await servers.lock(runIdentity("first")).take()
    #expect(servers.holders() == [nil, "first", "first"])
    await held.giveBack()
    servers.machines[1].isCut = true
    let refused = await refusal { _ = try await servers.lock(runIdentity("second")).take() }
    #expect(refused?.isTaken == false)
    #expect(
      refused?.diagnostic?.reason
        == "the lock is held on a majority: 2 of 3, and master-1, master-2 do not answer")
    #expect(servers.holders() == [nil, nil, nil])
  }

  @Test("who is slow is not waited for, and joins later")
  func slow() async throws {
    let servers = try Servers(3)
    let clock = ManualClock()
    servers.machines[2].isMute = true
    let lock = servers.lock(runIdentity("first"), clock: clock)
    let taking = Task { try await lock.take() }
    await clock.hasSleepers(1)
    clock.advance(by: .seconds(3))
    let held = try await taking.value
    #expect(servers.holders() == ["first", "first", nil])
    servers.machines[2].isMute = false
    // The renewal that hangs is given up, and the next one gets through.
    await clock.hasSleepers(3)
    clock.advance(by: .seconds(10))
    await clock.hasSleepers(3)
    clock.advance(by: .seconds(10))
    await eventually("joined") { servers.holders().last == "first" }
    #expect(await held.loss == nil)
  }

  @Test("a server that cannot write gives up its turn to the next")
  func broken() async throws {
    let servers = try Servers(3)
    try servers.machines[0].put("", in: "state")
    let held = try await servers.lock(runIdentity("first")).take()
    #expect(servers.holders() == [nil, "first", "first"])
    await held.giveBack()
    try servers.machines[1].put("", in: "state/lock/highest.new/nothing")
    let refused = await refusal { _ = try await servers.lock(runIdentity("second")).take() }
    #expect(refused?.isTaken == false)
    #expect(servers.holders() == [nil, nil, nil])
  }

  @Test("the number is above all that any host has seen, also an agent")
  func numbers() async throws {
    let servers = try Servers(3)
    let agent = try FarMachine("worker-1", in: servers.scratch)
    try agent.put("41 bob on desk\n", in: "state/fence")
    try servers.machines[2].put("7\n", in: "state/lock/highest")
    let held = try await servers.lock(runIdentity("first"), agents: [agent]).take()
    #expect(held.fence.number == 42)
    #expect(agent.text(of: "state/lock/holder") == nil)
  }

  @Test("who gives up while taking it leaves nothing behind", arguments: 1...6)
  func givenUp(moment: Int) async throws {
    let servers = try Servers(3)
    let taking = Task { try await servers.lock(runIdentity("first")).take() }
    await eventually("it has begun") {
      servers.machines.map(\.commands.count).reduce(0, +) >= moment
    }
    taking.cancel()
    if let held = try? await taking.value { await held.giveBack() }
    #expect(servers.holders() == [nil, nil, nil])
  }
}

@Suite("losing the lock of a cluster", .enabled(if: LocalHost.isRoot))
struct LostLockTests {
  @Test("a run that slept through its time learns who has taken over")
  func stolen() async throws {
    let servers = try Servers(3)
    let clock = ManualClock()
    let held = try await servers.take(runIdentity("first"), clock: clock)
    let stop = StopRequest()
    await held.whenLost { stop.ask() }
    try servers.pass(61)
    let second = try await servers.take(runIdentity("second", user: "bob"))
    #expect(!stop.isAsked)
    await servers.tick(clock)
    #expect(stop.isAsked)
    let loss = await held.loss
    #expect(loss?.summary == "the lock of cluster helix was lost, so no further step began")
    #expect(loss?.reason?.hasPrefix("bob on laptop (apply") == true, "\(loss?.reason ?? "")")
    await held.giveBack()
    #expect(servers.holders() == ["second", "second", "second"])
    #expect(await second.loss == nil)
  }

  @Test("servers that cannot be reached for too long end the run, a minority does not")
  func unreachable() async throws {
    let servers = try Servers(3)
    let clock = ManualClock()
    let held = try await servers.take(runIdentity("first"), clock: clock)
    let stop = StopRequest()
    await held.whenLost { stop.ask() }
    servers.machines[0].isCut = true
    for _ in 1...8 { await servers.tick(clock) }
    #expect(await held.loss == nil)
    servers.machines[1].isCut = true
    for _ in 1...5 { await servers.tick(clock) }
    #expect(await held.loss == nil)
    // Not at the next renewal, but when its time is over.
    clock.advance(by: .seconds(5))
    await eventually("it is lost") { stop.isAsked }
    #expect(
      await held.loss?.reason
        == "the servers could not be reached to renew it: it takes 2 of 3 servers, and "
        + "master-3 alone is left")
  }

  @Test("what was given back is not given back again")
  func givenBackOnce() async throws {
    let servers = try Servers(3)
    let held = try await servers.take(runIdentity("first"))
    await held.giveBack()
    #expect(servers.holders() == [nil, nil, nil])
    let asked = servers.machines.map(\.commands.count)
    await held.giveBack()
    #expect(servers.machines.map(\.commands.count) == asked)
  }

  @Test("one that was taken away by hand is lost, and its number shut out")
  func unlocked() async throws {
    let servers = try Servers(3)
    let clock = ManualClock()
    let held = try await servers.take(runIdentity("first"), clock: clock)
    try await unlock(servers)
    #expect(servers.machines[0].text(of: "state/fence") == "9 bob on laptop, who unlocked\n")
    await servers.tick(clock)
    #expect(await held.loss?.reason?.hasPrefix("somebody took it away on master-") == true)
    let next = try await servers.lock(runIdentity("next")).take()
    #expect(next.fence.number == 10)
  }

  private func unlock(_ servers: Servers) async throws {
    for machine in servers.machines {
      let script = LockScripts.remove(
        holder: "first", number: 9, by: runIdentity("unlock", user: "bob"))
      let output = try await machine.run(
        .script(ShellScript(script, .stopsAtFailure), .deed, become: .root, timeout: .seconds(10)))
      #expect(try ServerLock(output.output).verdict == .removed)
    }
  }

  @Test("a run that a fence refused learns at once that its lock is lost")
  func refused() async throws {
    let servers = try Servers(3)
    let held = try await servers.take(runIdentity("first"))
    try await unlock(servers)
    var failure = Diagnostic("it failed")
    await held.lookAgain(after: [failure])
    #expect(await held.loss == nil)
    failure.evidence = .init(command: "do", status: Fence.refused, lastLines: [])
    await held.lookAgain(after: [failure])
    #expect(await held.loss?.reason?.hasPrefix("somebody took it away on master-") == true)
  }

  @Test("who was not meant is not removed")
  func changed() async throws {
    let servers = try Servers(1)
    _ = try await servers.take(runIdentity("first"))
    let script = LockScripts.remove(holder: "other", number: 9, by: runIdentity("unlock"))
    let output = try await servers.machines[0].run(
      .script(ShellScript(script, .stopsAtFailure), .deed, become: .root, timeout: .seconds(10)))
    #expect(try ServerLock(output.output).verdict == .changed)
    #expect(servers.holders() == ["first"])
  }
}
