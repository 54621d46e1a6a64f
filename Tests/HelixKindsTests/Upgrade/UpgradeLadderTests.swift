import HelixModel
import Testing

@testable import HelixKinds

@Suite("the way from one release to another")
struct UpgradeLadderTests {
  private static let place = SourceLocation(file: "inventory/cluster.yaml", line: 3, column: 12)

  private static func next(
    servers: [String], agents: [String] = [], wanted: String, through: [String] = []
  ) throws -> UpgradeLadder.Next {
    UpgradeLadder.next(
      servers: try rungs("master", servers), agents: try rungs("worker", agents),
      wanted: try located(wanted), by: .inventory(through: try through.map(located)))
  }

  private static func rungs(_ name: String, _ tags: [String]) throws -> [UpgradeLadder.Rung] {
    try tags.enumerated().map { number, tag in
      UpgradeLadder.Rung("\(name)-\(number + 1)", try #require(K3sVersion(tag)))
    }
  }

  private static func located(_ tag: String) throws -> Located<K3sVersion> {
    Located(try #require(K3sVersion(tag)), at: place)
  }

  private static func words(_ next: UpgradeLadder.Next) -> String {
    switch next {
    case .arrived: "arrived"
    case .hop(let hop): "\(hop.from) to \(hop.to), \(hop.words)"
    case .refused(let why): "\(why.summary) | \(why.reason ?? "") | \(why.remedy ?? "")"
    }
  }

  @Test(
    "every hop begins where the lowest node is",
    arguments: [
      (["v1.29.15+k3s1"], ["v1.29.15+k3s1"], [], "v1.29.15+k3s1", "arrived"),
      (["v1.29.1+k3s2"], [], [], "v1.29.15+k3s1", "v1.29.1+k3s2 to v1.29.15+k3s1, hop 1 of 1"),
      (
        ["v1.28.5+k3s1", "v1.28.5+k3s1"], ["v1.28.5+k3s1"], ["v1.29.15+k3s1"], "v1.30.14+k3s2",
        "v1.28.5+k3s1 to v1.29.15+k3s1, hop 1 of 2"
      ),
      // Cut short: the servers are done, an agent is not.
      (
        ["v1.29.15+k3s1"], ["v1.28.5+k3s1", "v1.29.15+k3s1"], ["v1.29.15+k3s1"], "v1.30.14+k3s2",
        "v1.28.5+k3s1 to v1.29.15+k3s1, hop 1 of 2"
      ),
      // Cut short between two servers.
      (
        ["v1.29.15+k3s1", "v1.28.5+k3s1"], [], ["v1.29.15+k3s1"], "v1.30.14+k3s2",
        "v1.28.5+k3s1 to v1.29.15+k3s1, hop 1 of 2"
      ),
      (
        ["v1.29.15+k3s1"], ["v1.29.15+k3s1"], ["v1.29.15+k3s1"], "v1.30.14+k3s2",
        "v1.29.15+k3s1 to v1.30.14+k3s2, hop 1 of 1"
      ),
      // A stop that everybody is past is none.
      (
        ["v1.29.15+k3s1"], [], ["v1.29.1+k3s2"], "v1.30.14+k3s2",
        "v1.29.15+k3s1 to v1.30.14+k3s2, hop 1 of 1"
      ),
      ([], [], [], "v1.30.14+k3s2", "arrived"),
    ] as [([String], [String], [String], String, String)])
  func hops(
    servers: [String], agents: [String], through: [String], wanted: String, words: String
  ) throws {
    let next = try Self.next(servers: servers, agents: agents, wanted: wanted, through: through)
    #expect(Self.words(next) == words)
  }

  @Test("no node goes down, not even an agent")
  func downgrade() throws {
    let next = try Self.next(
      servers: ["v1.29.1+k3s1"], agents: ["v1.29.1+k3s2"], wanted: "v1.29.1+k3s1")
    guard case .refused(let why) = next else {
      Issue.record("\(next)")
      return
    }
    #expect(why.summary == "worker-1 runs v1.29.1+k3s2, newer than v1.29.1+k3s1")
    #expect(why.place == .source(Self.place))
  }

  @Test(
    "a minor that is left out is refused with the releases to stop at",
    arguments: [
      (["v1.28.5+k3s1"], [], [], "v1.30.14+k3s2", "through: [v1.29.15+k3s1]"),
      (["v1.27.5+k3s1"], [], [], "v1.30.14+k3s2", "through: [v1.28.15+k3s1, v1.29.15+k3s1]"),
      (["v1.28.5+k3s1"], [], ["v1.29.15+k3s1"], "v1.31.14+k3s1", "through: [v1.30.14+k3s2]"),
      (["v1.33.1+k3s1"], [], [], "v1.35.1+k3s1", "through: [the newest v1.34 release]"),
      // The servers' own release is the one to name.
      (["v1.29.9+k3s1"], ["v1.28.5+k3s1"], [], "v1.30.14+k3s2", "through: [v1.29.9+k3s1]"),
      (["v1.30.9+k3s1"], ["v1.28.5+k3s1"], [], "v1.30.14+k3s2", "k3s-agent-uninstall.sh"),
    ] as [([String], [String], [String], String, String)])
  func skips(
    servers: [String], agents: [String], through: [String], wanted: String, fix: String
  ) throws {
    let next = try Self.next(servers: servers, agents: agents, wanted: wanted, through: through)
    guard case .refused(let why) = next else {
      Issue.record("\(next)")
      return
    }
    #expect(try #require(why.remedy).contains(fix))
  }
}
