import Foundation
import HelixInventory
import HelixModel
import HelixPlaybooks
import TestSupport
import Testing

@Suite("the repository's own playbooks")
struct OwnPlaybooksTests {
  @Test("they are understood whole, and demand this")
  func demands() throws {
    let reader = FolderReader(root: repository)
    let plays = try PlaybookReader(
      inventory: Self.inventory(), catalogue: .sample, sources: reader
    ).read(["playbooks/site.yaml"])
    try expectRecorded(dump(plays), "own/expected.txt")
  }

  @Test("they fit the repository's own inventory")
  func ownInventory() throws {
    let reader = FolderReader(root: repository)
    let inventory = try InventoryReader.read(folder: "inventory", reader: reader)
    let plays = try PlaybookReader(
      inventory: inventory, catalogue: .sample, sources: reader
    ).read(["playbooks/site.yaml"])
    #expect(plays.map(\.hosts) == [inventory.hosts.map(\.name), inventory.hosts.map(\.name)])
  }

  @Test("what Ansible can run, Ansible understands", .enabled(if: Ansible.isUsable, Ansible.reason))
  func syntax() throws {
    let path = repository.appending(path: "playbooks/prepare.yaml").path
    let check = try run(
      "ansible-playbook", ["--inventory", "k3s_cluster,", "--syntax-check", path])
    #expect(check.status == 0, "\(check.all)")
  }

  /// A server and an agent, in the groups that the playbooks name.
  private static func inventory() -> Inventory {
    let place = SourceLocation(file: "hosts.yaml", line: 1, column: 1)
    let hosts = [("master-1", "master"), ("worker-1", "worker")].map { name, group in
      Host(
        name: HostName(name), connection: Connection(address: name, become: .root),
        groups: ["all", "k3s_cluster", group], variables: Mapping(), location: place)
    }
    return Inventory(
      hosts: hosts,
      groups: [
        Group(name: "all", children: ["k3s_cluster"]),
        Group(name: "k3s_cluster", children: ["master", "worker"]),
        Group(name: "master", hosts: ["master-1"]), Group(name: "worker", hosts: ["worker-1"]),
      ])
  }
}

/// The real ansible-playbook, where it is installed with the collections that the playbooks name.
private enum Ansible {
  static let reason: Comment =
    "ansible-playbook with ansible.posix and community.general is not installed"

  static var isUsable: Bool {
    let modules = ["ansible.posix.sysctl", "community.general.modprobe"]
    guard let answer = try? run("ansible-doc", ["--json", "--type", "module"] + modules) else {
      return false
    }
    return modules.allSatisfy(answer.output.contains)
  }
}
