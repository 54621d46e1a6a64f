import Foundation
import TestSupport
import Testing

extension OnRealMachines {
  @Suite("a secret is seen by nobody", .serialized)
  struct CanaryTests {
    @Test("the token stands in no output, plan, record, argument, environment or journal")
    func canary() throws {
      let lab = try Lab.up()
      let estate = try Estate(lab)
      let canary = try lab.canary()
      try estate.apply()
      for node in ["master-3", "worker-1"] { try estate.wipe(node) }
      let watch = ProcessWatch(for: canary)
      let plan = try estate.helix("plan", "--json", "--out", "next.plan")
      let applied = try estate.helix("apply", "--auto-approve")
      watch.end()
      #expect(applied.status == 0, "\(applied.status)")
      #expect(watch.looks > 3)
      #expect(watch.seen.isEmpty)
      #expect(!plan.all.contains(canary))
      #expect(!applied.all.contains(canary))
      let grep = try run(
        "/bin/grep", ["-rlF", canary, "--exclude-dir=secrets", "--exclude-dir=.lab", "."],
        in: estate.folder)
      #expect(grep.output.isEmpty, "\(grep.output)")
      for node in ["master-1", "master-3", "worker-1"] {
        let journal = try lab.inside(
          node, "journalctl --no-pager -o cat | grep -cF \(canary)")
        #expect(journal.output == "0\n", "\(node): \(journal.all)")
        let written = try lab.inside(node, "grep -lF \(canary) /etc/rancher/k3s/* | wc -l")
        #expect(
          written.output == "1\n", "the canary must have got there, or this test proves nothing")
      }
    }
  }
}
