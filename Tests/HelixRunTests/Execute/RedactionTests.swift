import HelixModel
import HelixPlan
import Testing

@testable import HelixRun

@Suite("a secret is seen nowhere", .enabled(if: LocalHost.isRoot))
struct RedactionTests {
  private static let canary = "c4n4ry/7f3a+9b=!"

  @Test("not in events, record, summary or argv, even when a host repeats it")
  func canary() async throws {
    let scratch = try ScratchFolder()
    let spy = SpyShell()
    let run = TestRun(shells: [spy], secrets: FixedSecrets(values: ["token": Self.canary]))
    let record = try RunRecord(in: scratch("state"), clock: ManualClock())
    let file = FileWrite(path: scratch("f"), content: "\(secret: SecretName("token"))")
    let summary = try await run.apply(
      [
        step(
          "tell",
          instructions: [
            .write(file), .run(script: "cat \(scratch("f")) >&2; base64 <\(scratch("f")); exit 3"),
          ]),
        step(
          "learn", follows: ["tell"],
          instructions: [
            .learn(LearnedName("join token"), script: "cat \(scratch("f"))"),
            .run(script: "cat \(scratch("f")); exit 4"),
          ]),
        step(
          "two", follows: ["learn"],
          instructions: [.learn(LearnedName("no"), script: "echo; cat \(scratch("f")); exit 5")]),
      ], sink: record)
    #expect(try scratch.text(of: "f") == Self.canary)
    #expect(summary.counts == ["failed": 3])
    #expect(
      failure(summary, "tell")?.evidence?.lastLines
        == ["‹secret token›", "‹secret token›"])
    let seen =
      ["\(summary)", "\(run.log.events)", try scratchText(record.path)]
      + spy.commands.map(\.line)
    for text in seen {
      #expect(!text.contains(Self.canary))
      #expect(!text.contains("YzRuNHJ5"))
    }
  }

  private func scratchText(_ path: String) throws -> String {
    String(decoding: try contents(of: path) ?? [], as: UTF8.self)
  }

  @Test("a value is recognised by its lines and in common codings")
  func forms() {
    let redactor = Redactor(values: [("key", SecretValue("first line\nsecond+line\n"))])
    #expect(redactor.cleaned("x second+line y") == "x ‹secret key› y")
    #expect(redactor.cleaned("q=second%2Bline") == "q=‹secret key›")
    #expect(redactor.cleaned("c2Vjb25kK2xpbmU=") == "‹secret key›")
    #expect(redactor.cleaned("nothing") == "nothing")
  }

  @Test("one value inside another leaves nothing behind")
  func nested() {
    let redactor = Redactor(
      values: [("short", SecretValue("abcdef")), ("long", SecretValue("abcdefghi"))])
    #expect(redactor.cleaned("abcdefghi abcdef") == "‹secret long› ‹secret short›")
  }
}
