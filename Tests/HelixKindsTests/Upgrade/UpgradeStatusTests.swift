import HelixModel
import Testing

@testable import HelixKinds

@Suite("the upgrade's status")
struct UpgradeStatusTests {
  private static let one = """
    node master-1 v1.29.1+k3s2 server
    node worker-1 v1.29.1+k3s2

    """

  private func status(_ text: String) throws -> UpgradeStatus {
    guard case .told(let status) = try UpgradeCase(name: "status", text: text).status() else {
      throw Diagnostic("nobody answered")
    }
    return status
  }

  @Test("without an upgrade part nodes are upgraded over SSH, and nobody misses a controller")
  func withoutUpgradePart() throws {
    let status = try status("strategy none\ncontroller absent\n" + Self.one)
    #expect(status.strategy == "ssh")
    #expect(status.problems.isEmpty, "\(status.problems)")
    #expect(status.state == .underWay)
  }

  @Test("an upgrade is not over while a cordon of our own is there")
  func ownCordon() throws {
    let nodes = """
      node master-1 v1.29.15+k3s1 server
      node worker-1 v1.29.15+k3s1 cordoned ours
      node worker-2 v1.29.15+k3s1

      """
    let status = try status("strategy ssh\ncontroller absent\n" + nodes)
    #expect(status.nodes.map(\.cordoned) == [nil, "helix-infra", nil])
    #expect(status.state == .underWay)
  }

  @Test("a server's drain goes by the servers' plan", arguments: ["servers", "agents"])
  func drains(_ role: String) throws {
    let status = try status(
      """
      \(role) drain=300
      node master-1 v1.29.1+k3s2 server cordoned
      plan server-plan v1.29.15+k3s1 applying=master-1
      job apply-m1 server-plan master-1 running
      pod apply-m1 master-1 Pending drain
      budget shop/web

      """)
    let blames = status.problems.contains { $0.summary.contains("shop/web") }
    #expect(blames == (role == "servers"), "\(status.problems)")
  }

  @Test("a server that cannot be asked is a problem, also while the cluster takes it for well")
  func deadServer() throws {
    let text = """
      node master-1 v1.29.15+k3s1 server done
      node master-2 v1.29.15+k3s1 server done
      plan server-plan v1.29.15+k3s1

      """
    let fixture = UpgradeCase(name: "dead", text: text)
    guard case .told(let status) = try fixture.status(without: ["master-2"]) else {
      throw Diagnostic("nobody answered")
    }
    #expect(try self.status(text).state == .done)
    #expect(status.state == .stuck)
    #expect(status.problems.map(\.summary) == ["master-2 does not answer"])
    #expect(status.problems.first?.reason == "cannot connect")
  }

  @Test("a job to another release says nothing of this hop")
  func earlierHop() throws {
    let status = try status(
      """
      node master-1 v1.29.1+k3s2 server done
      plan server-plan v1.29.1+k3s2
      job apply-m1 server-plan master-1 complete

      """)
    #expect(status.nodes.map(\.job) == [nil])
    #expect(status.nodes.map(\.mark) == ["waiting"])
    #expect(!status.isBegun)
  }

  @Test("half an answer is a silence")
  func halfAnAnswer() throws {
    let fixture = UpgradeCase(name: "half", text: Self.one)
    let broken = try UpgradeStatus.read(
      fixture.silence(saying: "node\tmaster-1"), inventory: fixture.inventory)
    guard case .silence(let why) = broken else {
      Issue.record("\(broken)")
      return
    }
    #expect(why.reason == "the answer about upgrades broke off")
  }
}
