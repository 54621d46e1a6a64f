import Testing

@testable import HelixAge

@Suite("stanzas")
struct AgeStanzaTests {
  @Test("differ by every part")
  func parts() {
    let stanza = AgeStanza(type: "X25519", arguments: ["a"], body: [1])
    #expect(stanza != AgeStanza(type: "x25519", arguments: ["a"], body: [1]))
    #expect(stanza != AgeStanza(type: "X25519", arguments: ["b"], body: [1]))
    #expect(stanza != AgeStanza(type: "X25519", arguments: ["a"], body: [2]))
  }
}
