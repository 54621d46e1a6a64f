import HelixModel
import Testing

@testable import HelixCLI

@Suite("where a release is written down")
struct ReleasePlaceTests {
  @Test("what is said of a release that cannot be found names the line that asks for it")
  func place() throws {
    let at = { (line: Int) in SourceLocation(file: "inventory/cluster.yaml", line: line, column: 3)
    }
    let wanted = try #require(K3sVersion("v1.30.14+k3s2"))
    let hop = try #require(K3sVersion("v1.29.15+k3s1"))
    var spec = ClusterSpec(
      name: Located("helix", at: at(1)),
      k3s: K3sSpec(
        version: Located(wanted, at: at(2)), servers: [], agents: [], endpoint: nil,
        token: Located(SecretName("k3s-token"), at: at(3))),
      location: at(1))
    spec.upgrade = UpgradeSpec(
      strategy: .ssh, through: [Located(hop, at: at(7))],
      controller: .init(version: Located("", at: at(6))), servers: .init(location: at(6)),
      agents: .init(location: at(6)), location: at(6))
    #expect(spec.place(of: wanted.description) == .source(at(2)))
    #expect(spec.place(of: hop.description) == .source(at(7)))
    #expect(spec.place(of: "v1.2.3+k3s1") == nil)
  }
}
