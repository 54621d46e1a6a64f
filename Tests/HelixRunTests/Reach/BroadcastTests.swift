import HelixModel
import Synchronization
import Testing

@testable import HelixRun

@Suite("a broadcast runs one command on many hosts")
struct BroadcastTests {
  private func run(
    _ shells: [ScriptedShell], on hosts: [HostName]? = nil, parallelism: Int = 10,
    clock: any RunClock = ManualClock(), stop: StopRequest = StopRequest()
  ) async -> [HostName: Broadcast.Outcome] {
    let hosts = hosts ?? shells.map(\.host)
    let broadcast = Broadcast(
      shells: HostShells(hosts: hosts.map { host($0) }, remote: ScriptedProvider(shells)),
      parallelism: parallelism, clock: clock)
    let answers = Mutex<[Broadcast.Answer]>([])
    await broadcast.run(
      hosts.map { (host: $0, command: Command("uptime", become: .never)) }, stop: stop
    ) { answer in answers.withLock { $0.append(answer) } }
    return Dictionary(uniqueKeysWithValues: answers.withLock { $0 }.map { ($0.host, $0.outcome) })
  }

  @Test("each host answers for itself, and one that is silent says why")
  func answers() async {
    let shells = [
      ScriptedShell("web-1", [("uptime", { _ in CommandOutput(status: 0, output: "up\n") })]),
      ScriptedShell("web-2", [("uptime", { _ in CommandOutput(status: 3) })]),
    ]
    let outcomes = await run(shells, on: ["web-1", "web-2", "web-3"])
    #expect(outcomes["web-1"] == .ended(CommandOutput(status: 0, output: "up\n")))
    #expect(outcomes["web-2"] == .ended(CommandOutput(status: 3)))
    #expect(
      outcomes["web-3"]
        == .unreachable(
          Diagnostic(
            "cannot connect to web-3", reason: "no route to host",
            at: .host("web-3", address: "10.0.0.7"))))
    #expect(shells.flatMap(\.commands).map(\.effect) == [.deed, .deed])
  }

  @Test(
    "no more hosts than allowed run it at once, and all have their turn", arguments: [1, 3, 40])
  func bounded(parallelism: Int) async {
    let gauge = Gauge()
    let shells = (1...25).map { number in
      ScriptedShell(
        HostName("web-\(number)"),
        [
          (
            "uptime",
            { _ in
              await gauge.stay()
              return CommandOutput(status: 0)
            }
          )
        ])
    }
    #expect(await run(shells, parallelism: parallelism).count == 25)
    #expect(gauge.most <= parallelism)
    #expect(gauge.most > (parallelism == 1 ? 0 : 1))
  }

  @Test("told to stop, it ends what runs, begins nothing more, and keeps the answers it has")
  func stopped() async {
    let clock = ManualClock()
    let waiting: ScriptedShell.Answer = { _ in
      try await clock.sleep(for: .seconds(60))
      return CommandOutput(status: 0)
    }
    let shells = [
      ScriptedShell("web-1", [("uptime", { _ in CommandOutput(status: 0) })]),
      ScriptedShell("web-2", [("uptime", waiting)]),
      ScriptedShell("web-3", [("uptime", waiting)]),
      ScriptedShell("web-4", []),
    ]
    let stop = StopRequest()
    async let outcomes = run(shells, parallelism: 2, clock: clock, stop: stop)
    await clock.hasSleepers(2)
    stop.ask()
    #expect(await outcomes == ["web-1": .ended(CommandOutput(status: 0))])
    #expect(shells[3].commands.isEmpty)
  }
}
