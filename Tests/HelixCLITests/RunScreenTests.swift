import HelixModel
import HelixPlan
@testable import HelixRun
import Testing

@testable import HelixCLI

@Suite("the live screen is a function of events and time")
struct RunScreenTests {
  private func id(_ host: String) -> StepID {
    StepID(Address(host: HostName(host), kind: "k"), "s")
  }

  private func started(_ host: String) -> Event {
    .stepStarted(.init(step: id(host), title: "start k3s", host: HostName(host)))
  }

  @Test("steps under way stand there with their seconds, ended ones do not")
  func underway() {
    var screen = RunScreen()
    screen.take(.runStarted(.init(changes: [:], steps: 3, parallelism: 2)), now: 0)
    screen.take(started("a"), now: 1)
    screen.take(started("b"), now: 2)
    screen.take(.instructionStarted(.init(step: id("b"), number: 1, of: 2, words: "wait")), now: 3)
    screen.take(.stepEnded(.init(step: id("a"), outcome: .done, seconds: 3)), now: 4)
    #expect(
      screen.lines(width: 80, height: 10, now: 9.9) == [
        "  b  start k3s  7 s (wait)", "  1 of 3 steps ended",
      ])
  }

  @Test("an upload shows how far it is")
  func uploading() {
    var screen = RunScreen()
    screen.take(started("a"), now: 0)
    let upload = Event.uploading(.init(step: id("a"), file: "k3s", sent: 435, total: 1000))
    screen.take(upload, now: 1)
    #expect(
      screen.lines(width: 80, height: 10, now: 2) == ["  a  start k3s  2 s (uploading k3s 43 %)"])
    #expect(RunText(style: .plain).line(upload) == nil)
  }

  @Test("a small terminal gets fewer and shorter lines")
  func narrow() {
    var screen = RunScreen()
    screen.take(.runStarted(.init(changes: [:], steps: 9, parallelism: 9)), now: 0)
    for host in ["a", "b", "c", "d"] { screen.take(started(host), now: 0) }
    let lines = screen.lines(width: 12, height: 4, now: 0)
    #expect(lines == ["  a  start ", "  b  start ", "  and 2 mor", "  0 of 9 st"])
  }

  @Test("nothing under way leaves nothing on the screen")
  func nothing() {
    var screen = RunScreen()
    screen.take(.hostAsked(.init(host: "a", facts: 3)), now: 0)
    #expect(screen.lines(width: 80, height: 10, now: 0) == ["asking 1 host: a"])
    screen.take(.hostAnswered(.init(host: "a", seconds: 1)), now: 1)
    #expect(screen.lines(width: 80, height: 10, now: 1).isEmpty)
  }
}
