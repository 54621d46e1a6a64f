import Foundation
import HelixKinds
import HelixModel
import HelixPlan
import Testing

@testable import HelixCLI

@Suite("the upgrade's status as people see it")
struct UpgradeStatusTextTests {
  private static let place = SourceLocation(file: "inventory/cluster.yaml", line: 3, column: 12)

  /// One server that is done and one agent that is not, as a server tells it.
  private func status() throws -> UpgradeStatus {
    let host = HostName("master-1")
    let located = { (text: String) in Located(text, at: Self.place) }
    let version = try #require(K3sVersion("v1.29.15+k3s1"))
    let spec = ClusterSpec(
      name: located("helix"),
      k3s: K3sSpec(
        version: Located(version, at: Self.place), servers: [host], agents: [],
        endpoint: nil, token: Located(SecretName("k3s-token"), at: Self.place)),
      location: Self.place)
    let inventory = Inventory(
      hosts: [
        Host(
          name: host, connection: Connection(address: "192.0.2.11"), groups: [],
          variables: Mapping(), location: Self.place)
      ], groups: [], cluster: spec)
    let server =
      #"{"kubernetes.io/hostname":"master-1","node-role.kubernetes.io/control-plane":"true"}"#
    let answer = """
      node\tmaster-1\tv1.29.15+k3s1\tTrue\tTrue\t\t\(server)\t\t\t\t
      node\tworker-1\tv1.29.1+k3s2\tTrue\t\ttrue\t{"kubernetes.io/hostname":"worker-1"}\t\t\t\t
      whole
      """
    let answers = UpgradeStatus.requests.map { ($0.id, FactAnswer(status: 0, output: answer)) }
    let read = try UpgradeStatus.read(
      Observation(hosts: [host: .answered(Dictionary(uniqueKeysWithValues: answers))]),
      inventory: inventory)
    guard case .told(let status) = read else { throw Diagnostic("nobody answered") }
    return status
  }

  @Test("watching goes on through a silence and while it is stuck, and ends when it is done")
  func watching() async throws {
    var stuck = try status()
    stuck.state = .stuck
    var done = stuck
    done.state = .done
    let silences = ["timed out", "refused"].map {
      UpgradeStatus.Answer.silence(Diagnostic("no server answers", reason: $0))
    }
    let answers = [silences[0], .told(stuck), .told(stuck)] + silences + [.told(done)]
    var left = answers
    var shown: [UpgradeStatus.Answer] = []
    let last = try await UpgradeWatch(
      ask: { left.removeFirst() }, show: { shown.append($0) }, pause: {}
    ).run()
    #expect(last == done)
    #expect(shown == [silences[0], .told(stuck), silences[0], .told(done)])
  }

  @Test("what nobody has begun is not under way")
  func notBegun() throws {
    var status = try status()
    status.nodes.removeFirst()
    let text = UpgradeStatusText().render(status)
    #expect(text.hasSuffix("\nNot begun. 0 of 1 nodes run v1.29.15+k3s1.\n"), "\(text)")
  }

  @Test("a row for each node, and what it comes to")
  func table() throws {
    #expect(
      UpgradeStatusText().render(try status()) == """
        NODE      ROLE    FROM           TO             READY  CORDONED     PLAN     JOB  REASON
        master-1  server  v1.29.15+k3s1  -              yes    -            -        -    -
        worker-1  agent   v1.29.1+k3s2   v1.29.15+k3s1  yes    by somebody  waiting  -    -

        Under way. 1 of 2 nodes run v1.29.15+k3s1.

        """)
  }
}
