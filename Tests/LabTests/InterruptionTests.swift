import Foundation
import TestSupport
import Testing

extension OnRealMachines {
  @Suite("an interrupted run is no harm", .serialized)
  struct InterruptionTests {
    private static let hosts = ["master-1", "master-2", "master-3", "worker-1"]

    @Test("killed at ten moments of an apply, the next one always converges to one cluster")
    func killed() throws {
      let lab = try Lab.up()
      // The machines left out below belong to a cluster that no longer is.
      defer { try? lab.bare() }
      for round in 0..<10 {
        // Moments spread over the run's whole length, each a little off its neighbour's grid.
        for node in ["worker-2", "worker-3", "worker-4"] where round == 0 {
          try lab.lab("kill", node)
        }
        try lab.wipe(Self.hosts)
        let estate = try Estate(lab)
        let moment = 0.8 + Double(round) * 1.7 + Double.random(in: 0..<1.5)
        let running = try estate.begin(
          "apply", "--auto-approve", "--limit", Self.hosts.joined(separator: ":"))
        Thread.sleep(forTimeInterval: moment)
        if running.isRunning { running.signal(SIGKILL) }
        _ = running.finish()
        // Nobody types faster; a server that is caught in its first second is refused, not guessed at.
        Thread.sleep(forTimeInterval: 2)
        let applied = try estate.helix(
          "apply", "--auto-approve", "--limit", Self.hosts.joined(separator: ":"))
        try #require(
          applied.status == 0, "round \(round), killed after \(moment) s: \(applied.all)")
        try estate.expectWhole(agents: 1)
        let identities = Set(
          try ["master-1", "master-2", "master-3"].map { try estate.identity(on: $0) })
        #expect(identities.count == 1, "round \(round), killed after \(moment) s")
        let plan = try estate.helix(
          "plan", "--detailed-exitcode", "--limit", Self.hosts.joined(separator: ":"))
        #expect(plan.status == 0, "round \(round), killed after \(moment) s: \(plan.all)")
      }
    }
  }
}
