import Foundation
import TestSupport
import Testing

/// New packages and reboots of machines that bear a living cluster.
extension OnRealMachines {
  @Suite("packages and reboots", .serialized)
  final class RolloutTests {
    private static let playbook = "playbooks/rollout-update.yaml"
    private let lab: Lab
    private let estate: Estate

    init() throws {
      lab = try Lab.up()
      estate = try Estate(lab)
      try lab.bare()
      try estate.inventory(servers: 3, agents: 2)
      try estate.apply()
    }

    // What was installed for the tests is to be seen by nobody else.
    deinit { try? lab.bare() }

    @Test("servers reboot one after the other, then agents, while somebody writes all along")
    func nodeByNode() throws {
      let hosts = ["master-1", "master-2", "worker-1"]
      for host in hosts { try publish(on: host, "touch /run/reboot-required") }
      // What is new there is not known before its lists are read.
      _ = try lab.inside("worker-1", "touch -d '3 days ago' /var/lib/apt/lists; rm -rf \(stamps)")
      let before = try hosts.map(boot)
      let third = try boot("master-3")
      let writer = try APIWriter(estate)
      // The lists of one host are refreshed by this run, and the next knows what is new.
      try estate.apply(Self.playbook, expecting: 3)
      #expect(try boot("worker-1") == before[2])
      try estate.apply(Self.playbook)
      for (host, earlier) in zip(hosts, before) {
        #expect(try boot(host) != earlier, "\(host)")
        #expect(try installed(on: host) == "2.0", "\(host)")
        #expect(try updates(on: host) == 1, "\(host)")
      }
      #expect(try boot("master-3") == third)
      try estate.expectWhole()
      try estate.expectEverywhere(Lab.release)
      let again = try estate.helix("plan", "--detailed-exitcode", Self.playbook)
      #expect(again.status == 0, "\(again.all)")
      try writer.expectNothingLost()
    }

    @Test("a run killed in the middle of an update, and one in a reboot, are taken up by the next")
    func killed() throws {
      try publish(on: "master-2", "sleep 12; touch /run/reboot-required")
      let before = try boot("master-2")
      try estate.apply(Self.playbook, killedAt: "master-2/os-update#update") {
        try updates(on: "master-2") == 1
      }
      let second = try estate.apply(Self.playbook)
      #expect(second.all.contains("by run "), "\(second.all)")
      #expect(try boot("master-2") == before)
      // That a reboot is asked for is known when the update is over.
      try estate.apply(Self.playbook, killedAt: "master-2/os-update#reboot")
      // While the server boots it is silent, and a plan is refused.
      var last = try estate.helix("apply", "--auto-approve", Self.playbook)
      for _ in 0..<20 where last.status == 4 {
        Thread.sleep(forTimeInterval: 2)
        last = try estate.helix("apply", "--auto-approve", Self.playbook)
      }
      #expect(last.status == 0, "\(last.all)")
      #expect(try updates(on: "master-2") == 1)
      #expect(try boot("master-2") != before)
      try estate.expectWhole()
      try estate.expectEverywhere(Lab.release)
      let again = try estate.helix("plan", "--detailed-exitcode", Self.playbook)
      #expect(again.status == 0, "\(again.all)")
    }

    private let stamps = "/var/lib/apt/periodic"

    /// Installs a package on a node of a kind that is known to ask for a reboot, and puts a newer one that does something when it is installed
    /// into the node's repository.
    private func publish(on node: String, _ work: String) throws {
      let made = try lab.inside(
        node,
        """
        set -e
        make() {
          folder=$(mktemp -d)
          chmod 755 "$folder"
          mkdir "$folder/DEBIAN"
          printf 'Package: linux-firmware-lab\\nVersion: %s\\nArchitecture: all\\n' "$1" >"$folder/DEBIAN/control"
          printf 'Maintainer: lab <lab@example.org>\\nDescription: of the lab\\n' >>"$folder/DEBIAN/control"
          printf '#!/bin/sh\\nset -e\\n%s\\n' "$2" >"$folder/DEBIAN/postinst"
          chmod 755 "$folder/DEBIAN/postinst"
          dpkg-deb --build "$folder" "$3"
        }
        make 1.0 true /tmp/linux-firmware-lab.deb
        dpkg -i /tmp/linux-firmware-lab.deb
        make 2.0 'echo done >>/var/tmp/updates; \(work)' /srv/packages/linux-firmware-lab_2.0_all.deb
        cd /srv/packages
        { dpkg-deb --field linux-firmware-lab_2.0_all.deb
          printf 'Filename: ./linux-firmware-lab_2.0_all.deb\\nSize: %s\\nSHA256: %s\\n\\n' \
            "$(stat -c %s linux-firmware-lab_2.0_all.deb)" "$(sha256sum linux-firmware-lab_2.0_all.deb | cut -d' ' -f1)"
        } >>Packages
        apt-get update
        """)
      try #require(made.status == 0, "\(made.all)")
    }

    private func boot(_ node: String) throws -> String {
      try lab.inside(node, "cat /proc/sys/kernel/random/boot_id").output
    }

    private func installed(on node: String) throws -> String {
      try lab.inside(node, "dpkg-query -W -f '${Version}' linux-firmware-lab").output
    }

    /// How often the newer package was installed.
    private func updates(on node: String) throws -> Int {
      try lab.inside(node, "cat /var/tmp/updates 2>/dev/null || true").output
        .split(separator: "\n").count
    }
  }
}
