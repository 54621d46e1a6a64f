import Foundation
import HelixModel
import HelixPlan
import Testing

@testable import HelixKinds

/// What k3s-upgrade would find on a host, searched by a real shell in a made-up /proc.
@Suite("the k3s that k3s-upgrade would find")
struct K3sProcessesTests {
  private let proc = FileManager.default.temporaryDirectory
    .appending(path: "helix-proc-\(UUID().uuidString)")

  private func process(
    _ pid: Int, _ line: String, space: String = "pid:[1]",
    cgroup: String = "0::/system.slice/k3s.service"
  ) throws {
    let folder = proc.appending(path: "\(pid)")
    try FileManager.default.createDirectory(
      at: folder.appending(path: "ns"), withIntermediateDirectories: true)
    try Data(line.utf8.map { $0 == UInt8(ascii: "|") ? 0 : $0 })
      .write(to: folder.appending(path: "cmdline"))
    try Data("\(cgroup)\n".utf8).write(to: folder.appending(path: "cgroup"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.appending(path: "ns/pid").path, withDestinationPath: space)
  }

  private func found() throws -> K3sProcesses {
    let fact = K3sProcesses.fact
    let moved = Fact<K3sProcesses>(
      "moved", command: fact.request.command.replacingOccurrences(of: "/proc", with: proc.path),
      parse: fact.parse, summary: fact.summary)
    defer { try? FileManager.default.removeItem(at: proc) }
    return try ShellHost().ask(moved)
  }

  @Test("a server under its service is the one, whoever else has k3s in its words")
  func server() throws {
    try process(1, "/sbin/init|")
    try process(700, "/bin/sh server|||")
    try process(701, "/bin/sh|-c|journalctl -u k3s|", cgroup: "0::/user.slice/session-1.scope")
    try process(702, "grep|k3s server|")
    try process(703, "/usr/bin/vim|/etc/rancher/k3s/config.yaml|")
    #expect(try found().found.isEmpty)
    try process(1, "/sbin/init|")
    try process(812, "/bin/k3s server||")
    #expect(throws: Never.self) {
      let k3s = try found().found
      #expect(k3s.map(\.program) == ["/bin/k3s"] && k3s.map(\.unit) == ["k3s.service"])
      #expect(k3s.map(\.isHosts) == [true] && k3s.map(\.pid) == [812])
    }
  }

  @Test("k3s in a container counts only when it is the only one")
  func containers() throws {
    try process(1, "/sbin/init|")
    try process(900, "/bin/sh/k3s agent|", space: "pid:[9]", cgroup: "0::/docker/abc")
    let alone = try found()
    #expect(alone.chosen.map(\.pid) == [900] && alone.chosen.map(\.isThere) == [false])
    try process(1, "/sbin/init|")
    try process(900, "/bin/sh/k3s agent|", space: "pid:[9]", cgroup: "0::/docker/abc")
    try process(812, "/bin/k3s agent|", cgroup: "1:name=systemd:/system.slice/k3s-agent.service")
    let both = try found()
    #expect(both.found.count == 2 && both.chosen.map(\.pid) == [812])
    #expect(both.chosen.map(\.unit) == ["k3s-agent.service"])
  }

  @Test("a program without its path is not there; what was started by hand is in a session")
  func byHand() throws {
    try process(1, "/sbin/init|")
    try process(812, "k3s server|", cgroup: "0::/user.slice/user-0.slice/session-3.scope")
    let k3s = try #require(try found().chosen.first)
    #expect(k3s.program == "k3s" && !k3s.isThere && k3s.unit == "session-3.scope")
  }

  @Test("what an interpreter runs is the program, not the interpreter")
  func interpreter() throws {
    try process(1, "/sbin/init|")
    try process(812, "/usr/bin/python3|/usr/local/bin/k3s|server|")
    #expect(try found().chosen.map(\.program) == ["/usr/local/bin/k3s"])
  }

  @Test("an answer that broke off is none, and a restart alone is no other fact")
  func parse() throws {
    #expect(throws: Diagnostic.self) {
      try K3sProcesses.fact.parse(FactAnswer(status: 0, output: "k3s 1 host there /k3s"))
    }
    let told = try ["812", "944"].map { pid in
      try K3sProcesses.fact.summary(
        K3sProcesses.fact.parse(
          FactAnswer(status: 0, output: "k3s \(pid) host there /k3s k3s.service\nsearched")))
    }
    #expect(Set(told) == ["/k3s k3s.service"])
  }
}
