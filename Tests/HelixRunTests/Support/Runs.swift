import HelixModel
import HelixPlan

@testable import HelixRun

/// What a run in a test needs, with everything in it replaceable.
struct TestRun {
  var shells: [any Shell] = []
  var secrets = FixedSecrets()
  var artifacts = FixedArtifacts()
  var diagnoses: [String: Diagnosis] = [:]
  var clock: any RunClock = ManualClock()
  var parallelism = 10
  var home = "/nonexistent"
  var identity = runIdentity("run-1")
  var fence: Fence?
  let log = EventLog()

  var ports: RunPorts {
    RunPorts(
      shells: HostShells(
        hosts: shells.map { host($0.host) }, remote: ScriptedProvider(shells),
        local: ScriptedShell(.controller)),
      secrets: secrets, artifacts: artifacts, kubeconfigs: AppendingKubeconfigs(),
      diagnoses: diagnoses, home: home, clock: clock, nonce: { "n0nce" },
      run: identity, fence: fence)
  }

  /// Applies steps as a plan of their own.
  func apply(
    _ steps: [Step], stop: StopRequest = StopRequest(), sink: (any EventSink)? = nil
  ) async throws -> RunSummary {
    let plan = Plan(changes: [], graph: try StepGraph(steps))
    let executor = Executor(
      ports: ports, parallelism: parallelism, events: sink.map { EventFan([log, $0]) } ?? log)
    return await executor.run(plan, stop: stop)
  }

  /// Does one instruction on the first host, without a step's time limit around it.
  func perform(_ instruction: Instruction, timeout: Int = 600) async throws {
    let step = step("only", instructions: [instruction])
    let runner = InstructionRunner(
      ports: ports, learned: LearnedValues(), events: log, step: step,
      host: shells.first?.host ?? .controller, deadline: clock.now + .seconds(timeout))
    try await runner.perform(instruction)
  }
}

/// The name of a step in tests: `web-1/test#name`.
func id(_ name: String) -> StepID { StepID(Address(host: "web-1", kind: "test"), name) }

/// A step on `web-1` that runs a script which is its own name.
func step(
  _ name: String, after: [String] = [], follows: [String] = [],
  instructions: [Instruction]? = nil, spends: Budget? = nil, timeout: Int = 120
) -> Step {
  Step(
    id(name), title: "do \(name)", host: "web-1", after: after.map(id),
    follows: follows.map(id), instructions: instructions ?? [.run(script: "do-\(name);")],
    spends: spends, timeout: timeout)
}

/// The diagnostic with which a step failed.
func failure(_ summary: RunSummary, _ name: String) -> Diagnostic? {
  summary.failures.first { $0.step == id(name) }?.diagnostic
}
