import Glibc
import HelixModel
import HelixPlan
import Synchronization
import Testing

@testable import HelixRun

@Suite("long steps on a real shell", .enabled(if: LocalHost.isRoot))
struct LaunchTests {
  /// A run that finds the machine at its usual place.
  private func run(_ machine: FarMachine, _ id: String = "run-1", user: String = "alice") -> TestRun
  {
    TestRun(shells: [machine], clock: SystemClock(), identity: runIdentity(id, user: user))
  }

  private func launch(
    _ script: String, timeout: Int = 60, keepsResult: Bool = false
  ) -> Instruction {
    .launch(
      Launch("drain worker-1", script: script, timeout: timeout, keepsResult: keepsResult))
  }

  /// The folder of the only step's record.
  private func record(_ machine: FarMachine) -> String {
    let names = HelixRun.names(in: "\(machine.folder)/state/steps").filter {
      $0.hasPrefix("web-1-test-only")
    }
    return "state/steps/\(names.first ?? "none")"
  }

  @Test("it runs to its end with a record for root alone, and nothing of it on a command line")
  func runs() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    let run = run(machine)
    try await run.perform(launch("echo \"it's\" done | tee \(scratch("a"))"))
    #expect(try scratch.text(of: "a") == "it's done\n")
    let record = record(machine)
    #expect(machine.text(of: "\(record)/output") == "it's done\n")
    #expect(machine.text(of: "\(record)/status") == "0 1000\n")
    #expect(machine.text(of: "\(record)/acknowledged") == "")
    #expect(scratch.mode(of: "web-1/\(record)") == "700")
    #expect(scratch.mode(of: "web-1/\(record)/script") == "600")
    #expect(machine.commands.allSatisfy { $0.line == "sh -s" })
  }

  @Test("a failure says how it ended and what it printed last, and the next run begins anew")
  func fails() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    let script = "echo x >>\(scratch("count")); echo no space left >&2; exit 7"
    for count in 1...2 {
      let error = await #expect(throws: Diagnostic.self) {
        try await run(machine, "run-\(count)").perform(launch(script))
      }
      #expect(error?.summary == "\"drain worker-1\" failed with exit status 7")
      #expect(error?.evidence?.lastLines == ["no space left"])
      #expect(try scratch.text(of: "count")?.count == 2 * count)
    }
  }

  @Test("two who want the same thing start it once, and both see its end")
  func twoAttach() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    let go = scratch("go")
    let script = """
      echo x >>\(scratch("count"))
      while [ ! -e \(go) ]; do sleep 0.1; done
      """
    let runs = [run(machine, "run-1"), run(machine, "run-2", user: "bob")]
    try await withThrowingTaskGroup { group in
      for run in runs { group.addTask { try await run.perform(launch(script)) } }
      await eventually("both are there") {
        machine.commands.count { $0.effect == .question } >= 2
      }
      try scratch.write("", to: "go")
      try await group.waitForAll()
    }
    #expect(try scratch.text(of: "count") == "x\n")
    let notes = runs.flatMap(\.log.notes).filter { $0.hasPrefix("still running, started ") }
    #expect(notes.count == 1)
    #expect(notes.first?.contains("s ago by run run-") == true)
  }

  @Test(
    "cut off, it goes on; the next run finds it running, or takes what came of it if it keeps",
    arguments: [true, false])
  func cut(_ keepsResult: Bool) async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    let script = """
      echo x >>\(scratch("count"))
      while [ ! -e \(scratch("go")) ]; do sleep 0.1; done
      echo it is done
      """
    let first = run(machine)
    let long = launch(script, keepsResult: keepsResult)
    let performing = Task { try await first.perform(long, timeout: 20) }
    await eventually("it runs") { (try? scratch.text(of: "count")) == "x\n" }
    machine.isCut = true
    let error = await #expect(throws: Diagnostic.self) { try await performing.value }
    #expect(error?.summary.contains("connect") == true, "\(String(describing: error))")
    #expect(first.log.notes.contains("the connection was lost, connecting again"))
    machine.isCut = false
    try scratch.write("", to: "go")
    let status = "\(machine.folder)/\(record(machine))/status"
    await eventually("it has ended") { access(status, F_OK) == 0 }
    try machine.boot("boot-1", uptime: 1040)
    let second = run(machine, "run-2")
    try await second.perform(long)
    let told = "finished, status 0, 40 s ago while nobody watched, by run run-1 (alice on laptop)"
    #expect(second.log.notes == (keepsResult ? [told] : []))
    let done = keepsResult ? "x\n" : "x\nx\n"
    #expect(try scratch.text(of: "count") == done)
    // Now somebody has seen it: wanted once more, it is done once more.
    try await run(machine, "run-3").perform(long)
    #expect(try scratch.text(of: "count") == done + "x\n")
  }

  @Test("a connection that comes back is attached to again, whenever it was lost")
  func reattached() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    let script = """
      echo x >>\(scratch("count"))
      while [ ! -e \(scratch("go")) ]; do sleep 0.1; done
      """
    let run = run(machine)
    let performing = Task { try await run.perform(launch(script)) }
    await eventually("it runs") { (try? scratch.text(of: "count")) == "x\n" }
    machine.isCut = true
    await eventually("noticed") { !run.log.notes.isEmpty }
    machine.isCut = false
    try scratch.write("", to: "go")
    try await performing.value
    #expect(try scratch.text(of: "count") == "x\n")
  }

  @Test("an old success is no answer to what is wanted today")
  func stale() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    let script = "echo x >>\(scratch("count"))"
    try await run(machine).perform(launch(script, keepsResult: true))
    for (uptime, boot, count) in [(4000, "boot-1", 1), (4601, "boot-1", 2), (20, "boot-2", 3)] {
      unlink("\(machine.folder)/\(record(machine))/acknowledged")
      try machine.put("0 1000\n", in: "\(record(machine))/status")
      try machine.boot(boot, uptime: uptime)
      try await run(machine, "run-\(uptime)").perform(launch(script, keepsResult: true))
      #expect(try scratch.text(of: "count")?.count == 2 * count, "\(uptime)")
    }
  }

  @Test("what a reboot or a killer ended is begun anew by the next run")
  func rebooted() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    let script = "echo x >>\(scratch("count"))"
    try await run(machine).perform(launch(script))
    unlink("\(machine.folder)/\(record(machine))/status")
    try await run(machine, "run-2").perform(launch(script))
    #expect(try scratch.text(of: "count") == "x\nx\n")
    unlink("\(machine.folder)/\(record(machine))/status")
    try machine.boot("boot-2", uptime: 20)
    try await run(machine, "run-3").perform(launch(script))
    #expect(try scratch.text(of: "count") == "x\nx\nx\n")
  }

  @Test("a reboot under our eyes is no end: it is begun anew")
  func rebootedMeanwhile() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    let script = """
      echo x >>\(scratch("count"))
      if [ ! -e \(scratch("again")) ]; then
      : >\(scratch("again"))
      while [ ! -e \(scratch("go")) ]; do sleep 0.1; done
      kill -9 $PPID
      fi
      """
    try machine.put("#!/bin/sh\nshift 3; exec \"$@\"\n", in: "bin/timeout", mode: "0755")
    let run = run(machine)
    let performing = Task { try await run.perform(launch(script)) }
    await eventually("it runs") { (try? scratch.text(of: "again")) == "" }
    // Another boot, in which nothing of the first one runs.
    try machine.boot("boot-2", uptime: 20)
    try scratch.write("", to: "go")
    try await performing.value
    #expect(run.log.notes.contains("the host was rebooted in the middle; beginning anew"))
    #expect(try scratch.text(of: "count") == "x\nx\n")
  }

  @Test("somebody who ends it on the host is told of, with what it printed last")
  func killed() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    // The runner is the script's grandparent: timeout stands between them.
    let script = """
      echo going on
      read -r _ _ _ runner _ </proc/$PPID/stat
      kill -9 "$runner"
      """
    let error = await #expect(throws: Diagnostic.self) {
      try await run(machine).perform(launch(script))
    }
    #expect(error?.summary == "\"drain worker-1\" was ended on the host before it was done")
  }

  @Test("the host ends what takes too long")
  func outOfTime() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    let error = await #expect(throws: Diagnostic.self) {
      try await run(machine).perform(launch("sleep 600", timeout: 1))
    }
    #expect(
      error?.summary == "\"drain worker-1\" did not end within 1 s, and the host ended it")
  }

  @Test("of long output the end is kept, and no more than a disk can bear")
  func output() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    let script = """
      head -c 3000000 /dev/zero | tr '\\0' '\\n'
      n=0; while [ $n -lt 9000 ]; do echo "line $n of them all"; n=$((n + 1)); done
      exit 3
      """
    let error = await #expect(throws: Diagnostic.self) {
      try await run(machine).perform(launch(script))
    }
    #expect(error?.evidence?.lastLines.count == 20)
    #expect(error?.evidence?.lastLines.last == "line 8999 of them all")
    let parts = ["output", "output.before"].map {
      machine.text(of: "\(record(machine))/\($0)") ?? ""
    }
    #expect(parts.allSatisfy { $0.utf8.count <= 196_608 })
    #expect(parts.map(\.utf8.count).reduce(0, +) >= 65_536)
  }

  @Test("interrupted, it goes on, and the message says where to look")
  func interrupted() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    let script = """
      : >\(scratch("begun"))
      while [ ! -e \(scratch("go")) ]; do sleep 0.1; done
      : >\(scratch("done"))
      """
    let run = run(machine)
    let performing = Task { try await run.perform(launch(script)) }
    await eventually("it runs") { (try? scratch.text(of: "begun")) == "" }
    performing.cancel()
    await #expect(throws: (any Error).self) { try await performing.value }
    #expect(
      run.log.notes.last?.hasPrefix(
        "\"drain worker-1\" goes on without us; see it there with: systemctl status "
          + "helix-step-web-1-test-only-") == true, "\(run.log.notes)")
    try scratch.write("", to: "go")
    await eventually("it has ended") { (try? scratch.text(of: "done")) == "" }
  }

  @Test("only the newest records are kept, and those of steps that run")
  func pruned() async throws {
    let scratch = try ScratchFolder()
    let machine = try FarMachine("web-1", in: scratch)
    for number in 10..<40 { try machine.put("0 1\n", in: "state/steps/old-\(number)/status") }
    try await run(machine).perform(launch("true"))
    let names = HelixRun.names(in: "\(machine.folder)/state/steps").filter { $0.contains("-") }
    #expect((20...21).contains(names.count), "\(names.sorted())")
    #expect(record(machine) != "state/steps/none")
  }

  @Test("the operator's own machine has no connection to lose")
  func local() async throws {
    let scratch = try ScratchFolder()
    let shell = ScriptedShell(.controller, [("do-it", { _ in CommandOutput(status: 0) })])
    let log = EventLog()
    let ports = RunPorts(
      shells: HostShells(hosts: [], remote: ScriptedProvider([]), local: shell),
      secrets: FixedSecrets(), artifacts: FixedArtifacts(), kubeconfigs: AppendingKubeconfigs(),
      diagnoses: [:], home: scratch.path)
    let runner = InstructionRunner(
      ports: ports, learned: LearnedValues(), events: log, step: step("only"), host: .controller,
      deadline: .seconds(60))
    try await runner.perform(launch("do-it"))
    #expect(shell.commands.count == 1)
    await #expect(throws: Diagnostic.self) { try await runner.perform(.reboot(Reboot())) }
    #expect(shell.commands.count == 1)
  }
}

@Suite("reboots on a real shell", .enabled(if: LocalHost.isRoot))
struct RebootTests {
  /// A machine whose orders to reboot are only written down.
  private func machine(_ scratch: borrowing ScratchFolder) throws -> FarMachine {
    let machine = try FarMachine("web-1", in: scratch)
    for program in ["setsid", "systemd-run", "systemctl", "reboot"] {
      try machine.put(
        "#!/bin/sh\necho reboot >>\(machine.folder)/orders\n", in: "bin/\(program)", mode: "0755")
    }
    return machine
  }

  private func orders(_ machine: FarMachine) -> Int {
    machine.text(of: "orders")?.split(separator: "\n").count ?? 0
  }

  /// Lets time pass until the machine was asked so often.
  private func passing(_ clock: ManualClock, until count: Int, asked machine: FarMachine) async {
    await eventually("asked \(count) times") {
      clock.advance(by: .milliseconds(200))
      return machine.commands.count >= count
    }
  }

  @Test("it is over when the host answers from another boot, whatever happens in between")
  func reboot() async throws {
    let scratch = try ScratchFolder()
    let machine = try machine(scratch)
    let clock = ManualClock()
    let run = TestRun(shells: [machine], clock: clock)
    let rebooting = Task { try await run.perform(.reboot(Reboot(timeout: 100))) }
    await eventually("ordered") { run.log.notes.count == 1 }
    machine.isCut = true
    await passing(clock, until: 3, asked: machine)
    machine.isCut = false
    await passing(clock, until: 5, asked: machine)
    try machine.boot("boot-2", uptime: 12)
    await eventually("it is over") {
      clock.advance(by: .milliseconds(200))
      return run.log.notes.count == 2
    }
    try await rebooting.value
    #expect(
      run.log.notes == ["rebooting, until now in boot boot-1", "answers again, in boot boot-2"])
    // The same step of the same run has had its reboot.
    try await run.perform(.reboot(Reboot(timeout: 100)))
    #expect(orders(machine) == 1)
  }

  @Test("an order whose answer was lost is asked about, and not given again after the reboot")
  func answerLost() async throws {
    let scratch = try ScratchFolder()
    let machine = try machine(scratch)
    let run = TestRun(shells: [LosingShell(machine)], clock: EagerClock())
    try await run.perform(.reboot(Reboot(timeout: 100)))
    #expect(orders(machine) == 1)
  }

  @Test("a host that does not come back is told of")
  func lost() async throws {
    let scratch = try ScratchFolder()
    let machine = try machine(scratch)
    let run = TestRun(shells: [machine], clock: EagerClock())
    let error = await #expect(throws: Diagnostic.self) {
      try await run.perform(.reboot(Reboot(timeout: 9)))
    }
    #expect(error?.summary == "the host did not come back from its reboot within 9 s")
    // On this clock every limit is over at once.
    #expect(error?.reason == "it does not answer")
  }
}

/// Loses the first answer, and the machine has been rebooted when it can be asked again.
private final class LosingShell: Shell {
  let host: HostName
  private let machine: FarMachine
  private let isFirst = Mutex(true)

  init(_ machine: FarMachine) {
    self.machine = machine
    host = machine.host
  }

  func run(_ command: Command) async throws -> CommandOutput {
    let output = try await machine.run(command)
    let isFirst = isFirst.withLock { first in
      defer { first = false }
      return first
    }
    guard isFirst else { return output }
    try machine.boot("boot-2", uptime: 5)
    throw Diagnostic("the connection was lost")
  }

  func send(_ transfer: FileTransfer) async throws {}
  func close() async {}
}
