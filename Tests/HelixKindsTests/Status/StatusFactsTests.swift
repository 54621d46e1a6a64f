import Foundation
import HelixModel
import HelixPlan
import TestSupport
import Testing

@testable import HelixKinds

/// The facts of `status`, asked by real shells on a made-up host: a folder that stands for its root,
/// and programs ahead of the path that say what the host's would.
@Suite("facts of a cluster's state in a shell")
struct StatusFactsTests {
  private let root: ScratchFolder
  static let shells = ["sh", "bash", "busybox sh"]

  init() throws { root = try ScratchFolder() }

  @Test("a host without k3s answers every fact", arguments: shells)
  func bareHost(shell: String) throws {
    try program("systemctl", "exit 1")
    #expect(try ask(EtcdMetrics.fact, in: shell) == nil)
    #expect(try ask(CertificateEnds.fact, in: shell) == CertificateEnds(ends: [], unreadable: []))
    #expect(try ask(HostVitals.fact, in: shell).restarts == [:])
    #expect(try ask(HostVitals.fact, in: shell).freeRoom ?? 0 > 0)
    #expect(try ask(ClusterVoice.fact, in: shell).readiness == .absent)
  }

  @Test("etcd's own page tells its part, its size and how fast its disk is", arguments: shells)
  func etcdMetrics(shell: String) throws {
    try root.folder("var/lib/rancher/k3s/server/db/etcd/member")
    try root.write(StatusPages.etcd, to: "page")
    try program(
      "curl", #"case "$*" in *:2381/metrics) cat \#(root.path)/page ;; *) exit 7 ;; esac"#)
    let metrics = try #require(try ask(EtcdMetrics.fact, in: shell))
    #expect(metrics.hasLeader == true && !metrics.isLeader && metrics.isLearner)
    #expect(metrics.serverID == "8e9e05c52164694d")
    #expect(metrics.leaderChanges == 3)
    #expect(metrics.databaseBytes == 25_513_984 && metrics.quotaBytes == 2_147_483_648)
    // 990 of 1000 is half of the way from 980 at 8 ms to 1000 at 16 ms.
    #expect(metrics.fsync99 == 0.012)
  }

  @Test("an etcd that does not answer is no etcd, and no fault")
  func silentEtcd() throws {
    try root.folder("var/lib/rancher/k3s/server/db/etcd/member")
    try program("curl", "exit 7")
    #expect(try ask(EtcdMetrics.fact) == nil)
  }

  @Test(
    "certificates tell their end without openssl, the first of a file for the file",
    arguments: shells)
  func certificates(shell: String) throws {
    try root.folder("var/lib/rancher/k3s/server/tls/etcd")
    try root.folder("var/lib/rancher/k3s/agent")
    let pem = { (text: String) in
      "-----BEGIN CERTIFICATE-----\n\(text)\n-----END CERTIFICATE-----\n"
    }
    let tls = "var/lib/rancher/k3s/server/tls"
    try root.write(pem(StatusPages.year) + pem(StatusPages.decades), to: "\(tls)/client-admin.crt")
    try root.write(pem(StatusPages.decades), to: "\(tls)/server-ca.crt")
    try root.write(pem(StatusPages.ended), to: "\(tls)/client-cloud-controller.crt")
    try root.write(pem(StatusPages.year), to: "\(tls)/client-k3s-cloud-controller.crt")
    try root.write("subject=x\r\n" + pem(StatusPages.ended.folded), to: "\(tls)/etcd/client.crt")
    try root.write("nothing of the sort\n", to: "var/lib/rancher/k3s/agent/serving-kubelet.crt")
    try root.write(pem("MIIB"), to: "var/lib/rancher/k3s/agent/client-kubelet.crt")
    let read = try ask(CertificateEnds.fact, in: shell)
    #expect(
      Dictionary(uniqueKeysWithValues: read.ends.map { ($0.file, $0.ends) }) == [
        "server/tls/client-admin.crt": 1_730_419_200, "server/tls/server-ca.crt": 2_614_636_800,
        "server/tls/client-k3s-cloud-controller.crt": 1_730_419_200,
        "server/tls/etcd/client.crt": 1_699_574_400,
      ])
    #expect(read.first?.file == "server/tls/etcd/client.crt")
    #expect(read.unreadable.sorted() == ["agent/client-kubelet.crt", "agent/serving-kubelet.crt"])
  }

  @Test("bytes that are no certificate never break the reading of one")
  func brokenCertificates() throws {
    let whole = try #require(Base64.decode(StatusPages.year))
    #expect(X509.notAfter(whole) == 1_730_419_200)
    for length in 0..<whole.count where length < 120 {
      #expect(X509.notAfter(Array(whole.prefix(length))) == nil)
    }
    for place in whole.indices {
      var spoiled = whole
      spoiled[place] = 0xFF
      _ = X509.notAfter(spoiled)
    }
  }

  @Test("restarts are those of the unit, in whatever order systemd says it", arguments: shells)
  func restarts(shell: String) throws {
    try program(
      "systemctl", #"printf '%s\n' NRestarts=41 Id=k3s.service '' Id=k3s-agent.service NRestarts=0"#
    )
    #expect(try ask(HostVitals.fact, in: shell).restarts == [.server: 41, .agent: 0])
  }
}

// MARK: - The API

extension StatusFactsTests {
  @Test("the API tells nodes, plans and pods, each in a line", arguments: shells)
  func voice(shell: String) throws {
    try k3s(
      """
      *readyz*) printf ok ;;
      *nodes*) printf '%s\\n' \(StatusPages.nodes.map(shellQuoted).joined(separator: " ")) ;;
      *plans*) printf '%s\\n' \(StatusPages.plans.map(shellQuoted).joined(separator: " ")) ;;
      *pods*) printf '%s\\n' \(StatusPages.pods.map(shellQuoted).joined(separator: " ")) ;;
      """)
    let voice = try ask(ClusterVoice.fact, in: shell)
    #expect(voice.readiness == .ready)
    let worker = try #require(voice.conditions?["worker-1"])
    #expect(!worker.isServer && worker.isCordoned && worker.cordonNote == "apply-1")
    #expect(worker.planHashes == ["agents": "abc", "other": "def"])
    #expect(worker.pressures == ["DiskPressure"])
    #expect(worker.reason == "KubeletNotReady" && worker.message == "no network: is it on?")
    #expect(voice.conditions?["master-1"]?.isServer == true)
    #expect(voice.plans?.map(\.name) == ["agents"])
    #expect(voice.plans?.first?.applying == ["worker-1", "worker-2"])
    #expect(
      voice.pods?.pods.map { "\($0.namespace)/\($0.name) \($0.reason) \($0.node ?? "nowhere")" }
        == [
          "default/web-1 CrashLoopBackOff worker-1", "kube-system/new ContainerCreating nowhere",
        ])
    #expect(voice.pods?.pods.map(\.isYoung) == [false, true])
    #expect(voice.pods?.count == 2)
  }

  @Test("without the objects of the upgrade controller there are no plans, and no fault")
  func noPlans() throws {
    try k3s(
      """
      *readyz*) printf ok ;;
      *plans*) echo 'error: the server does not have a resource type "plans"' >&2; exit 1 ;;
      *) exit 0 ;;
      """)
    let voice = try ask(ClusterVoice.fact)
    #expect(voice.plans == nil && voice.conditions == [:] && voice.pods?.count == 0)
  }

  @Test("of very many pods two hundred are told, and each of kube-system")
  func manyPods() throws {
    try k3s(
      """
      *readyz*) printf ok ;;
      *pods*) i=0; while [ $i -lt 250 ]; do i=$((i + 1))
        echo "apps web-$i 0/1 Error 0 3d 10.42.0.1 worker-1 <none> <none>"; done
        echo "kube-system coredns-1 0/1 Error 0 3d 10.42.0.2 worker-1 <none> <none>" ;;
      *) exit 1 ;;
      """)
    let voice = try ask(ClusterVoice.fact)
    #expect(voice.pods?.count == 251 && voice.pods?.pods.count == 201)
    #expect(voice.pods?.pods.last?.name == "coredns-1")
    #expect(voice.conditions == nil)
  }

  @Test(
    "failed pods of a Job that came to its end are no trouble, those of any other are",
    arguments: shells)
  func podsOfJobs(shell: String) throws {
    try k3s(
      """
      *readyz*) printf ok ;;
      *pods*)
        case "$*" in *'-o wide -L job-name --field-selector=status.phase!=Succeeded'*) ;; *) exit 1 ;; esac
        printf '%s\\n' \(StatusPages.podsOfJobs.map(shellQuoted).joined(separator: " ")) ;;
      *jobs*) printf '%s\\n' \(StatusPages.jobs.map(shellQuoted).joined(separator: " ")) ;;
      *) exit 1 ;;
      """)
    let pods = try #require(try ask(ClusterVoice.fact, in: shell).pods)
    #expect(
      pods.pods.map { "\($0.namespace)/\($0.name)" } == [
        "system-upgrade/apply-agents-on-b-x", "shop/apply-agents-on-a-y", "shop/gone-z",
        "shop/alone",
      ])
    #expect(pods.count == 4)
  }

  @Test("when Jobs cannot be told, no pod is left out; without pods of Jobs nobody asks for them")
  func jobsUnknown() throws {
    let table = { (rows: [String]) in
      """
      *readyz*) printf ok ;;
      *pods*) printf '%s\\n' \(rows.map(shellQuoted).joined(separator: " ")) ;;
      *jobs*) : > \(root.path)/asked-jobs; exit 1 ;;
      *) exit 1 ;;
      """
    }
    try k3s(table(StatusPages.pods))
    #expect(try ask(ClusterVoice.fact).pods?.count == 2)
    #expect(!FileManager.default.fileExists(atPath: root.file("asked-jobs")))
    try k3s(table(StatusPages.podsOfJobs))
    #expect(try ask(ClusterVoice.fact).pods?.count == 5)
    #expect(FileManager.default.fileExists(atPath: root.file("asked-jobs")))
  }

  @Test("an API that is not ready says why, and is asked nothing more", arguments: shells)
  func notReady(shell: String) throws {
    try k3s(
      """
      *readyz*) echo 'Error from server (InternalError): an error on the server ("[+]ping ok' >&2
        echo '[-]etcd failed: reason withheld' >&2
        echo '[-]poststarthook/rbac/bootstrap-roles failed: reason withheld' >&2; exit 1 ;;
      *) : > \(root.path)/asked-more ;;
      """)
    let voice = try ask(ClusterVoice.fact, in: shell)
    #expect(voice.readiness == .failing(["etcd", "poststarthook/rbac/bootstrap-roles"]))
    #expect(!FileManager.default.fileExists(atPath: root.file("asked-more")))
    try k3s("*) echo 'connection refused' >&2; exit 1 ;;")
    #expect(try ask(ClusterVoice.fact, in: shell).readiness == .silent)
  }

  @Test("an answer that broke off is told, not taken for an empty one")
  func brokenOff() {
    let half = FactAnswer(status: 137, output: "ready\nnode\tserver")
    #expect(throws: Diagnostic.self) { try ClusterVoice.fact.parse(half) }
    #expect(throws: Diagnostic.self) { try EtcdMetrics.fact.parse(half) }
    #expect(throws: Diagnostic.self) { try CertificateEnds.fact.parse(half) }
    #expect(throws: Diagnostic.self) { try HostVitals.fact.parse(half) }
  }
}

// MARK: - Running

extension StatusFactsTests {
  private func ask<Value>(_ fact: Fact<Value>, in shell: String = "sh") throws -> Value {
    let moved = ["/var/lib/rancher", "/usr/local/bin"].reduce(fact.request.command) {
      $0.replacingOccurrences(of: $1, with: root.path + $1)
    }
    let script = "PATH=\(root.path)/bin:$PATH\n(eval \(shellQuoted(moved))) </dev/null\n"
    let ran = try run(script: script, in: shell)
    let text = ran.output.replacingOccurrences(of: root.path, with: "")
    return try fact.parse(FactAnswer(status: Int(ran.status), output: text))
  }

  /// A k3s that answers by its arguments, on a server that runs.
  private func k3s(_ cases: String) throws {
    try program("systemctl", "exit 0")
    try program("k3s", "case \"$*\" in\n\(cases)\nesac")
  }

  private func program(_ name: String, _ script: String) throws {
    let folder = name == "k3s" ? "usr/local/bin" : "bin"
    try root.program("#!/bin/sh\n\(script)\n", "\(folder)/\(name)")
  }
}

extension String {
  /// In lines of 64, as certificates stand in files.
  fileprivate var folded: String {
    stride(from: 0, to: count, by: 64).map { String(dropFirst($0).prefix(64)) }
      .joined(separator: "\r\n")
  }
}
