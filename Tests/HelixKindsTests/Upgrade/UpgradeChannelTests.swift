import HelixModel
import HelixPlan
import Testing

@testable import HelixKinds

/// What is done before a server is let go to where a channel leads, by a real shell with a k3s that
/// answers what a test says.
@Suite("channels in a shell")
struct UpgradeChannelTests {
  private static let channel = "https://example.org/v1.30"
  private static let place = SourceLocation(file: "inventory/cluster.yaml", line: 9, column: 3)
  private let host: ShellHost

  init() throws { host = try ShellHost() }

  private func scripts(_ role: K3sRoleOfNode = .server) -> UpgradeScripts {
    UpgradeScripts(
      plan: UpgradePlanObject(
        role: role, target: .channel(Self.channel), spec: .init(location: Self.place),
        registry: nil, release: nil, taints: []))
  }

  @Test(
    "a channel that leads down or past a minor stops the run, and so does not knowing",
    arguments: [
      ("v1.30.4-k3s1", "master-1 v1.29.15+k3s1", nil),
      ("v1.30.4-k3s1", "master-1 v1.30.4+k3s1", nil),
      (
        "v1.30.4-k3s1", "master-1 v1.30.1+k3s1\nworker-1 v1.28.1+k3s1",
        "past a minor release of worker-1"
      ),
      ("v1.30.4-k3s1", "master-1 v1.30.5+k3s1", "older than what master-1 runs"),
      ("v1.30.4-k3s1", "master-1 v1.31.1+k3s1", "older than what master-1 runs"),
      ("v1.30.4-k3s1", "master-1 ", "which is no release"),
      ("latest", "master-1 v1.29.15+k3s1", "which is no release"),
      ("", "master-1 v1.29.15+k3s1", "nobody knows where the channel leads"),
      ("v1.30.4-k3s1", "", "named no node"),
      ("v1.30.4-k3s1", "fails", "did not tell"),
    ] as [(String, String, String?)])
  func guards(_ latest: String, _ nodes: String, _ words: String?) throws {
    let answer = nodes == "fails" ? "exit 1" : "printf '%s\\n' '\(nodes)'"
    try host.program(
      "k3s",
      """
      case "$*" in
      *' get plans.'*) printf %s '\(latest)' ;;
      *' get nodes '*) \(nodes.isEmpty ? "exit 0" : answer) ;;
      esac
      """)
    let result = try host.run(scripts().channelIsNear)
    #expect((result.status == 0) == (words == nil), "\(result.errors)")
    #expect(result.errors.contains(words ?? ""), "\(result.errors)")
  }
}
