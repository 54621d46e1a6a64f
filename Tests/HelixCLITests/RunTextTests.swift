import HelixModel
import HelixPlan
import Testing

@testable import HelixCLI
@testable import HelixRun

@Suite("the last words of a run")
struct RunTextTests {
  @Test("a step that was cut is named, so that nobody looks for a node that is left cordoned")
  func cut() {
    let address = Address(.cluster, kind: "upgrade-plan", name: "servers")
    let end = RunSummary.End(
      step: StepID(address, "upgrade-master-1"), title: "let master-1 come to it",
      host: "master-1", outcome: .interrupted)
    let text = RunText(style: .plain).summary(
      RunSummary(ends: [end], seconds: 2), record: "runs/one")
    #expect(
      text == """
        interrupted cluster/upgrade-plan:servers#upgrade-master-1, half done; apply again to end it
        Apply: steps 1 interrupted in 2 s. Record: runs/one

        """)
  }
}
