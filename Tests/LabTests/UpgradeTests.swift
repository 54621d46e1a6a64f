import Foundation
import TestSupport
import Testing

/// A living cluster comes to other releases while somebody writes through its API all along.
extension OnRealMachines {
  @Suite("upgrades", .serialized)
  final class UpgradeTests {
    private static let patch = "v1.29.15+k3s1"
    /// The first release of the next minor that is not older in time.
    private static let minor = "v1.30.14+k3s1"
    private static let plans = """
        plans:
          servers: { concurrency: 1, drain: { timeout: 60s } }
          agents: { concurrency: 2, drain: { timeout: 60s } }
      """
    private let lab: Lab
    private let estate: Estate

    init() throws {
      lab = try Lab.up()
      estate = try Estate(lab)
      try lab.bare()
      try estate.upgrade("  strategy: ssh\n\(Self.plans)")
    }

    // The other suites begin with a cluster of the first release, or with none.
    deinit { try? lab.bare() }

    /// A cluster of the lab's first release that nobody has touched.
    private func freshCluster(servers: Int = 3, agents: Int = 2) throws {
      try estate.inventory(servers: servers, agents: agents)
      try estate.apply()
    }

    /// Leaves upgrades to system-upgrade-controller, whose images come from the lab's mirror.
    private func useController() throws {
      try estate.upgrade("  strategy: controller\n\(Self.plans)")
      try estate.declare { text in
        text = text.replacingOccurrences(
          of: "  artifacts:",
          with: """
              registries:
                mirrors: { docker.io: { endpoint: ["http://10.77.0.1:8000"] } }
              artifacts:
            """)
      }
    }

    @Test("over SSH, a patch and a minor release further, no acknowledged write is lost")
    func overSSH() throws {
      try freshCluster(agents: 4)
      let writer = try APIWriter(estate)
      for release in [Self.patch, Self.minor] {
        try estate.want(release)
        try estate.apply()
        try estate.expectWhole()
        try estate.expectEverywhere(release)
        try estate.expectNothingToDo()
      }
      try writer.expectNothingLost()
    }

    @Test("through system-upgrade-controller, just the same, to a version and then with a channel")
    func throughController() throws {
      try useController()
      try freshCluster()
      let writer = try APIWriter(estate)
      for release in [Self.patch, Self.minor] {
        try estate.want(release)
        if release == Self.minor {
          let channel = try estate.channel(to: release)
          try estate.upgrade("  strategy: controller\n  channel: \(channel)\n\(Self.plans)")
        }
        try estate.apply("playbooks/upgrade.yaml")
        try estate.expectWhole()
        try estate.expectEverywhere(release)
        let again = try estate.helix("plan", "--detailed-exitcode", "playbooks/upgrade.yaml")
        #expect(again.status == 0, "\(again.all)")
        let status = try estate.helix("upgrade", "status")
        #expect(status.status == 0, "\(status.all)")
      }
      try writer.expectNothingLost()
    }

    @Test("with SSH cut at every step, applying again always gets there")
    func cutAtEveryStep() throws {
      try freshCluster()
      try estate.want(Self.patch)
      let writer = try APIWriter(estate)
      var runs = 0
      var severed = 0
      var status: Int32 = -1
      // Once each; a step that is always cut could never be done.
      var cut: Set<String> = []
      while status != 0, runs < 40 {
        runs += 1
        let ran = try estate.apply { step, host in
          guard host.hasPrefix("master") || host.hasPrefix("worker"), cut.insert(step).inserted
          else { return }
          let killed = try lab.inside(host, "pkill -KILL -c -f '^sshd: ops' || true")
          severed += Int(killed.output.trimmingCharacters(in: .newlines)) ?? 0
        }
        status = ran.status
        #expect([0, 1, 3].contains(status), "\(ran.all)")
      }
      #expect(status == 0, "\(runs) runs")
      #expect(severed >= 20, "\(severed) connections were cut at \(cut.count) steps")
      try estate.expectWhole()
      try estate.expectEverywhere(Self.patch)
      try estate.expectNothingToDo()
      try writer.expectNothingLost()
    }

    @Test("a node that comes back broken goes back to its release, and nobody else is touched")
    func rolledBack() throws {
      try freshCluster()
      try estate.want(Self.patch)
      let fault = "/run/k3s-stand-in/faults/broken-\(Self.patch)"
      _ = try lab.inside("master-2", "mkdir -p /run/k3s-stand-in/faults && touch \(fault)")
      let writer = try APIWriter(estate)
      let applied = try estate.helix("apply", "--auto-approve")
      #expect(applied.status == 3, "\(applied.all)")
      let releases = try estate.releases(from: "master-3")
      #expect(releases["master-1"] == Self.patch, "\(releases)")
      #expect(releases.filter { $0.key != "master-1" }.allSatisfy { $0.value == Lab.release })
      try estate.expectWhole()
      _ = try lab.inside("master-2", "rm \(fault)")
      try estate.apply()
      try estate.expectEverywhere(Self.patch)
      try writer.expectNothingLost()
    }

    @Test(
      "a server that dies among five costs nobody a write: the other servers go on, agents wait")
    func serverDies() throws {
      try useController()
      try estate.upgrade("  strategy: ssh\n\(Self.plans)")
      try freshCluster(servers: 5, agents: 1)
      let writer = try APIWriter(estate, servers: 5)
      try estate.want(Self.patch)
      try comeBack(to: Self.patch, by: "playbooks/site.yaml", at: "master-2/k3s-service#restart")
      try estate.upgrade("  strategy: controller\n\(Self.plans)")
      try estate.want(Self.minor)
      try comeBack(
        to: Self.minor, by: "playbooks/upgrade.yaml",
        at: "cluster/upgrade-plan:servers#upgrade-master-2")
      try writer.expectNothingLost(away: 2)
    }

    /// Takes the last of five servers away when a step begins, requires that the run brings the
    /// others to the release and no agent, and that with the server back another run ends what was
    /// begun.
    private func comeBack(to release: String, by playbook: String, at step: String) throws {
      let before = try estate.releases()
      var isDead = false
      let ran = try estate.apply(playbook) { begun, _ in
        guard begun == step else { return }
        isDead = true
        try lab.lab("kill", "master-5")
      }
      #expect(isDead, "\(ran.all)")
      #expect(ran.status != 0, "\(ran.all)")
      #expect(ran.all.contains("master-5"), "\(ran.all)")
      var after = try estate.releases()
      // It may have been drained before it was gone, or after: the API does that without it.
      let dead = after.removeValue(forKey: "master-5")
      #expect(dead?.hasPrefix(before["master-5"] ?? "?") == true, "\(dead ?? "gone")")
      for (node, found) in after {
        #expect(found == (node.hasPrefix("master") ? release : before[node]), "\(node): \(found)")
      }
      try lab.lab("start", "master-5")
      for _ in 0..<60 where try !estate.nodes().allSatisfy({ $0.contains(" Ready=True") }) {
        Thread.sleep(forTimeInterval: 1)
      }
      try estate.apply(playbook)
      try estate.expectWhole()
      try estate.expectEverywhere(release)
    }

    @Test("a run that is killed at its long steps is taken up by the next, step after step")
    func killed() throws {
      try freshCluster()
      try estate.want(Self.patch)
      let writer = try APIWriter(estate)
      for step in [
        "cluster/snapshot#save", "master-1/k3s-drain#drain", "master-2/k3s-service#restart",
        "worker-1/k3s-drain#drain",
      ] {
        try estate.apply(killedAt: step)
      }
      try estate.apply()
      try estate.expectWhole()
      try estate.expectEverywhere(Self.patch)
      try estate.expectNothingToDo()
      try writer.expectNothingLost()
    }

    @Test("two minors further it goes hop by hop, and each apply makes one")
    func ladder() throws {
      try estate.want("v1.28.15+k3s1")
      try freshCluster()
      try estate.want(Self.patch)
      try estate.want(Self.minor)
      let refused = try estate.helix("apply", "--auto-approve")
      #expect(refused.status == 4, "\(refused.all)")
      try estate.expectEverywhere("v1.28.15+k3s1")
      try estate.upgrade("  strategy: ssh\n  through: [\(Self.patch)]\n\(Self.plans)")
      let first = try estate.helix("apply", "--auto-approve")
      #expect(first.status == 3, "\(first.all)")
      try estate.expectEverywhere(Self.patch)
      try estate.apply()
      try estate.expectEverywhere(Self.minor)
      try estate.expectNothingToDo()
      try estate.upgrade("  strategy: ssh\n\(Self.plans)")
      try estate.want(Self.patch)
      let down = try estate.helix("apply", "--auto-approve")
      #expect(down.status == 4, "\(down.all)")
    }

    @Test("two operators at two desks: the cluster itself tells the second who the first is")
    func twoOperators() throws {
      try freshCluster()
      try estate.wipe("worker-2")
      let other = try Estate(lab)
      try other.inventory(servers: 3, agents: 2)
      let running = try estate.begin("apply", "--auto-approve")
      for _ in 0..<200 {
        let held = try lab.inside("master-1", "ls /var/lib/helix-infra/lock 2>/dev/null")
        if held.output.contains("holder") { break }
        Thread.sleep(forTimeInterval: 0.05)
      }
      let second = try other.helix("apply", "--auto-approve")
      #expect(second.status == 5, "\(second.all)")
      let unlock = try other.helix("unlock")
      #expect(unlock.status == 5, "\(unlock.all)")
      let first = running.finish()
      #expect(first.status == 0, "\(first.all)")
      try other.upgrade("  strategy: ssh\n\(Self.plans)")
      let third = try other.helix("apply", "--auto-approve")
      #expect(third.status == 0, "\(third.all)")
    }

    @Test("an agent that is off is named, and the others come to the new release")
    func agentIsOff() throws {
      try freshCluster()
      try estate.want(Self.patch)
      try lab.lab("kill", "worker-2")
      let applied = try estate.helix("apply", "--auto-approve")
      #expect(applied.status == 3, "\(applied.all)")
      #expect(applied.all.contains("worker-2"), "\(applied.all)")
      let releases = try estate.releases()
      #expect(releases.filter { $0.key != "worker-2" }.allSatisfy { $0.value == Self.patch })
      try lab.lab("start", "worker-2")
      try estate.apply()
      try estate.expectEverywhere(Self.patch)
    }

    @Test("a disruption budget that blocks is named, and the node stays as it is")
    func budgetBlocks() throws {
      try freshCluster()
      let manifest = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: only-one, namespace: default }
        spec:
          replicas: 1
          selector: { matchLabels: { app: only-one } }
          template:
            metadata: { labels: { app: only-one } }
            spec:
              nodeSelector: { kubernetes.io/hostname: worker-1 }
              containers: [{ name: one, image: registry.invalid/one }]
        ---
        apiVersion: policy/v1
        kind: PodDisruptionBudget
        metadata: { name: keep-one, namespace: default }
        spec: { minAvailable: 1, selector: { matchLabels: { app: only-one } } }
        """
      let made = try lab.inside(
        "master-1",
        "k3s kubectl apply -f - <<'END'\n\(manifest)\nEND\n"
          + "k3s kubectl rollout status deployment/only-one --timeout=60s")
      try #require(made.status == 0, "\(made.all)")
      try estate.want(Self.patch)
      let applied = try estate.helix("apply", "--auto-approve")
      #expect(applied.status == 3, "\(applied.all)")
      #expect(applied.all.contains("keep-one"), "\(applied.all)")
      let releases = try estate.releases()
      #expect(releases["worker-1"] == Lab.release, "\(releases)")
      #expect(releases["worker-2"] == Self.patch, "\(releases)")
      _ = try lab.inside("master-1", "k3s kubectl delete poddisruptionbudget keep-one")
      try estate.apply()
      try estate.expectEverywhere(Self.patch)
    }
  }
}
