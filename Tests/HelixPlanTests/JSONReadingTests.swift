import HelixModel
import Testing

@Suite("JSON as an API prints it")
struct JSONReadingTests {
  @Test(
    "what is read is written again as it was meant",
    arguments: [
      "null", "true", "false", "0", "-12", "1.5", #""""#, #""a\"b\\c\nd\te\u0001""#, "[]", "{}",
      #""ä €""#,
    ])
  func roundTrip(text: String) throws {
    #expect(JSONText.write(try JSONReading.read(text)) == text)
  }

  @Test("keys keep their order and escapes become what they stand for")
  func meaning() throws {
    let node = try JSONReading.read(
      #" {"b":1,"a":[ "\/\b\f\r\u00e9\ud83d\ude00" , 1e3, 12345678901234567890 ]} "#)
    #expect(node.mapping?.keys == ["b", "a"])
    let list = try #require(node.mapping?["a"]?.list)
    #expect(list[0].text == "/\u{8}\u{C}\r\u{E9}\u{1F600}")
    #expect(list[1].value == .number(1000))
    #expect(list[2].value == .number(1.2345678901234568e19))
  }

  @Test("half of a pair is no letter, and does no harm")
  func loneSurrogates() throws {
    #expect(try JSONReading.read(#""\ud83dx""#).text == "\u{FFFD}x")
    #expect(try JSONReading.read(#""\ude00""#).text == "\u{FFFD}")
  }

  @Test(
    "what is no JSON is refused",
    arguments: [
      "", " ", "{", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "\"a", "\"\\x\"", "\"\\u12\"",
      "\"\n\"", "1.", "-", "tru", "1 2", "{} x", "'a'", "[1 2]", "{\"a\":1 \"b\":2}",
    ])
  func refused(text: String) {
    #expect(throws: Diagnostic.self) { try JSONReading.read(text) }
  }

  @Test("an answer nested beyond reason is refused instead of ending the program")
  func deep() {
    let text = String(repeating: "[", count: 100_000)
    #expect(throws: Diagnostic.self) { try JSONReading.read(text) }
  }
}
