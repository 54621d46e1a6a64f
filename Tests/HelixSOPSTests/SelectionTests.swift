import HelixModel
import Testing

@testable import HelixSOPS

@Suite("which values are encrypted")
struct SelectionTests {
  private func selects(
    _ rule: SelectionRule, _ keys: [String], comments: [String] = []
  ) throws -> Bool {
    try Selection(rule).selects(keys: keys, comments: comments.map { Array($0.utf8) })
  }

  @Test("without a rule, all but what ends in _unencrypted")
  func standard() throws {
    #expect(try selects(.standard, ["a"]))
    #expect(try selects(.standard, []))
    #expect(try !selects(.standard, ["a_unencrypted"]))
    #expect(try !selects(.standard, ["a_unencrypted", "b", "c"]))
    #expect(try selects(.standard, ["_unencrypted_"]))
  }

  @Test("a match high up covers what is below")
  func subtree() throws {
    let rule = SelectionRule.encryptedRegex("^(data|stringData)$")
    #expect(try selects(rule, ["data", "password"]))
    #expect(try !selects(rule, ["metadata", "name"]))
    #expect(try !selects(rule, []))
    let open = SelectionRule.unencryptedRegex("^(apiVersion|metadata|kind|type)$")
    #expect(try !selects(open, ["metadata", "labels", "a"]))
    #expect(try selects(open, ["data"]))
    #expect(try selects(.encryptedSuffix("_secret"), ["a_secret", "b"]))
    #expect(try !selects(.encryptedSuffix("_secret"), ["secret"]))
  }

  @Test("suffixes are compared byte by byte")
  func suffixBytes() throws {
    #expect(try !selects(.encryptedSuffix("\u{E9}"), ["cafe\u{301}"]))
    #expect(try selects(.encryptedSuffix("\u{301}"), ["cafe\u{301}"]))
  }

  @Test("comments decide where the rule asks them")
  func comments() throws {
    #expect(try selects(.encryptedCommentRegex("sops:enc"), ["a"], comments: [" x", " sops:enc"]))
    #expect(try !selects(.encryptedCommentRegex("sops:enc"), ["sops:enc"], comments: [" x"]))
    #expect(try !selects(.unencryptedCommentRegex("plain"), ["a"], comments: [" plain"]))
    #expect(try selects(.unencryptedCommentRegex("plain"), ["plain"]))
  }

  @Test("a comment keeps itself plain, but does not encrypt itself")
  func commentsOfThemselves() throws {
    let place = SourceLocation(file: "a.yaml", line: 1, column: 1)
    let item = SOPSItem(
      document: 0, place: [], value: .comment(Array(" mark".utf8)), comments: [], containers: [[]],
      location: place)
    #expect(try !Selection(.unencryptedCommentRegex("mark")).selects(item))
    #expect(try !Selection(.encryptedCommentRegex("mark")).selects(item))
    #expect(try Selection(.encryptedRegex("^$")).selects(item) == false)
  }
}
