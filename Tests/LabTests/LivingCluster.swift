import Foundation
import TestSupport
import Testing

/// What is written through the API while somebody works on the cluster, and what became of it.
final class APIWriter {
  private struct Report: Decodable {
    let acknowledged: Int
    let missing: [String]
    let unserved: Int
    let mostAway: Int
    /// What each server said at which the write was in vain that asked the most of them.
    let worst: [String]
    let longestGap: Double
  }

  private let running: Running
  private let report: URL

  /// Begins to write every 200 ms through some servers' own addresses.
  init(_ estate: Estate, servers: Int = 3) throws {
    report = estate.folder.appendingPathComponent("writer.json")
    let kubeconfig = estate.folder.appendingPathComponent("writer.kubeconfig")
    let config = try estate.lab.inside("master-1", "cat /etc/rancher/k3s/k3s.yaml")
    try Data(config.output.utf8).write(to: kubeconfig)
    let program = repository.appendingPathComponent("Tests/Lab/programs/writer").path
    running = try Running(
      Lab.script,
      estate.lab.reaching(
        program, [kubeconfig.path, "0.2", report.path] + (1...servers).map { "10.77.0.1\($0)" }))
  }

  /// Requires that no acknowledged write is lost, that every write found a server, and that never
  /// more than so many servers were away at once.
  func expectNothingLost(away: Int = 1) throws {
    running.signal(SIGTERM)
    let ran = running.finish()
    let data = try #require(FileManager.default.contents(atPath: report.path), "\(ran.all)")
    let report = try JSONDecoder().decode(Report.self, from: data)
    #expect(report.acknowledged > 0)
    #expect(report.missing.isEmpty, "\(report.missing)")
    #expect(report.unserved == 0, "\(report)")
    #expect(report.mostAway <= away, "\(report)")
  }
}

extension Estate {
  private var clusterFile: URL { folder.appendingPathComponent("inventory/cluster.yaml") }

  /// Changes cluster.yaml's text.
  func declare(_ change: (inout String) -> Void) throws {
    var text = try String(contentsOf: clusterFile, encoding: .utf8)
    change(&text)
    try Data(text.utf8).write(to: clusterFile)
  }

  /// Wants another release, which the lab's mirror then has.
  func want(_ release: String) throws {
    let mirror = try run(
      repository.appendingPathComponent("Tests/Lab/mirror").path, [lab.folder.path, release])
    try #require(mirror.status == 0, "\(mirror.all)")
    try declare { text in
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        line.hasPrefix("  version:") ? "  version: \(release)" : String(line)
      }
      text = lines.joined(separator: "\n")
    }
  }

  /// The address of a channel that leads to a release, which the lab's mirror has.
  func channel(to release: String) throws -> String {
    try FileManager.default.createDirectory(
      at: lab.folder.appendingPathComponent("mirror/channel/\(release)"),
      withIntermediateDirectories: true)
    return "http://10.77.0.1:8000/channel/\(release)/"
  }

  /// Puts another `upgrade:` part in the place of the one that is there.
  func upgrade(_ part: String) throws {
    try declare { text in
      let kept = text.components(separatedBy: "\nupgrade:").first ?? text
      text = "\(kept)\nupgrade:\n\(part)\n"
    }
  }

  /// Which release each node's kubelet reports, `cordoned` after it where it takes no pods.
  func releases(from server: String = "master-2") throws -> [String: String] {
    let path =
      #"{range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion} {.spec.unschedulable}{"\n"}{end}"#
    let ran = try lab.inside(server, "k3s kubectl get nodes -o jsonpath='\(path)'")
    let lines = ran.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    return Dictionary(
      lines.filter { $0.count >= 2 }.map { cells in
        (cells[0], cells[1] + (cells.last == "true" ? " cordoned" : ""))
      }, uniquingKeysWith: { first, _ in first })
  }

  /// Requires that every node runs a release and takes pods.
  func expectEverywhere(_ release: String) throws {
    let releases = try releases()
    #expect(releases.count == size.servers + size.agents, "\(releases)")
    #expect(releases.values.allSatisfy { $0 == release }, "\(releases)")
  }

  /// Applies a playbook, and requires a status.
  @discardableResult
  func apply(_ playbook: String, expecting status: Int32 = 0) throws -> Ran {
    let applied = try helix("apply", "--auto-approve", playbook)
    try #require(applied.status == status, "\(applied.all)")
    return applied
  }
}

extension Estate {
  /// Writes an inventory of so many servers and agents.
  ///
  /// No packages are to be installed there: that would cost each new cluster ten seconds, and what
  /// is done to clusters needs none.
  func inventory(servers: Int, agents: Int) throws {
    func hosts(_ name: String, _ count: Int, from first: Int) -> String {
      (1...count).map { "            \(name)-\($0): { ansible_host: 10.77.0.\(first + $0) }\n" }
        .joined()
    }
    let text = """
      all:
        children:
          k3s_cluster:
            vars: { packages: [sudo] }
            children:
              master:
                hosts:
      \(hosts("master", servers, from: 10))        worker:
                hosts:
      \(hosts("worker", agents, from: 20))
      """
    try Data(text.utf8).write(to: folder.appendingPathComponent("inventory/hosts.yaml"))
    size = (servers, agents)
  }

  private var runs: URL { folder.appendingPathComponent(".helix-infra/runs") }

  private var latestRecord: String? {
    (try? FileManager.default.contentsOfDirectory(atPath: runs.path))?.max()
  }

  /// The steps that the run after another one has begun so far, each with its host.
  private func stepsBegun(after earlier: String?) -> [(step: String, host: String)] {
    struct Line: Decodable {
      let event: String
      let step: String?
      let host: String?
    }
    guard let latest = latestRecord, latest != earlier,
      let text = try? String(contentsOf: runs.appendingPathComponent(latest), encoding: .utf8)
    else { return [] }
    return text.split(separator: "\n").compactMap { line in
      guard let line = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)),
        line.event == "step-started", let step = line.step, let host = line.host
      else { return nil }
      return (step, host)
    }
  }

  /// Applies, and tells of every step that begins on a host.
  func apply(
    _ playbook: String? = nil, telling begun: (_ step: String, _ host: String) throws -> Void
  ) throws -> Ran {
    try apply(playbook) { step, host, _ in try begun(step, host) }
  }

  /// Applies, and ends the run without a word when a step has begun and is seen at work.
  ///
  /// It is asked until it is at work, and then left a moment.
  @discardableResult
  func apply(
    _ playbook: String? = nil, killedAt step: String, once isAtWork: () throws -> Bool = { true }
  ) throws -> Ran {
    var isKilled = false
    let ran = try apply(playbook) { begun, _, running in
      guard begun == step else { return }
      isKilled = true
      for _ in 0..<100 where try !isAtWork() { Thread.sleep(forTimeInterval: 0.1) }
      Thread.sleep(forTimeInterval: 0.3)
      running.signal(SIGKILL)
    }
    try #require(isKilled, "\(step) never began: \(ran.all)")
    return ran
  }

  private func apply(
    _ playbook: String?, telling begun: (_ step: String, _ host: String, Running) throws -> Void
  ) throws -> Ran {
    let earlier = latestRecord
    let running = try begin(["apply", "--auto-approve"] + (playbook.map { [$0] } ?? []))
    var seen = 0
    while running.isRunning {
      let steps = stepsBegun(after: earlier)
      for (step, host) in steps.dropFirst(seen) { try begun(step, host, running) }
      seen = max(seen, steps.count)
      Thread.sleep(forTimeInterval: 0.05)
    }
    return running.finish()
  }
}
