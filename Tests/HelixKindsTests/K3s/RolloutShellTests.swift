import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

/// What an update of packages asks and does, run by a real shell with an apt that only talks.
@Suite("rollout scripts in a shell")
struct RolloutShellTests {
  private let host: ShellHost

  init() throws {
    host = try ShellHost()
    try host.program("dpkg", "true")
    try host.program("uname", "echo 6.1.0-26-amd64")
  }

  @Test("what apt would do is read from what it says")
  func pending() throws {
    try host.program(
      "apt-get",
      #"""
      printf '%s\n' 'Inst base-files [12.4+deb12u7] (12.4+deb12u8 Debian:12.8/stable [amd64])' \
        'Inst linux-image-6.1.0-27-amd64 (6.1.115-1 Debian:12.8/stable [amd64])' \
        'Remv old-thing [1.0]' 'Conf base-files (12.4+deb12u8 Debian:12.8/stable [amd64])'
      """#)
    let packages = try #require(try host.ask(PendingPackages.fact))
    #expect(packages.listsAreFresh && !packages.isHalfDone && packages.trouble == nil)
    #expect(
      packages.updates == [
        .init(name: "base-files", before: "12.4+deb12u7", after: "12.4+deb12u8"),
        .init(name: "linux-image-6.1.0-27-amd64", before: nil, after: "6.1.115-1"),
      ])
    #expect(packages.removals == ["old-thing"])
    #expect(packages.asksForReboot && !packages.rebootIsRequired && packages.newerKernel == nil)
    #expect(try host.calls.filter { $0.contains("upgrade") } == ["-qq -s dist-upgrade"])
  }

  @Test("a host that asks for a reboot, or was installed a kernel since its boot, is told")
  func reboots() throws {
    try host.program("apt-get", "true")
    #expect(try host.ask(PendingPackages.fact)?.asksForReboot == false)
    // Of another flavour, or older: neither is what this host would boot.
    try host.write("", to: "boot/vmlinuz-6.1.0-27-cloud")
    try host.write("", to: "boot/vmlinuz-6.1.0-9-amd64")
    try host.write("", to: "boot/vmlinuz-6.1.0-26-amd64")
    #expect(try host.ask(PendingPackages.fact)?.asksForReboot == false)
    try host.write("", to: "boot/vmlinuz-6.1.0-27-amd64")
    #expect(try host.ask(PendingPackages.fact)?.newerKernel == "6.1.0-27-amd64")
    try host.write("", to: "run/reboot-required")
    #expect(try host.ask(PendingPackages.fact)?.rebootIsRequired == true)
  }

  @Test("old lists, packages that are half there and an apt that cannot go on are told")
  func troubles() throws {
    try host.program(
      "apt-get", "echo 'E: Unmet dependencies.' >&2; echo 'W: something' >&2; exit 100")
    try host.program("dpkg", "echo 'The following packages are only half configured'")
    try host.date("var/lib/apt/lists", "2 days ago")
    let packages = try #require(try host.ask(PendingPackages.fact))
    #expect(!packages.listsAreFresh && packages.isHalfDone)
    #expect(packages.trouble == "Unmet dependencies.")
  }

  @Test("refreshed lists are fresh, even when nothing in them was new")
  func refresh() throws {
    try host.program("apt-get", "true")
    try host.date("var/lib/apt/lists", "2 days ago")
    #expect(try host.ask(PendingPackages.fact)?.listsAreFresh == false)
    let cluster = try K3sCaseCluster("os-update\nserver master-1 server")
    let plan = try plan(
      cluster, cluster.observation { _, fact in fact == "os-packages" ? "age 90000\nend\n" : nil })
    let step = try #require(plan.graph.steps.first)
    #expect(plan.graph.steps.count == 1 && plan.heldBack.count == 1)
    #expect(try host.run(step.instructions[0]).status == 0)
    #expect(try host.ask(PendingPackages.fact)?.listsAreFresh == true)
    try host.program("apt-get", "exit 100")
    #expect(try host.run(step.instructions[0]).status == 100)
  }

  @Test("every agent in a window waits, and a server is never away beside another")
  func order() throws {
    let agents = (1...5).map { "agent worker-\($0) agent\n" }.joined()
    let cluster = try K3sCaseCluster(
      "os-update concurrency=2\nserver master-1 server\nserver master-2 server\n"
        + "server master-3 server\n\(agents)")
    let plan = try plan(
      cluster,
      cluster.observation { _, fact in
        fact == "os-packages" ? "age 1\nupdate linux-image-amd64 2 1\nend\n" : nil
      })
    let steps = Dictionary(uniqueKeysWithValues: plan.graph.steps.map { ($0.id, $0) })
    let reboots = plan.graph.steps.filter { $0.id.name == "reboot" }
    #expect(reboots.count == 8)
    for server in reboots.prefix(3) {
      #expect(server.spends == server.host.map(Budget.voter))
      for other in reboots where other.id > server.id {
        #expect(other.waits(for: server.id, among: steps), "\(other.id) after \(server.id)")
      }
    }
    let workers = reboots.dropFirst(3).sorted { $0.id < $1.id }
    for (place, worker) in workers.enumerated() {
      let together = workers.filter {
        $0.id != worker.id && !$0.waits(for: worker.id, among: steps)
          && !worker.waits(for: $0.id, among: steps)
      }
      #expect(together.count <= 2 && worker.spends == nil, "\(place)")
    }
    for uncordon in plan.graph.steps where uncordon.id.name == "uncordon" {
      #expect(uncordon.after.map(\.name) == ["drain"] && uncordon.follows.count == 1)
    }
  }
}
