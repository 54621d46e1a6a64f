import HelixAge
import HelixModel
import TestSupport
import Testing

@testable import HelixSOPS

/// The lines that two texts do not share.
private func changedLines(_ old: [UInt8], _ new: [UInt8]) -> [Substring] {
  let old = String(decoding: old, as: UTF8.self).split(separator: "\n")
  let new = String(decoding: new, as: UTF8.self).split(separator: "\n")
  return new.difference(from: old).insertions.map { change in
    if case .insert(_, let line, _) = change { line } else { "" }
  }
}

@Suite("an encrypted file")
struct OperationTests {
  private static let samples: [(SOPSFormat, String, [[PathStep]])] = [
    (
      .yaml, "a: one\nmap:\n  b: 2\n  # words\n  c:\n    - x\n    - y\nlast: |\n  block\n",
      [
        [.key("new")], [.key("map"), .key("new")], [.key("map"), .key("c"), .index(2)],
        [.key("map"), .key("deep"), .key("deeper")], [.key("two words: #")],
      ]
    ),
    (.yaml, "a: {b: one, c: [1]}\nd: 4 # beside", [[.key("a"), .key("n")], [.key("n")]]),
    (
      .json, "{\n  \"a\": \"one\",\n  \"m\": {\"l\": [1, 2], \"e\": {}}\n}\n",
      [
        [.key("new")], [.key("m"), .key("n")], [.key("m"), .key("l"), .index(2)],
        [.key("m"), .key("e"), .key("x"), .key("y")],
      ]
    ),
    (.dotenv, "# words\nA=one\nB=two", [[.key("NEW")]]),
    (
      .ini, "[first]\na = 1\n\n[two]\nb = 2\n",
      [[.key("first"), .key("n")], [.key("two"), .key("n")]]
    ),
  ]

  @Test("takes a value at a new place, and changes nothing beside it", arguments: samples.indices)
  func newPlaces(sample: Int) throws {
    let (format, text, places) = Self.samples[sample]
    let key = try TestKey(seed: 1)
    let bytes = try key.encrypt(text, format)
    let document = try key.open(bytes, format)
    for place in places {
      var random = CountingGenerator(seed: 7)
      let changed = try #require(
        try document.setting(place, to: .text(Array("new".utf8)), tools: .test, random: &random))
      let after = try key.open(changed, format)
      #expect(after.values.count == document.values.count + 1)
      let value = after.values.first { $0.place.steps == place }
      #expect(value?.value == .text(Array("new".utf8)), "\(place.sopsPath)")
      let lines = changedLines(bytes, changed).filter { !$0.contains("mac") }
      // A map that is new stands on lines of its own, with its brackets in JSON.
      #expect(lines.count <= max(2, 2 * place.count - 1), "\(lines)")
      #expect(!String(decoding: changed, as: UTF8.self).contains("new\"\n"))
    }
  }

  @Test("refuses places that it cannot make", arguments: samples.indices)
  func noPlaces(sample: Int) throws {
    let (format, text, _) = Self.samples[sample]
    let key = try TestKey(seed: 1)
    let document = try key.open(try key.encrypt(text, format), format)
    for place: [PathStep] in [
      [.index(0)], [.key("sops"), .key("x")], [.key("a"), .key("b"), .key("c")],
      [.key("nowhere"), .index(3)],
    ] {
      var random = CountingGenerator(seed: 7)
      let problem = #expect(throws: SOPSProblem.self) {
        try document.setting(place, to: .integer(1), tools: .test, random: &random)
      }
      #expect(problem?.exitCode == 91)
    }
  }

  @Test("changes in one line, its time and its MAC when one value is set or edited")
  func smallChanges() throws {
    for (format, text, _) in Self.samples {
      let key = try TestKey(seed: 1)
      let bytes = try key.encrypt(text, format)
      let document = try key.open(bytes, format)
      let place = try #require(document.values.first).place.steps
      let later = WritingTools(now: Moment(secondsSince1970: 1_800_000_000))
      var random = CountingGenerator(seed: 7)
      let set = try #require(
        try document.setting(place, to: .text([65]), tools: later, random: &random))
      let edited = try #require(
        try document.reencrypted(
          Array(text.replacing("one", with: "A").replacing("a = 1", with: "a = 3").utf8),
          tools: later, random: &random))
      for changed in [set, edited] {
        let lines = changedLines(bytes, changed)
        #expect(lines.count == 3, "\(lines)")
        #expect(lines.count { $0.contains("lastmodified") } == 1)
      }
      #expect(
        try document.setting(place, to: document.values[0].value, tools: later, random: &random)
          == nil)
    }
  }

  @Test("prints parts of itself")
  func extracts() throws {
    let key = try TestKey(seed: 1)
    let yaml = try key.open(
      try key.encrypt(
        "a: one\nn: 7\nm:\n  b: true\n  c: [x, 'yes', {d: 1.5}]\n  '1 2': null\n---\nz: 1\n", .yaml),
      .yaml)
    for (path, text) in [
      ("[\"a\"]", "one"), ("[\"n\"]", "7\n"), ("['m'][\"c\"][0]", "x"),
      (
        "[\"m\"]",
        "b: true\nc: [\"x\", 'yes', {d: 1.5}]\n'1 2': null\n"
      ),
    ] {
      let steps = try #require([PathStep](sopsPath: path))
      #expect(String(decoding: try yaml.extracted(steps), as: UTF8.self) == text)
    }
    #expect(throws: SOPSProblem.noSuchPlace([.key("z")], file: "test")) {
      try yaml.extracted([.key("z")])
    }
    let json = try key.open(
      try key.encrypt("{\"m\": {\"a\": [1, \"\\u0001\"], \"b\": null}}", .json), .json)
    #expect(
      String(decoding: try json.extracted([.key("m")]), as: UTF8.self)
        == "{\"a\": [1, \"\\u0001\"], \"b\": null}\n")
  }

  @Test(
    "is not made when that would be wrong",
    arguments: [
      ("", 92), (" \n", 92), ("a: 1\nsops:\n  mac: x\n", 203), ("a_unencrypted: 1\n", 23),
      ("a: ''\nb: null\n", 23), ("a: 1\nb: !x 2\n", 23), ("a: [\n", 1),
    ] as [(String, Int32)])
  func refusals(text: String, status: Int32) throws {
    let problem = #expect(throws: SOPSProblem.self) { try TestKey(seed: 1).encrypt(text, .yaml) }
    #expect(problem?.exitCode == status)
    for diagnostic in problem?.diagnostics ?? [] { #expect(diagnostic.location?.file == "test") }
  }

  @Test("is not made by a rule that SOPS cannot read")
  func badRule() throws {
    let problem = #expect(throws: SOPSProblem.self) {
      try TestKey(seed: 1).encrypt("a: 1\n", .yaml, rule: .encryptedRegex("^(?!metadata)"))
    }
    guard case .rule = problem else {
      Issue.record("\(String(describing: problem))")
      return
    }
  }

  @Test("that stands in plain text because of its rule can be read and not written")
  func badRuleInFile() throws {
    let key = try TestKey(seed: 1)
    let bytes = try key.encrypt("a: 1\nb_unencrypted: 2\n", .yaml)
    let text = String(decoding: bytes, as: UTF8.self)
      .replacing("unencrypted_suffix: _unencrypted", with: "unencrypted_regex: '(?=x)'")
    // Nothing matches, so all is encrypted, and b is not.
    let problem = #expect(throws: SOPSProblem.self) { try key.open(Array(text.utf8), .yaml) }
    #expect(problem?.exitCode == 25)
    let whole = String(decoding: try key.encrypt("a: 1\n", .yaml), as: UTF8.self)
      .replacing("unencrypted_suffix: _unencrypted", with: "unencrypted_regex: '(?=x)'")
    let document = try key.open(Array(whole.utf8), .yaml)
    var random = CountingGenerator()
    #expect(throws: SOPSProblem.self) {
      try document.setting([.key("a")], to: .integer(2), tools: .test, random: &random)
    }
  }

  @Test("may not be edited so that all of it would be in plain text")
  func editingAllAway() throws {
    let key = try TestKey(seed: 1)
    let document = try key.open(try key.encrypt("a: 1\n", .yaml), .yaml)
    var random = CountingGenerator()
    let problem = #expect(throws: SOPSProblem.self) {
      try document.reencrypted(Array("a_unencrypted: 1\n".utf8), tools: .test, random: &random)
    }
    #expect(problem?.exitCode == 23)
  }
}
