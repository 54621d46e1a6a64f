import Foundation
import TestSupport
import Testing

/// An sshd of our own, an estate with one host on it, and a home for whoever runs the program.
private final class KeptEstate {
  static let sshd = "/usr/sbin/sshd"
  static let isPossible =
    FileManager.default.isExecutableFile(atPath: sshd)
    || ProcessInfo.processInfo.environment["CI"] == "true"

  let folder: URL
  private let server: Running

  init() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("helix-kept-\(UUID().uuidString.prefix(8))")
    let port = Int.random(in: 20_000..<30_000)
    func write(_ text: String, to name: String) throws {
      try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }
    for (name, mode) in [("", 0o700), ("run", 0o700), ("inventory", 0o755), ("playbooks", 0o755)] {
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent(name), withIntermediateDirectories: true,
        attributes: [.posixPermissions: mode])
    }
    for key in ["host", "user"] {
      let path = folder.appendingPathComponent(key).path
      let made = try run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path])
      try #require(made.status == 0, "\(made.all)")
    }
    let hostKey = try String(contentsOf: folder.appendingPathComponent("host.pub"), encoding: .utf8)
    try write("[127.0.0.1]:\(port) \(hostKey)", to: "known_hosts")
    try write(
      """
      Port \(port)
      ListenAddress 127.0.0.1
      PidFile none
      StrictModes no
      UsePAM no
      PermitRootLogin yes
      HostKey \(folder.path)/host
      AuthorizedKeysFile \(folder.path)/user.pub

      """, to: "sshd_config")
    try write(
      """
      all:
        hosts:
          web-1:
            ansible_host: 127.0.0.1
            ansible_port: \(port)
            ansible_ssh_private_key_file: user
            ansible_ssh_common_args: -o UserKnownHostsFile=known_hosts

      """, to: "inventory/hosts.yaml")
    try write(
      """
      - hosts: all
        tasks:
          - ansible.builtin.file: { path: /tmp, state: directory }

      """, to: "playbooks/site.yaml")
    if geteuid() == 0 { mkdir("/run/sshd", 0o755) }
    self.folder = folder
    server = try Running(Self.sshd, ["-D", "-e", "-f", "\(folder.path)/sshd_config"])
  }

  /// Runs the program in the estate.
  func helix(_ arguments: String..., keepingByDefault time: String = "") throws -> Ran {
    let binary = repository.appendingPathComponent(".build/debug/helix-infra").path
    return try run(
      "/usr/bin/env", Self.withoutTracing + [binary] + arguments, in: folder,
      environment: [
        "PATH": "/usr/bin:/bin", "HOME": folder.path, "USER": NSUserName(),
        "XDG_RUNTIME_DIR": folder.appendingPathComponent("run").path, "HELIX_CANARY": "tweet",
        "HELIX_KEEP_CONNECTIONS": time,
      ])
  }

  /// Root may look into every process; without these rights, only into those that let their user.
  private static let withoutTracing =
    geteuid() == 0 ? ["setpriv", "--bounding-set", "-sys_ptrace,-sys_admin,-perfmon"] : []

  /// What a process of the same user, with the same rights, may read of another one's memory.
  func look(into process: pid_t) throws -> Ran {
    try run("/usr/bin/env", Self.withoutTracing + ["cat", "/proc/\(process)/environ"])
  }

  /// A process that hides nothing, and has the rights of ours.
  func openProcess() throws -> Running {
    try Running("/usr/bin/env", Self.withoutTracing + ["sleep", "60"])
  }

  /// Ends everything.
  func end() throws {
    kill(server.pid, SIGTERM)
    _ = server.finish()
    try FileManager.default.removeItem(at: folder)
  }

  /// The process numbers of our keepers.
  var keepers: [pid_t] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.compactMap { pid_t($0) }.filter { process in
      self.text(of: process, "cmdline").contains("keep-connections")
        && self.text(of: process, "environ").contains(folder.path)
    }
  }

  /// A file of a process in /proc, its zeros made spaces.
  func text(of process: pid_t, _ name: String) -> String {
    let data = FileManager.default.contents(atPath: "/proc/\(process)/\(name)") ?? Data()
    return String(decoding: data.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
  }
}

@Suite(
  "connections kept by a process of their own", .timeLimit(.minutes(2)),
  .enabled(if: KeptEstate.isPossible, "sshd is not installed"))
struct KeptConnectionsTests {
  @Test("the next plan does not log in; the keeper has nothing of its run's, and ends when told")
  func keeping() throws {
    let estate = try KeptEstate()
    defer { try? estate.end() }
    var first = try estate.helix("plan", "--keep-connections", "60s", "--log-level", "debug")
    // sshd may still be starting.
    for _ in 0..<50 where first.all.contains("refused") {
      usleep(100_000)
      first = try estate.helix("plan", "--keep-connections", "60s", "--log-level", "debug")
    }
    #expect(first.errors.contains("connected"), "\(first.all)")
    let second = try estate.helix("plan", "--keep-connections", "60s", "--log-level", "debug")
    #expect(second.output == first.output)
    #expect(!second.errors.contains("connected"), "\(second.all)")
    #expect(second.errors.contains("command sent"), "\(second.all)")
    let byDefault = try estate.helix("plan", "--log-level", "debug", keepingByDefault: "60s")
    #expect(!byDefault.errors.contains("connected"), "\(byDefault.all)")
    let plain = try estate.helix("plan", "--log-level", "debug")
    #expect(plain.errors.contains("connected"), "\(plain.all)")

    let keepers = estate.keepers
    #expect(keepers.count == 1)
    for keeper in keepers { try look(at: keeper, of: estate) }
    let list = try estate.helix("connections")
    #expect(list.output.contains("web-1"), "\(list.all)")
    let ended = try estate.helix("connections", "--close")
    #expect(ended.output.contains("closed"), "\(ended.all)")
    for _ in 0..<1000 where !estate.keepers.isEmpty { usleep(50_000) }
    #expect(estate.keepers.isEmpty)
    #expect(try estate.helix("connections").output == "No connections are kept.\n")
  }

  @Test("a keeper that was killed is replaced, and --keep-connections 0 ends the new one")
  func killing() throws {
    let estate = try KeptEstate()
    defer { try? estate.end() }
    for _ in 0..<50 where estate.keepers.isEmpty {
      _ = try estate.helix("plan", "--keep-connections", "60s")
    }
    for keeper in estate.keepers { kill(keeper, SIGKILL) }
    var next = try estate.helix("plan", "--keep-connections", "60s", "--log-level", "debug")
    for _ in 0..<50 where next.all.contains("refused") {
      usleep(100_000)
      next = try estate.helix("plan", "--keep-connections", "60s", "--log-level", "debug")
    }
    #expect(next.errors.contains("connected"), "\(next.all)")
    #expect(estate.keepers.count == 1)
    let last = try estate.helix("plan", "--keep-connections", "0", "--log-level", "debug")
    #expect(last.errors.contains("connected"), "\(last.all)")
    for _ in 0..<1000 where !estate.keepers.isEmpty { usleep(50_000) }
    #expect(estate.keepers.isEmpty)
  }

  /// Nothing of the run that started it is in the keeper's hands, and nothing of it can be dumped.
  private func look(at keeper: pid_t, of estate: KeptEstate) throws {
    #expect(estate.text(of: keeper, "cmdline") == "helix-infra keep-connections ")
    #expect(!estate.text(of: keeper, "environ").contains("tweet"))
    #expect(getsid(keeper) == keeper)
    let files = FileManager.default
    #expect(try files.destinationOfSymbolicLink(atPath: "/proc/\(keeper)/cwd") == "/")
    let limits = estate.text(of: keeper, "limits")
    let cores = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
    #expect(cores?.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"])
    // What cannot be dumped belongs to root in /proc, and cannot be looked into.
    var status = stat()
    stat("/proc/\(keeper)/environ", &status)
    #expect(status.st_uid == 0)
    #expect(try estate.look(into: keeper).status != 0)
    let open = try estate.openProcess()
    // It has to give its rights up first.
    for _ in 0..<600 where try estate.look(into: open.pid).status != 0 { usleep(50_000) }
    #expect(try estate.look(into: open.pid).status == 0)
    kill(open.pid, SIGKILL)
    _ = open.finish()
    let descriptors = try files.contentsOfDirectory(atPath: "/proc/\(keeper)/fd")
    let links = descriptors.compactMap { name in
      try? files.destinationOfSymbolicLink(atPath: "/proc/\(keeper)/fd/\(name)")
    }
    let foreign = links.filter { link in
      !["socket:", "anon_inode:", "/dev/null"].contains { link.hasPrefix($0) }
    }
    #expect(foreign.isEmpty)
  }
}
