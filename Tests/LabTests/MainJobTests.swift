import Foundation
import TestSupport
import Testing

/// The main job on real machines, one chapter after the other on the same seven hosts.
extension OnRealMachines {
  @Suite("the main job, on real machines", .serialized)
  struct MainJobTests {
    private let lab: Lab
    private let estate: Estate

    init() throws {
      lab = try Lab.up()
      estate = try Estate(lab)
    }

    @Test("bare hosts become seven Ready nodes, and then there is nothing to do")
    func fromBareHosts() throws {
      try lab.bare()
      let plan = try estate.helix("plan", "--detailed-exitcode")
      #expect(plan.status == 2, "\(plan.all)")
      #expect(
        try lab.inside("master-1", "ls /etc/rancher /usr/local/bin").output.contains("k3s") == false
      )
      try estate.apply()
      try estate.expectWhole()
      try estate.expectNothingToDo()
    }

    @Test("the same plan has the same bytes")
    func samePlanSameBytes() throws {
      try estate.apply()
      _ = try lab.inside("worker-1", "hostnamectl set-hostname elsewhere")
      defer { _ = try? lab.inside("worker-1", "hostnamectl set-hostname worker-1") }
      let first = try estate.helix("plan", "--json")
      let second = try estate.helix("plan", "--json")
      #expect(first.status == 0, "\(first.all)")
      #expect(first.output == second.output)
    }

    @Test("a wiped agent is planned alone, and joins again")
    func wipedAgent() throws {
      try estate.apply()
      try estate.wipe("worker-2")
      let plan = try estate.helix("plan")
      let headings = plan.output.split(separator: "\n").filter { !$0.hasPrefix(" ") }
      #expect(headings.first == "worker-2", "\(plan.all)")
      #expect(
        !headings.contains { $0.hasPrefix("master") || $0.hasPrefix("worker-1") }, "\(plan.all)")
      try estate.apply()
      try estate.expectWhole()
      try estate.expectNothingToDo()
    }

    @Test("a server rebuilt from nothing joins through a living peer, never a second cluster")
    func rebuiltServer() throws {
      try estate.apply()
      let identity = try estate.identity(on: "master-2")
      try estate.wipe("master-1")
      try estate.apply()
      #expect(try estate.identity(on: "master-1") == identity)
      #expect(
        try lab.inside("master-1", "cat /etc/rancher/k3s/config.yaml").output.contains(
          "cluster-init") == false)
      try estate.expectWhole()
      try estate.expectNothingToDo()
    }

    @Test("an unreachable agent is a warning, an unreachable server a refusal that says why")
    func unreachable() throws {
      try estate.apply()
      try estate.wipe("worker-3")
      try lab.lab("cut", "worker-1")
      defer { _ = try? lab.lab("mend", "worker-1") }
      let withoutAgent = try estate.helix("plan", "--detailed-exitcode")
      #expect(withoutAgent.status == 2, "\(withoutAgent.all)")
      #expect(withoutAgent.output.contains("held back"), "\(withoutAgent.all)")
      try lab.lab("cut", "master-3")
      defer { _ = try? lab.lab("mend", "master-3") }
      let withoutServer = try estate.helix("apply", "--auto-approve")
      #expect(withoutServer.status == 4, "\(withoutServer.all)")
      #expect(withoutServer.errors.contains("master-3"), "\(withoutServer.all)")
      #expect(try lab.inside("worker-3", "ls /usr/local/bin").output.contains("k3s") == false)
    }

    @Test("a saved plan is applied exactly, or refused naming the fact that moved")
    func savedPlan() throws {
      try estate.apply()
      _ = try lab.inside("worker-1", "hostnamectl set-hostname elsewhere")
      let saved = try estate.helix("plan", "--out", "next.plan")
      #expect(saved.status == 0, "\(saved.all)")
      _ = try lab.inside("worker-1", "hostnamectl set-hostname somewhere")
      let refused = try estate.helix("apply", "--auto-approve", "next.plan")
      #expect(refused.status == 4, "\(refused.all)")
      #expect(refused.errors.contains("hostname was \"elsewhere\""), "\(refused.all)")
      _ = try lab.inside("worker-1", "hostnamectl set-hostname elsewhere")
      let applied = try estate.helix("apply", "--auto-approve", "next.plan")
      #expect(applied.status == 0, "\(applied.all)")
      try estate.expectNothingToDo()
    }

    @Test("asking for a plan costs at most two executions per host after login")
    func roundTrips() throws {
      try estate.apply()
      let count = "journalctl -u ssh -o cat | grep -c '^Starting session' || true"
      _ = try lab.inside(
        "worker-4",
        "echo LogLevel VERBOSE > /etc/ssh/sshd_config.d/verbose.conf; systemctl restart ssh")
      let before =
        Int(try lab.inside("worker-4", count).output.trimmingCharacters(in: .newlines)) ?? -1
      try estate.expectNothingToDo()
      let after =
        Int(try lab.inside("worker-4", count).output.trimmingCharacters(in: .newlines)) ?? -1
      #expect((1...2).contains(after - before), "\(before) then \(after)")
    }

    @Test("while one run applies, another is told who holds the lock")
    func oneRunAtATime() throws {
      try estate.wipe("worker-4")
      let first = try estate.begin("apply", "--auto-approve")
      let lock = estate.folder.appendingPathComponent(".helix-infra/lock").path
      for _ in 0..<1200 where !FileManager.default.fileExists(atPath: lock) {
        Thread.sleep(forTimeInterval: 0.05)
      }
      let second = try estate.helix("apply", "--auto-approve")
      #expect(second.status == 5, "\(second.all)")
      #expect(first.finish().status == 0)
    }

    @Test("the real kubectl works with the kubeconfig that was fetched")
    func kubeconfig() throws {
      try estate.apply()
      let path = estate.folder.appendingPathComponent(".helix-infra/kubeconfig")
      let attributes = try FileManager.default.attributesOfItem(atPath: path.path)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      let kubectl = try run(
        Lab.script,
        lab.reaching("kubectl", ["--kubeconfig", path.path, "get", "nodes", "-o", "name"]))
      #expect(kubectl.status == 0, "\(kubectl.all)")
      #expect(kubectl.output.split(separator: "\n").count == 7, "\(kubectl.all)")
      let context = try run(
        "/usr/bin/env", ["kubectl", "--kubeconfig", path.path, "config", "current-context"])
      #expect(context.output == "helix\n")
    }
  }
}
