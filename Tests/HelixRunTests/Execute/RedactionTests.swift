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

  @Test("a value is recognised inside of longer base64, in URLs, JSON and shell words")
  func embedded() {
    let value = "pä$$ w/rd+'x\"\ny"
    let redactor = Redactor(values: [("key", SecretValue(value))])
    for before in ["", "u", "us", "use"] {
      for after in ["", "1", "12", "123"] {
        let bytes = Array((before + value + after).utf8)
        let coded = Base64.encode(bytes)
        let clean = redactor.cleaned("basic \(coded) end")
        #expect(
          clean.hasPrefix("basic ") && clean.hasSuffix(" end") && clean.contains("‹secret key›"))
        #expect(clean.count <= "basic ‹secret key› end".count + 12, "\(clean)")
        let urlSafe = coded.replacing("+", with: "-").replacing("/", with: "_")
        #expect(redactor.cleaned(urlSafe).contains("‹secret key›"))
      }
    }
    for coded in [
      "p%C3%A4%24%24%20w%2Frd%2B%27x%22", "p%c3%a4%24%24%20w/rd%2b%27x%22",
      "p%C3%A4%24%24+w%2Frd%2B%27x%22",
      #"p\u00e4$$ w/rd+'x\""#, #"pä$$ w/rd+'"'"'x""#,
    ] {
      #expect(redactor.cleaned("a \(coded) b") == "a ‹secret key› b", "\(coded)")
    }
  }

  @Test("base64 that is broken into lines is recognised by its lines")
  func brokenLines() {
    let value = String(repeating: "0123456789abcdef", count: 12)
    let redactor = Redactor(values: [("key", SecretValue(value))])
    let coded = Base64.encode(Array(value.utf8))
    for width in [64, 76] {
      let lines = stride(from: 0, to: coded.count, by: width).map {
        String(coded.dropFirst($0).prefix(width))
      }
      for line in lines { #expect(redactor.cleaned(line) == "‹secret key›") }
    }
  }

  @Test("what is written anew as a whole is kept out as a whole")
  func composite() async throws {
    let scratch = try ScratchFolder()
    let run = TestRun(shells: [SpyShell()], secrets: FixedSecrets(values: ["token": "ab"]))
    let pair: TemplateText = "someone:\(secret: SecretName("token"))"
    let file = FileWrite(
      path: scratch("f"), content: TemplateText(parts: [.coded(pair, .encodedInBase64)]))
    let summary = try await run.apply([
      step("tell", instructions: [.write(file), .run(script: "cat \(scratch("f")); exit 3")])
    ])
    #expect(try scratch.text(of: "f") == "c29tZW9uZTphYg==")
    #expect(
      failure(summary, "tell")?.evidence?.lastLines
        == ["‹secret someone:‹secret token›|b64encode›"])
  }

  @Test("one value inside another leaves nothing behind")
  func nested() {
    let redactor = Redactor(
      values: [("short", SecretValue("abcdef")), ("long", SecretValue("abcdefghi"))])
    #expect(redactor.cleaned("abcdefghi abcdef") == "‹secret long› ‹secret short›")
  }
}
