import Foundation
import TestSupport
import Testing

extension OnRealMachines {
  @Suite("a secret is seen by nobody", .serialized)
  struct CanaryTests {
    /// Looks again and again at every process of this machine; the nodes' are among them.
    private final class Watch: @unchecked Sendable {
      // Only the thread writes `seen` and `looks`, and they are read after it has ended.
      private(set) var seen: [String] = []
      private(set) var looks = 0
      private let isOver = NSLock()
      private let done = DispatchSemaphore(value: 0)

      init(for canary: String) {
        isOver.lock()
        let needle = Data(canary.utf8)
        Thread {
          while !self.isOver.try() {
            self.look(for: needle)
            self.looks += 1
          }
          self.done.signal()
        }.start()
      }

      func end() {
        isOver.unlock()
        done.wait()
      }

      private func look(for needle: Data) {
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: "/proc")) ?? [] where Int(name) != nil {
          for part in ["cmdline", "environ"] {
            let path = "/proc/\(name)/\(part)"
            guard let data = files.contents(atPath: path), data.range(of: needle) != nil else {
              continue
            }
            seen.append(String(decoding: data, as: UTF8.self))
          }
        }
      }
    }

    @Test("the token stands in no output, plan, record, argument, environment or journal")
    func canary() throws {
      let lab = try Lab.up()
      let estate = try Estate(lab)
      let canary = try lab.canary()
      try estate.apply()
      for node in ["master-3", "worker-1"] { try estate.wipe(node) }
      let watch = Watch(for: canary)
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
