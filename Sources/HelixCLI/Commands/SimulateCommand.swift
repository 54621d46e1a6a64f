import ArgumentParser
import Foundation
import HelixModel
import HelixPlan
import HelixRun

/// Plays a plan on servers that only pretend.
struct SimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Play a plan on servers that only pretend, with faults.",
    discussion: """
      The scheduler and the arithmetic of etcd's votes are those of apply; only hosts and time are \
      made up. Of a saved plan, or of a fresh one of the playbooks; nothing on any host is changed. \
      Exit status 1 says that a run did what must never be done.
      """)

  @Argument(help: "A saved plan, or playbooks in order.", completion: .file())
  var plans: [String] = []

  @Option(
    name: .customLong("fault"),
    help: ArgumentHelp(
      "What goes wrong: kind=KIND[,host=HOST][,step=GLOB]; repeatable.",
      discussion: """
        Kinds: \(SimulatedFault.Kind.allCases.map(\.rawValue).joined(separator: ", ")). The glob is \
        matched against a step's whole name, as in 'master-2/k3s-service#*'. Without any fault, \
        every run draws its own.
        """))
  var faults: [String] = []

  @Option(help: "How many runs; default 1 with a fault, 1000 without.")
  var runs: Int?

  @Option(help: "Where chance begins; the same seed tells the same story.")
  var seed: UInt64 = 1

  @Flag(help: "Print the outcome as JSON; `helix-infra schema simulate` describes it.")
  var json = false

  @OptionGroup var parallelism: ParallelismOptions
  @OptionGroup(title: "What") var project: ProjectOptions
  @OptionGroup(title: "Hosts") var connection: ConnectionOptions
  @OptionGroup var secrets: SecretsOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard (runs ?? 1) >= 1, (runs ?? 1) <= 1_000_000 else {
      throw ValidationError("--runs takes a number from 1 to 1000000")
    }
  }

  func run() async throws {
    let console = Console(common)
    try await console.guarding {
      let requests = try FaultRequest.read(faults)
      let plan = try await plan(console)
      let setup = SimulationSetup(plan)
      let rehearsal = Rehearsal(
        setup: setup, faults: faults.isEmpty ? nil : try FaultRequest.place(requests, in: setup),
        parallelism: parallelism.parallelism, seed: seed,
        runs: runs ?? (faults.isEmpty ? 1000 : 1))
      let report = rehearsal.report
      if json {
        console.answer(try report.jsonDocument())
      } else {
        console.answer(SimulationText(style: console.output).render(report))
      }
      guard report.violations.isEmpty else { throw ExitStatus.failed.exit }
    }
  }

  private func plan(_ console: Console) async throws -> Plan {
    if let first = plans.first, plans.count == 1, !ProjectOptions.isPlaybook(first) {
      return try SavedPlan.read(path: first).plan
    }
    let project = try Project.load(self.project.request(playbooks: plans))
    let session = try await Session(project, connection, secrets, events: Progress(console))
    let plan = try await session.plan()
    await session.close()
    return plan
  }
}
