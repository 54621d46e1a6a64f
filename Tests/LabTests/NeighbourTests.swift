import Foundation
import TestSupport
import Testing

extension OnRealMachines {
  @Suite("beside the tools that operators have", .serialized)
  struct NeighbourTests {
    private let estate: Estate

    init() throws {
      estate = try Estate(try Lab.up())
      try estate.apply()
    }

    @Test("go-task's targets call helix-infra")
    func task() throws {
      try FileManager.default.copyItem(
        at: repository.appendingPathComponent("Taskfile.yml"),
        to: estate.folder.appendingPathComponent("Taskfile.yml"))
      let plan = try estate.reach("task", ["plan", "HELIX=\(Estate.binary)"])
      #expect(plan.status == 0, "\(plan.all)")
      #expect(plan.output.hasSuffix("No changes. 7 hosts match.\n"), "\(plan.all)")
      let apply = try estate.reach(
        "task", ["apply", "HELIX=\(Estate.binary)", "--", "--auto-approve"])
      #expect(apply.status == 0, "\(apply.all)")
    }

    @Test("Ansible finds nothing to change after we applied the same playbook")
    func ansible() throws {
      let ran = try estate.reach(
        "ansible-playbook",
        [
          "-i", "inventory/hosts.yaml", "playbooks/prepare.yaml", "--check", "--diff", "--limit",
          "worker-4",
          // Ansible's modprobe reads /proc/modules, which a kernel without loadable modules lacks.
          "-e", #"{"kernel_modules": []}"#,
        ])
      #expect(ran.status == 0, "\(ran.all)")
      #expect(ran.output.contains("changed=0"), "\(ran.all)")
    }

    @Test("plan and events are what their schemas say")
    func schemas() throws {
      _ = try estate.lab.inside("worker-1", "hostnamectl set-hostname elsewhere")
      let plan = try estate.helix("plan", "--json")
      try estate.write(plan.output, to: "plan.json")
      let apply = try estate.helix("apply", "--auto-approve", "--json")
      #expect(apply.status == 0, "\(apply.all)")
      let events = apply.output.split(separator: "\n").joined(separator: ",")
      try estate.write("[\(events)]", to: "events.json")
      for name in ["plan", "events"] { try estate.writeSchema(name) }
      try estate.check(
        """
        jsonschema.validate(load("plan.json"), load("plan.schema"))
        assert load("plan.json")["summary"]["update"] >= 1
        assert len(load("events.json")) > 3
        for event in load("events.json"): jsonschema.validate(event, load("events.schema"))
        """)
    }
  }
}
