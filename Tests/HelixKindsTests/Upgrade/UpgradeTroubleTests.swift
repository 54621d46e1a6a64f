import HelixModel
import HelixPlan
import TestSupport
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

  /// What kubectl says of jobs, pods and UpgradePlans, where several have failed; it minds selectors.
  private func troubledCluster() throws {
    let jobs = [
      ("server-plan", "master-1", ""), ("server-plan", "master-3", "DeadlineExceeded"),
      ("agent-plan", "worker-2", "BackoffLimitExceeded"), ("os", "master-1", "DeadlineExceeded"),
    ]
    try host.write(
      jobs.map { "plan=\($0.0),node=\($0.1), apply-\($0.0)-\($0.1) \($0.2)\n" }.joined(),
      to: "etc/rancher/k3s/jobs")
    try host.write(
      jobs.map { job in
        "plan=\(job.0),node=\(job.1), pod\tpod-\(job.0)-\(job.1)\tapply-\(job.0)-\(job.1)\tFailed\t\(Self.date(1))\n"
      }.joined(), to: "etc/rancher/k3s/pods")
    try host.program(
      "k3s",
      #"""
      files=$(dirname "$0")/../../../etc/rancher/k3s
      for word in "$@"; do case $word in upgrade.cattle.io/plan*) selector=$word ;; esac; done
      chosen() {
        case $selector in
        *,*) grep -F "$(printf %s, "$selector" | sed 's|upgrade.cattle.io/||g')" "$1" ;;
        *=*) grep -F "${selector#*/}," "$1" ;;
        *) cat "$1" ;;
        esac | sed 's/^[^ ]* //'
      }
      case "$*" in
      *' get plans.'*) printf '%s\n' "$(printf 'plan\tagent-plan')" 'Error: agents are outside' \
        "$(printf 'plan\tos')" 'JobFailed: Job a failed on Node master-1: DeadlineExceeded: x' \
        "$(printf 'plan\tserver-plan')" 'PlanIsValid: ' \
        'JobFailed: Job b failed on Node master-3: DeadlineExceeded: x' ;;
      *' get pods '*) chosen "$files/pods" ;;
      *' get jobs '*) chosen "$files/jobs" ;;
      *' logs '*) echo "said by $*" ;;
      esac
      """#)
  }

  @Test(
    "a wait hears of the jobs of its own UpgradePlan and node alone",
    arguments: [
      (["server-plan", "master-1"], []),
      (["server-plan", "master-3"], ["failed: DeadlineExceeded", "failed: DeadlineExceeded"]),
      (["server-plan"], ["failed: DeadlineExceeded", "failed: DeadlineExceeded"]),
      (["agent-plan"], ["outside", "failed: BackoffLimitExceeded"]),
      (["agent-plan", "worker-1"], ["outside"]),
    ])
  func subjects(_ subject: [String], _ expected: [String]) throws {
    try troubledCluster()
    let result = try host.run(.run(script: UpgradeDiagnosis.diagnosis.script(of: subject)))
    let signs = result.output.split(separator: "\n").compactMap { line in
      UpgradeDiagnosis.sign(in: String(line))?.pattern
    }
    #expect(
      signs.filter { $0 != "controller available: none" } == expected,
      "\(result.output)\(result.errors)")
    let isNamed = result.output.contains("said by") && !result.output.contains("pod-os-")
    #expect(isNamed == (subject != ["agent-plan", "worker-1"]), "\(result.output)")
  }

  @Test("a container runtime that is slow for a moment is no job that ran out of time")
  func slowRuntime() throws {
    try host.program(
      "k3s",
      #"""
      slow='rpc error: code = DeadlineExceeded desc = context deadline exceeded'
      case "$*" in
      *' get pods '*) printf 'pod\tapply-a\tapply\tPending\t2026-03-01T10:00:00Z\nupgrade: ErrImagePull %s\n' "$slow" ;;
      *' get events '*) printf 'apply-a\tFailedCreatePodSandBox: Failed to create pod sandbox: %s\n' "$slow" ;;
      *' logs '*) echo "$slow" ;;
      esac
      """#)
    let result = try host.run(.run(script: UpgradeDiagnosis.diagnosis.script(of: ["server-plan"])))
    let signs = result.output.split(separator: "\n").compactMap { line in
      UpgradeDiagnosis.sign(in: String(line))
    }
    #expect(result.output.contains("FailedCreatePodSandBox"), "\(result.all)")
    #expect(signs.filter(\.isFatal).isEmpty, "\(result.all)")
    #expect(signs.contains { $0.pattern == "ErrImagePull" }, "\(result.all)")
  }

  @Test("each wait of an upgrade has the subject that its diagnosis is of")
  func waits() throws {
    let place = SourceLocation(file: "inventory/cluster.yaml", line: 9, column: 3)
    let scripts = UpgradeScripts(
      plan: UpgradePlanObject(
        role: .server, target: .channel("https://example.org/v1.30"), spec: .init(location: place),
        registry: nil, release: nil, taints: []))
    #expect(scripts.isTakenUp.subject == ["server-plan"])
    #expect(scripts.runsRelease("master-1", within: 9).subject == ["server-plan", "master-1"])
    #expect(scripts.isDone("master-1").subject == ["server-plan", "master-1"])
    #expect(scripts.areDone(["worker-1"], within: 9).subject == ["server-plan"])
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
