import HelixModel
import Testing

@Suite("text is filled in where it is written")
struct FilledTextTests {
  private struct Store: SecretStore {
    struct Careless: Error { var value = "c4n4ry" }

    func value(of name: SecretName) throws -> SecretValue {
      switch name.rawValue {
      case "pw": return SecretValue("a/b c")
      case "bytes": return SecretValue([0xFF, 0x00])
      case "coded": return SecretValue("YSB\n2Yg==")
      case "flag": return SecretValue("false")
      case "careless": throw Careless()
      default: throw Diagnostic("no secret named \"\(name.rawValue)\"")
      }
    }
  }

  private func filled(_ text: TemplateText) throws -> String {
    String(decoding: try Store().fill(text).value.reveal(), as: UTF8.self)
  }

  @Test("secrets in their codings, one inside another")
  func codings() throws {
    let name = SecretName("pw")
    #expect(try filled("x\(secret: name)y") == "xa/b cy")
    #expect(try filled("\(secret: name.coded(.encodedForURLs))") == "a/b%20c")
    #expect(
      try filled("\(secret: name.coded(.encodedForURLs).coded(.encodedInBase64))") == "YS9iJTIwYw=="
    )
    #expect(try filled("\(secret: SecretName("coded").coded(.decodedFromBase64))") == "a vb")
    #expect(try filled("\(secret: SecretName("bytes").coded(.encodedInBase64))") == "/wA=")
    #expect(try filled("\(secret: name.coded(.quotedForShell))") == "'a/b c'")
    #expect(try filled("\(secret: SecretName("flag").coded(.toldAsTruth))") == "False")
    let pair: TemplateText = "u:\(secret: name)"
    let coded = try #require(pair.coded(.encodedInBase64)?.coded(.quotedForJSON))
    #expect(try filled(coded) == "\"dTphL2IgYw==\"")
    #expect(coded.shown == "‹‹u:‹secret pw›|b64encode›|to_json›")
    #expect(coded.secrets == [name])
    #expect(coded.plain == nil)
    #expect(TemplateText("ab").coded(.encodedInBase64)?.plain == "YWI=")
    #expect(TemplateText("a b").coded(.decodedFromBase64) == nil)
  }

  @Test("an unknown name, a value that cannot be coded and a careless store tell no value")
  func problems() {
    for text: TemplateText in [
      "\(secret: SecretName("nobody"))", "\(secret: SecretName("bytes").coded(.decodedFromBase64))",
      "\(secret: SecretName("bytes").coded(.quotedForJSON))",
      "\(secret: SecretName("pw").coded(.toldAsTruth))", "\(secret: SecretName("careless"))",
      TemplateText(parts: [.coded("\(secret: SecretName("bytes"))", .quotedForShell)]),
      "\(learned: LearnedName("later"))\(secret: SecretName("nobody"))",
    ] {
      #expect {
        _ = try Store().fill(text)
      } throws: { error in
        let words = "\(error)"
        return error is Diagnostic && !words.contains("c4n4ry") && !words.contains("a/b c")
      }
    }
  }

  @Test("what is not known yet is named")
  func missing() throws {
    let text: TemplateText = "\(learned: LearnedName("a"))\(learned: LearnedName("b"))"
    #expect(try Store().fill(text).missing == LearnedName("a"))
    let known = try Store().fill(text, learned: [LearnedName("a"): "1", LearnedName("b"): "2"])
    #expect(known.missing == nil)
    #expect(known.value == SecretValue("12"))
  }
}
