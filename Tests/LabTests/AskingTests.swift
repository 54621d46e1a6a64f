import Foundation
import TestSupport
import Testing

extension OnRealMachines {
  @Suite("facts and commands by hand", .serialized)
  struct AskingTests {
    private let lab: Lab
    private let estate: Estate

    init() throws {
      lab = try Lab.up()
      estate = try Estate(lab)
    }

    @Test("every host tells its facts, as their schema says, and one that is cut off is named")
    func facts() throws {
      try estate.apply()
      try lab.lab("cut", "worker-4")
      defer { _ = try? lab.lab("mend", "worker-4") }
      let told = try estate.helix("facts", "--json")
      #expect(told.status == 1, "\(told.all)")
      #expect(told.errors.contains("worker-4"), "\(told.all)")
      try estate.write(told.output, to: "facts.json")
      try estate.writeSchema("facts")
      try estate.check(
        """
        facts = load("facts.json")
        jsonschema.validate(facts, load("facts.schema"))
        hosts = facts["hosts"]
        assert "unreachable" in hosts.pop("worker-4")
        assert len(hosts) == 6
        for name, host in hosts.items():
          server = name.startswith("master")
          assert host["hostname"] == name
          assert host["login"] == {"user": "ops", "runsAs": "root", "through": "sudo"}
          assert host["system"]["id"] == "debian"
          assert host["systemd"]["version"].startswith("252")
          assert host["k3s"]["version"] == "\(Lab.release)"
          unit = "k3s" if server else "k3s-agent"
          assert host["k3s"]["services"] == {unit: {"state": "active", "enabled": True}}
          assert host["k3s"].get("etcdHealthy") == (True if server else None)
          assert abs(host["clock"]["offset"]) < 30
        worker = hosts["worker-1"]["network"]
        assert any("10.77.0.21/24" in all for all in worker["interfaces"].values()), worker
        assert len({host["machineID"] for host in hosts.values()}) == 6
        """)
      let people = try estate.helix("facts", "master-1")
      #expect(people.status == 0, "\(people.all)")
      #expect(people.output.hasPrefix("master-1\n  system  "), "\(people.all)")
      #expect(people.output.contains("ops, root through sudo\n"), "\(people.all)")
    }

    @Test("a command runs once on every host, as the login, and its worst end is the exit status")
    func exec() throws {
      let ran = try estate.helix(
        "exec", "worker", "--", "id -un; hostname -I | grep -o 10.77.0.2[0-9]",
        #"; case $(hostname -I) in *10.77.0.22*) echo alas >&2; exit 7;; esac"#)
      #expect(ran.status == 7, "\(ran.all)")
      #expect(
        ran.output.split(separator: "\n").sorted()
          == (1...4).flatMap { ["worker-\($0) | 10.77.0.2\($0)", "worker-\($0) | ops"] },
        "\(ran.all)")
      #expect(ran.errors.hasPrefix("worker-2 | alas\nworker-2 | exit status 7\n"), "\(ran.all)")
      #expect(ran.errors.contains("Exec: 3 done, 1 failed in "), "\(ran.all)")
      let root = try estate.helix("exec", "worker-1", "-b", "--", "id", "-un")
      #expect(root.output == "worker-1 | root\n", "\(root.all)")
      let nobody = try estate.helix("exec", "worker-1", "--become-user", "nobody", "--", "id -un")
      #expect(nobody.output == "worker-1 | nobody\n", "\(nobody.all)")
    }

    @Test("what is piped in reaches every host, and what is told as JSON is what the schema says")
    func inputAndJSON() throws {
      try lab.lab("cut", "worker-4")
      defer { _ = try? lab.lab("mend", "worker-4") }
      let shell = #"head -c 3000000 /dev/zero | "$0" exec worker --json --stdin -- 'wc -c; exit 2'"#
      let ran = try estate.reach("/bin/sh", ["-c", shell, Estate.binary])
      #expect(ran.status == 255, "\(ran.all)")
      let lines = ran.output.split(separator: "\n").joined(separator: ",")
      try estate.write("[\(lines)]", to: "exec.json")
      try estate.writeSchema("exec")
      try estate.check(
        """
        hosts = {host["host"]: host for host in load("exec.json")}
        for host in hosts.values(): jsonschema.validate(host, load("exec.schema"))
        assert "unreachable" in hosts.pop("worker-4")
        assert len(hosts) == 3
        assert all(host["stdout"] == "3000000\\n" for host in hosts.values()), hosts
        assert all(host["status"] == 2 for host in hosts.values()), hosts
        """)
    }

    @Test("a password typed once serves sudo on every host that asks for it")
    func sudoPassword() throws {
      let sudoers = "/etc/sudoers.d/zz-asks"
      for node in ["worker-1", "worker-2"] {
        let asks = try lab.inside(
          node, "echo ops:s3same | chpasswd && echo 'ops ALL=(ALL) PASSWD: ALL' > \(sudoers)")
        try #require(asks.status == 0, "\(asks.all)")
      }
      defer {
        for node in ["worker-1", "worker-2"] { _ = try? lab.inside(node, "rm -f \(sudoers)") }
      }
      let refused = try estate.helix("exec", "worker-1", "-b", "--", "id -un")
      #expect(refused.status == 255, "\(refused.all)")
      let ran = try estate.reach(
        "python3",
        Typist.arguments(
          typing: "s3same\n", at: "password: ",
          into: [
            Estate.binary, "exec", "--color", "never", "worker-1:worker-2", "-bK", "--", "id -un",
          ]))
      #expect(ran.output.contains("worker-1 | root"), "\(ran.all)")
      #expect(ran.output.contains("worker-2 | root"), "\(ran.all)")
      #expect(!ran.output.contains("s3same"), "\(ran.all)")
    }

    @Test("Ctrl-C ends the command where it still runs")
    func interrupted() throws {
      let running = try estate.begin("exec", "worker-1", "--", "echo begun; sleep 977")
      defer { _ = try? lab.inside("worker-1", "pkill -f 'sleep 977'") }
      #expect(try appears("sleep 977"), "the command never began")
      kill(try helixUnder(running.pid), SIGINT)
      #expect(running.finish().status == 130)
      #expect(try !appears("sleep 977", awaited: false), "it goes on")
    }

    /// Whether a process shows on worker-1 within some seconds, or is still there after them.
    private func appears(_ command: String, awaited: Bool = true) throws -> Bool {
      for _ in 0..<50 {
        let isThere = try lab.inside("worker-1", "pgrep -fx '\(command)'").status == 0
        if isThere == awaited { return awaited }
        Thread.sleep(forTimeInterval: 0.2)
      }
      return !awaited
    }

    /// The process of helix-infra itself below the lab's wrappers.
    private func helixUnder(_ pid: Int32) throws -> Int32 {
      let name = try String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
      guard name != "helix-infra\n" else { return pid }
      let children = try String(
        contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
      let child = try #require(children.split(separator: " ").compactMap { Int32($0) }.first)
      return try helixUnder(child)
    }
  }
}
