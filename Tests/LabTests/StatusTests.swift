import Foundation
import TestSupport
import Testing

extension OnRealMachines {
  @Suite("how the cluster is", .serialized)
  struct StatusTests {
    private let lab: Lab
    private let estate: Estate

    init() throws {
      lab = try Lab.up()
      estate = try Estate(lab)
      try estate.apply()
    }

    @Test("a healthy cluster is told as healthy, to people and as its schema says")
    func healthy() throws {
      let people = try estate.helix("status")
      #expect(people.status == 0, "\(people.all)")
      #expect(people.output.hasPrefix("helix: healthy"), "\(people.all)")
      #expect(people.output.contains("3 of 3 voters well, 1 may stop"), "\(people.all)")
      let told = try estate.helix("status", "--json")
      #expect(told.status == 0, "\(told.all)")
      try estate.write(told.output, to: "status.json")
      try estate.writeSchema("status")
      try estate.check(
        """
        status = load("status.json")
        jsonschema.validate(status, load("status.schema"))
        assert status["healthy"] is True, status["problems"]
        assert status["etcd"]["voters"] == status["etcd"]["well"] == 3
        assert status["etcd"]["leader"] in ("master-1", "master-2", "master-3")
        assert [node["name"] for node in status["nodes"]] == [
          "master-1", "master-2", "master-3", "worker-1", "worker-2", "worker-3", "worker-4"]
        assert all(node["version"] == "\(Lab.release)" for node in status["nodes"])
        """)
    }

    @Test("a server without power is named, and that no other may stop now")
    func serverIsOff() throws {
      try lab.lab("kill", "master-3")
      let people = try estate.helix("status")
      try lab.lab("start", "master-3")
      #expect(people.status == 1, "\(people.all)")
      #expect(people.output.hasPrefix("helix: not healthy"), "\(people.all)")
      #expect(people.output.contains("2 of 3 voters well, none may stop"), "\(people.all)")
      #expect(people.all.contains("master-3"), "\(people.all)")
      #expect(people.all.contains("fix: "), "\(people.all)")
      var again = try estate.helix("status")
      for _ in 0..<30 where again.status != 0 {
        Thread.sleep(forTimeInterval: 1)
        again = try estate.helix("status")
      }
      #expect(again.status == 0, "\(again.all)")
    }

    @Test("a cordoned node and a stopped agent's service are told as what they are")
    func nodesApart() throws {
      _ = try lab.inside("master-1", "k3s kubectl cordon worker-1")
      _ = try lab.inside("worker-2", "systemctl stop k3s-agent")
      defer { _ = try? lab.inside("master-1", "k3s kubectl uncordon worker-1") }
      defer { _ = try? lab.inside("worker-2", "systemctl start k3s-agent") }
      let told = try estate.helix("status", "--json")
      #expect(told.status == 1, "\(told.all)")
      try estate.write(told.output, to: "status.json")
      try estate.check(
        """
        nodes = {node["name"]: node for node in load("status.json")["nodes"]}
        assert nodes["worker-1"]["cordoned"] is True, nodes["worker-1"]
        assert nodes["worker-2"]["service"] != "active", nodes["worker-2"]
        errors = [p for p in load("status.json")["problems"] if p["severity"] == "error"]
        assert all("worker-2" in p["summary"] for p in errors), errors
        """)
    }
  }
}
