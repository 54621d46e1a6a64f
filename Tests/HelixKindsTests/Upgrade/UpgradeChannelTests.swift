import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

/// What is done before a server is let go to where a channel leads, by a real shell with a k3s that
/// answers what a test says.
@Suite("channels in a shell")
struct UpgradeChannelTests {
  private static let channel = "https://example.org/v1.30"
  private static let place = SourceLocation(file: "inventory/cluster.yaml", line: 9, column: 3)
  /// What an UpgradePlan says that has asked the channel, before the release.
  private static let asked = "\(channel)||True|Channel|"
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
      *' get plans.'*) printf %s '\(Self.asked)\(latest)' ;;
      *' get nodes '*) \(nodes.isEmpty ? "exit 0" : answer) ;;
      esac
      """)
    let result = try host.run(scripts().channelIsNear)
    #expect((result.status == 0) == (words == nil), "\(result.errors)")
    #expect(result.errors.contains(words ?? ""), "\(result.errors)")
  }

  /// What the cluster was told, without what it was asked.
  private func told(_ instruction: Instruction, status: Int32 = 0) throws -> [String] {
    let result = try host.run(instruction)
    #expect(result.status == status, "\(result.errors)")
    return try host.calls.filter { !$0.contains(" get ") }.map {
      $0.replacing("kubectl --request-timeout=20s ", with: "")
    }
  }

  /// What an UpgradePlan says when it does not know yet where the channel leads.
  static let unknown = [
    "", "https://example.org/v1.29||True|Channel|v1.29.15-k3s1", "||True|Version|v1.29.15-k3s1",
    "\(channel)|true|True|Channel|v1.29.15-k3s1", "\(channel)||True|Version|v1.29.15-k3s1",
    "\(channel)||False|Error|v1.29.15-k3s1", "\(channel)||||v1.29.15-k3s1",
    "\(channel)||True|Channel|",
  ]

  @Test(
    "a status that is not the channel's answer lets nobody go and is waited for", arguments: unknown
  )
  func waits(_ row: String) throws {
    try host.program(
      "k3s",
      """
      case "$*" in
      *' get plans.'*channel*latestVersion*) printf %s '\(row)' ;;
      *' get nodes '*) printf '%s\\n' 'master-1|v1.29.15+k3s1|old||True|master-1||' \\
        'master-2|v1.29.1+k3s2|old||True|master-2||' ;;
      esac
      """)
    // Also the server that runs the stale release: nobody knows that it is done.
    let held = try told(.run(script: scripts().mark)).filter { $0.hasPrefix("label") }
    #expect(
      held
        == (1...2).map {
          "label node master-\($0) --overwrite plan.upgrade.cattle.io/server-plan=disabled"
        })
    #expect(try host.run(.wait(scripts().isTakenUp)).status == 1)
    #expect(try host.run(.wait(scripts().runsRelease("master-1", within: 9))).status == 1)
    #expect(try host.run(scripts().channelIsNear).status == 1)
  }

  @Test("servers that run the channel's release already are let go again when it is known")
  func letsGo() throws {
    try host.program(
      "k3s",
      """
      case "$*" in
      *' get plans.'*channel*latestVersion*) printf %s '\(Self.asked)v1.30.4-k3s1' ;;
      *' get nodes '*) printf '%s\\n' \\
        'master-1|v1.30.4+k3s1|disabled|server-plan|True|master-1|true|' \\
        'master-2|v1.29.1+k3s2|disabled|server-plan|True|master-2||' ;;
      esac
      """)
    #expect(try host.run(.wait(scripts().isTakenUp)).status == 0)
    let calls = try told(.run(script: scripts().mark))
    #expect(calls.count == 2, "\(calls)")
    #expect(calls.first?.hasPrefix("label node master-1 --overwrite") == true)
    #expect(calls.first?.hasSuffix("=disabled") == false)
    #expect(calls.last == "annotate node master-1 helix.infra/holds-plan-")
  }

  @Test(
    "a server that the controller never had may stay cordoned, one that it had may not",
    arguments: [("", true), ("open", false)])
  func ends(_ before: String, _ isDone: Bool) throws {
    try host.program(
      "k3s",
      """
      case "$*" in
      *latestHash*|*labels*) printf %s hash ;;
      *unschedulable*) printf %s true ;;
      *before-upgrade*) printf %s '\(before)' ;;
      esac
      """)
    let result = try host.run(.wait(scripts().isDone("master-1")))
    #expect((result.status == 0) == isDone, "\(result.output)")
  }

  @Test(
    "a new channel is asked at once, and until that has been done whoever comes next does it",
    arguments: [true, false])
  func asksAnew(_ isUnasked: Bool) throws {
    try host.program(
      "k3s", "case \"$*\" in *' get plans.'*) printf %s '\(isUnasked ? "true" : "")' ;; esac")
    let calls = try told(.run(script: scripts().askAnew))
    let plan = "-n system-upgrade"
    #expect(
      calls
        == (isUnasked
          ? [
            "\(plan) patch plans.upgrade.cattle.io server-plan --subresource=status --type=merge -p"
              + #" {"status":{"conditions":[]}}"#,
            "\(plan) annotate plans.upgrade.cattle.io server-plan helix.infra/channel-unasked-",
          ] : []))
  }
}
