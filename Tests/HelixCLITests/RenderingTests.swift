import HelixModel
import HelixPlan
import Testing

@testable import HelixCLI

@Suite("words for people are a function of state")
struct RenderingTests {
  private func plan() throws -> Plan {
    let file = Address(host: "master-1", kind: "file", name: "/etc/motd")
    let service = Address(host: "master-1", kind: "k3s-service")
    let write = Step(
      StepID(file, "write"), title: "write /etc/motd", host: "master-1", instructions: [])
    let elsewhere = StepID(Address(host: "master-2", kind: "k3s-service"), "restart")
    let other = Step(elsewhere, title: "restart k3s", host: "master-2", instructions: [])
    let restart = Step(
      StepID(service, "restart"), title: "restart k3s", host: "master-1",
      after: [write.id, elsewhere], instructions: [])
    return Plan(
      changes: [
        Change(
          address: file, action: .update,
          fields: [
            FieldChange("mode", before: "0600", after: "0644"),
            FieldChange("content", diff: "@@ -1 +1 @@\n-old\n+new"),
          ], reason: "it differs", steps: [write.id]),
        Change(
          address: service, action: .update, reason: "its config changes",
          disruption: "restarts k3s on master-1", steps: [restart.id]),
        Change(
          address: Address(host: "worker-1", kind: "swap"), action: .none,
          reason: "there is no swap"),
        Change(
          address: Address(host: "worker-2", kind: "swap"), action: .none, reason: "",
          standing: .heldBack(
            Diagnostic("worker-2 does not answer", remedy: "see whether it is on"))),
      ], graph: try StepGraph([write, restart, other]))
  }

  @Test("a plan reads like this")
  func planText() throws {
    let text = PlanText().render(try plan(), declared: ["linode/pool:burst"], hostCount: 3)
    #expect(
      text == """
        master-1
          ~ file:/etc/motd  it differs
              mode: 0600 -> 0644
              content:
                @@ -1 +1 @@
                -old
                +new
              > write /etc/motd
          ~ k3s-service  its config changes
              > restart k3s
                waits for file:/etc/motd, master-2/k3s-service

        worker-2
          ! swap  held back
              worker-2 does not answer
              fix: see whether it is on

        interruptions, in this order
          restarts k3s on master-1

        declared, not applied by this version
          linode/pool:burst

        Plan: 0 to create, 2 to update, 0 to replace, 0 to delete. 1 held back.

        """)
  }

  @Test("a step's waits, way back and host are each told once")
  func stepText() throws {
    let service = StepID(Address(host: "node-1", kind: "k3s-service"), "start")
    let address = Address(host: "node-1", kind: "k3s-uncordon")
    var step = Step(
      StepID(address, "uncordon"), title: "uncordon node-1, on node-2", host: "node-2",
      instructions: [], undo: [.run(script: "# one"), .run(script: "# two")])
    step.follows = [service]
    let before = Step(service, title: "start k3s", host: "node-1", instructions: [])
    let change = Change(
      address: address, action: .update, reason: "the upgrade is over", steps: [step.id])
    let text = PlanText().render(
      Plan(changes: [change], graph: try StepGraph([before, step])), declared: [], hostCount: 2)
    #expect(
      text.contains(
        """
              > uncordon node-1, on node-2
                if it fails: one, then two
                waits for the end of k3s-service, well or not

        """), "\(text)")
  }

  @Test("a plan with nothing to do is one line")
  func nothing() throws {
    let plan = Plan(changes: [], graph: .empty)
    #expect(PlanText().render(plan, declared: [], hostCount: 7) == "No changes. 7 hosts match.\n")
    #expect(PlanText().closingLine(plan, hostCount: 1) == "No changes. 1 host matches.")
  }

  @Test("colours change no word")
  func coloursOnly() throws {
    let plain = PlanText().render(try plan(), declared: [], hostCount: 3)
    let coloured = PlanText(style: .coloured).render(try plan(), declared: [], hostCount: 3)
    #expect(coloured != plain)
    #expect(coloured.replacing(/\u{1B}\[[0-9;]*m/, with: "") == plain)
  }

  @Test("a diagnostic shows the line it speaks of, and marks it")
  func snippet() {
    let renderer = DiagnosticText { _ in "cluster: helix\nk3s:\n\tversion: \"1.29\"\n" }
    let text = renderer.render(
      Diagnostic(
        "\"1.29\" is not a k3s release", reason: "nodes install one exact release",
        remedy: "write the whole tag",
        at: SourceLocation(file: "cluster.yaml", line: 3, column: 11, length: 6)))
    #expect(
      text == """
        cluster.yaml:3:11: error: "1.29" is not a k3s release
           3 | \tversion: "1.29"
             | \t         ^^^^^^
        why: nodes install one exact release
        fix: write the whole tag
        """)
  }

  @Test("what a host says cannot move the cursor or colour the screen")
  func terminalEscapes() {
    let text = DiagnosticText().render(
      Diagnostic(
        "x\u{1B}[2Jy", at: .host("a", address: "10.0.0.1"),
        evidence: .init(command: "k3s", status: 1, lastLines: ["\u{7}bell", "second"])))
    #expect(!text.unicodeScalars.contains("\u{1B}"))
    #expect(!text.unicodeScalars.contains("\u{7}"))
    #expect(text.hasPrefix("a (10.0.0.1): error: x\\u{1b}[2Jy\n  ran: k3s     exit 1\n"))
  }
}
