import Testing

@testable import HelixAge

@Suite("base64, bech32 and armor")
struct FormatTests {
  @Test("base64 has one spelling for each content")
  func base64() {
    for count in 0..<70 {
      let bytes = pattern(count)
      let text = StrictBase64.text(bytes)
      #expect(StrictBase64.decode(text) == bytes)
      #expect(StrictBase64.decode(text + "A") != bytes)
    }
    for bad in ["A", "AB", "ABC=", "AA==", "A-==", "QUJ\n", "QUI=", "QUJD "] {
      #expect(StrictBase64.decode(bad) == nil, "\(bad)")
    }
  }

  @Test("bech32 finds every mistyped character")
  func bech32() throws {
    let text = Bech32.encode(prefix: "age", pattern(32))
    #expect(try Bech32.decode(text).bytes == pattern(32))
    for place in text.indices {
      var wrong = text
      wrong.replaceSubrange(place...place, with: text[place] == "q" ? "p" : "q")
      #expect(throws: AgeProblem.self, "\(wrong)") { try Bech32.decode(wrong) }
    }
    for bad in ["", "1", "age1", "age1q", "1qqqqqq", "äge1qqqqqq"] {
      #expect(throws: AgeProblem.self, "\(bad)") { try Bech32.decode(bad) }
    }
  }

  @Test("armor is found behind white space, and binary files are told from it")
  func detection() throws {
    let identities = try keys.identities("classic.txt")
    let armored = try fixture("armored.age")
    let spaced = Array(" \n\t\r\n".utf8) + armored + Array("\n \n".utf8)
    #expect(try AgeFile.decrypt(spaced, with: identities) == (try fixture("greeting")))
    let far = [UInt8](repeating: 0x0a, count: 1025)
    #expect(throws: AgeProblem.self) { try AgeFile.decrypt(far + armored, with: identities) }
    #expect(throws: AgeProblem.self) { try AgeFile.decrypt(armored + far, with: identities) }
  }

  @Test("headers without end are refused before they fill the memory")
  func endless() {
    for text in ["-> a\n\n", "-> a\n" + String(repeating: "A", count: 64) + "\n", "->", "-> a a"] {
      let piece = Array(text.utf8)
      var place = -AgeHeader.intro.count
      #expect(throws: AgeProblem.self) {
        try AgeFile.decrypt(
          from: { memory in
            for offset in memory.indices {
              let at = place + offset
              memory[offset] =
                at < 0 ? AgeHeader.intro[at + AgeHeader.intro.count] : piece[at % piece.count]
            }
            place += memory.count
            return memory.count
          }, to: { _ in }, with: [])
      }
    }
  }
}
