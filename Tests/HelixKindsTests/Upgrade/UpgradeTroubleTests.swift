import HelixModel
import HelixPlan
import Testing

@testable import HelixKinds

/// What is asked about jobs that do not get on, by a real shell of a k3s with many failed pods.
@Suite("the trouble of jobs in a shell")
struct UpgradeTroubleTests {
  private static let count = 70
  private let host: ShellHost

  init() throws {
    host = try ShellHost()
    try host.program("systemctl", "exit 0")
  }

  private static func date(_ number: Int) -> String {
    "2026-03-01T10:\(10 + number / 60):\(10 + number % 50)Z"
  }

  /// The names do not tell which pod is the newest: that of number 41.
  private static func pods(_ row: (String, String) -> String) -> String {
    (0..<count).map { row("apply-m1-\($0)", $0 == 41 ? "2026-03-01T11:00:00Z" : date($0)) }
      .joined(separator: "\n")
  }

  /// What kubectl says of pods and of the logs of one.
  private func kubectl(pods: String, log: String) throws {
    try host.write("\(pods)\n", to: "etc/rancher/k3s/pods")
    try host.program(
      "k3s",
      """
      case "$*" in
      *' get pods '*) cat "$(dirname "$0")/../../../etc/rancher/k3s/pods" ;;
      *' logs '*) printf '%s\\n' '\(log)' ;;
      esac
      """)
  }

  @Test(
    "a wait looks at the newest pod of each job, however many have failed",
    arguments: [true, false])
  func diagnosis(_ hasMessage: Bool) throws {
    let why = "the build is more recent than the new one"
    let rows = Self.pods { name, created in
      "pod\t\(name)\tapply-m1\tFailed\t\(created)\nupgrade: Error \(hasMessage ? why : "")"
    }
    try kubectl(pods: rows, log: hasMessage ? "" : why)
    let result = try host.run(.run(script: UpgradeDiagnosis.diagnosis.script))
    let signs = result.output.split(separator: "\n").compactMap { line in
      UpgradeDiagnosis.sign(in: String(line))
    }
    #expect(
      signs.filter(\.isFatal).map(\.pattern) == ["is more recent than"],
      "\(result.output)\(result.errors)")
    #expect(signs.last?.isFatal == true)
    let calls = try host.calls
    #expect(calls.count <= 8, "\(calls)")
    #expect(calls.filter { $0.contains(" logs ") }.count == 1)
    #expect(calls.contains { $0.contains(" logs apply-m1-41 ") }, "\(calls)")
  }

  @Test("a failed pod tells a wait nothing once a later one has succeeded")
  func diagnosisAfterSuccess() throws {
    try kubectl(
      pods: """
        pod\tapply-m1-a\tapply-m1\tFailed\t2026-03-01T10:00:00Z
        upgrade: Error No K3s pids found
        pod\tapply-m1-b\tapply-m1\tSucceeded\t2026-03-01T10:01:00Z
        """, log: "No K3s pids found")
    let result = try host.run(.run(script: UpgradeDiagnosis.diagnosis.script))
    #expect(!result.output.contains("pids"), "\(result.output)")
  }

  @Test("the status asks for the last words of the newest failed pod")
  func trouble() throws {
    let state = #"{"terminated":{"exitCode":1,"reason":"Error"}}"#
    let rows = Self.pods { name, created in
      "pod\t\(name)\tapply-m1\tmaster-1\tFailed\t\(created)\tupgrade\timage\t\(state)\t"
    }
    try kubectl(pods: rows, log: "out of space\n+ exit 1")
    let pods = try host.ask(UpgradeTrouble.fact).pods
    #expect(pods.count == Self.count)
    #expect(pods.last?.name == "apply-m1-41")
    #expect(pods.last?.failure == "upgrade ended with 1: out of space")
    #expect(pods.first?.failure == "upgrade ended with 1")
    #expect(try host.calls.count <= 4)
  }
}
