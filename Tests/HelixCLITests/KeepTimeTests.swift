import Testing

@testable import HelixCLI

@Suite("how long connections are kept")
struct KeepTimeTests {
  @Test(
    "a time has a unit, except for none at all",
    arguments: [("90s", 90), ("10m", 600), ("1h", 3600), ("24h", 86_400), ("0", 0), ("0s", 0)])
  func times(text: String, seconds: Int) {
    #expect(KeepTime(argument: text)?.duration == .seconds(seconds))
  }

  @Test(
    "what is no time is refused",
    arguments: ["", "10", "m", "-1m", "1.5h", "10 m", "10d", "25h", "99999999999999999999s", "٣m"])
  func mistakes(text: String) {
    #expect(KeepTime(argument: text) == nil)
  }
}
