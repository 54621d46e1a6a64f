import Foundation
import TestSupport
import Testing

@testable import HelixSOPS

@Suite("patterns match as Go's regexp matches")
struct RE2MatchTests {
  /// A pattern, texts that it matches, and texts that it does not.
  struct Expectation: Sendable, CustomTestStringConvertible {
    var pattern: String
    var yes: [String]
    var no: [String]
    var testDescription: String { pattern }

    init(_ pattern: String, _ yes: [String], _ no: [String]) {
      self.pattern = pattern
      self.yes = yes
      self.no = no
    }
  }

  private static let expectations = [
    Expectation("", ["", "a"], []), Expectation("a|", ["", "b"], []),
    Expectation("^(data|stringData)$", ["data", "stringData"], ["metadata", "data2", "", "Data"]),
    Expectation("^(data | stringData)$", ["data ", " stringData"], ["data", "stringData"]),
    Expectation("pass", ["pass", "my_password"], ["Pass", "pas"]),
    Expectation("^.+$", ["a", " "], ["", "\n", "a\nb"]), Expectation("^$", [""], ["a", "\n"]),
    Expectation("a$", ["a", "ba"], ["a\n", "ab"]), Expectation("(?m)a$", ["a\n", "a\nb"], ["ab"]),
    Expectation("(?m)^b", ["a\nb", "b"], ["ab"]), Expectation("^b", ["b"], ["a\nb"]),
    Expectation("(?m)\\Ab", ["b"], ["a\nb"]), Expectation("(?m)a\\z", ["ba"], ["a\n", "a\nb"]),
    Expectation("a.b", ["axb", "a\rb", "aéb", "a😀b"], ["a\nb", "ab"]),
    Expectation("(?s)a.b", ["a\nb"], ["ab"]), Expectation("(?s:a.)b.", ["a\nbx"], ["a\nb\n"]),
    Expectation("(?i)straße", ["STRAßE", "strAẞe"], ["strasse"]),
    Expectation("(?i)k", ["K", "k", "\u{212A}"], ["x"]), Expectation("(?i)S", ["ſ", "s"], ["z"]),
    Expectation("(?i)i", ["I"], ["İ", "ı"]), Expectation("(?i)σ", ["ς", "Σ"], ["o"]),
    Expectation("(?i)[a-c]x", ["BX", "ax"], ["dX"]), Expectation("(?i)[^a]", ["b"], ["A", "aA"]),
    Expectation("(?i)\\W", ["!", "é"], ["\u{212A}", "ſ", "a"]), Expectation("\\W", ["ſ"], ["a_9"]),
    Expectation("(?i:a)b", ["Ab", "ab"], ["AB"]),
    Expectation("(a(?i)b|c)d", ["aBd", "Cd"], ["aBD", "Abd"]),
    Expectation("(?i)a(?-i)b", ["Ab"], ["AB"]), Expectation("a(?i)*b", ["aaB", "B"], ["c"]),
    Expectation("\\bfoo\\b", ["foo", "a foo!", "éfoo"], ["foot", "_foo", "xfoo"]),
    Expectation("\\Boo", ["foo"], ["oo"]), Expectation("\\B", ["", "  ", "ab"], ["a"]),
    Expectation("a{2,3}b", ["aab", "aaaab"], ["ab"]),
    Expectation("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]),
    Expectation("^a{2,}$", ["aa", "aaaaaa"], ["a"]), Expectation("^a{0,1}$", ["", "a"], ["aa"]),
    Expectation("^(?:ab){2}$", ["abab"], ["ab", "ababab"]), Expectation("^a{0}$", [""], ["a"]),
    Expectation("^(a{2}){3}$", ["aaaaaa"], ["aaaaa", "aaaaaaa"]),
    Expectation("^a{,2}$", ["a{,2}"], ["aa"]),
    Expectation("^(?:a|b|cd)*?$", ["", "abcdba"], ["c", "cda_"]),
    Expectation("^(a*)*$", ["", "aaa"], ["b"]),
    Expectation("^(a|a?)+b$", ["b", "aab"], ["ac"]), Expectation("(?:|a)*b", ["b", "aab"], ["a"]),
    Expectation("\\Qa.b\\E$", ["xa.b"], ["axb"]), Expectation("\\Qa+\\E+", ["a++"], ["aa"]),
    Expectation("[]a]", ["]", "a"], ["b"]), Expectation("[^]a]", ["b"], ["]", "a", "]a"]),
    Expectation("[a-]", ["a", "-"], ["b"]), Expectation("[a-b-d]", ["a", "-", "d"], ["c"]),
    Expectation("[+--]", ["+", ",", "-"], ["."]), Expectation("[\\d-z]", ["5", "-", "z"], ["x"]),
    Expectation("[[:alpha:]_]", ["a", "Z", "_"], ["1", "é"]),
    Expectation("[[:^alpha:]]", ["1"], ["a"]),
    Expectation("[^[:space:]]", ["a"], [" \t\n\u{B}\u{C}\r"]),
    Expectation("\\s", [" ", "\u{C}"], ["\u{B}", "\u{A0}"]),
    Expectation("[[:punct:]]", ["!", "_", "~"], ["a", "é"]),
    Expectation("[[:alpha]", [":", "l", "["], ["]"]),
    Expectation("[^\\s\\S]", [], ["", "a", "é"]), Expectation("[\\s\\S]", ["a", "\n"], [""]),
    Expectation("^\\d+$", ["123"], ["١٢٣", ""]), Expectation("^\\w+$", ["a_9"], ["é", "a-b"]),
    Expectation("\\x41\\x{e9}\\101", ["AéA"], ["Ae"]), Expectation("\\01", ["\u{1}"], ["1"]),
    Expectation("^\\pL+$", ["aéΩ日"], ["a1"]), Expectation("^\\p{Lu}$", ["A", "Ω"], ["a", "1"]),
    Expectation("(?i)^\\p{Lu}$", ["a", "ω"], ["1"]), Expectation("\\PL", ["1"], ["é"]),
    Expectation("^\\p{Greek}+$", ["αβΩ"], ["a"]), Expectation("\\p{^Greek}", ["a"], ["α"]),
    Expectation("\\P{^Greek}", ["α"], ["a"]), Expectation("[^\\p{Cyrillic}]", ["a"], ["ж"]),
    Expectation("\\p{Han}\\p{Hiragana}", ["日の"], ["日本"]), Expectation("\\p{Nd}", ["٣"], ["x"]),
    Expectation("[\\PL\\d]", ["5", "!"], ["a"]), Expectation("\\p{Any}", ["\n"], [""]),
    Expectation("^a||b$", ["x", ""], []), Expectation("^.{3}$", ["a😀é", "日本語"], ["ab", "abcd"]),
    Expectation("x*", ["", "y"], []), Expectation("(?U)^a+$", ["aaa"], ["b"]),
    Expectation(
      "^secrets/.*\\.sops\\.ya?ml$", ["secrets/a/b.sops.yaml"], ["a/secrets/b.sops.yaml"]),
  ]

  @Test("in every rule of the syntax", arguments: expectations)
  func table(_ expectation: Expectation) throws {
    let pattern = try RE2Pattern(expectation.pattern)
    for text in expectation.yes {
      #expect(pattern.matches(text), "should match \(text.debugDescription)")
    }
    for text in expectation.no {
      #expect(!pattern.matches(text), "should not match \(text.debugDescription)")
    }
  }

  @Test("and every byte that is no UTF-8 counts as one U+FFFD")
  func invalidBytes() throws {
    let three = try RE2Pattern("^\\x{FFFD}{3}$")
    for bytes: [UInt8] in [
      [0xFF, 0xFE, 0x80], [0xE2, 0x82, 0xC3], [0xF0, 0x9F, 0x98], [0xED, 0xA0, 0x80],
      [0xC0, 0x80, 0xF5],
      [0xE0, 0x80, 0x80],
    ] {
      #expect(three.matches(bytes))
    }
    #expect(try RE2Pattern("^a.b$").matches([0x61, 0xFF, 0x62]))
    #expect(try RE2Pattern("^a😀$").matches([0x61, 0xF0, 0x9F, 0x98, 0x80]))
  }

  @Test("in time that grows with the text, where others take for ever")
  func linear() throws {
    let text = String(repeating: "a", count: 3000)
    for pattern in [
      "^(a+)+$b", "(a|aa)+$b", "^(a*)*b$", "(?:a?){300}a{300}b", "(.*)(.*)(.*)(.*)x$",
    ] {
      #expect(try !RE2Pattern(pattern).matches(text))
    }
  }

  @Test("and agree with Python on what both read alike")
  func python() throws {
    var random = SplitMix(state: 20_240_611)
    let patterns = (0..<600).map { _ in RandomPattern.draw(&random, depth: 3) }
    let texts = (0..<40).map { _ in RandomPattern.text(&random) }
    let input = try JSONSerialization.data(withJSONObject: [patterns, texts])
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("helix-patterns-\(UUID().uuidString).json")
    try input.write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let script = """
      import json, re, sys
      patterns, texts = json.load(open(sys.argv[1]))
      for pattern in patterns:
          found = re.compile(pattern, re.ASCII)
          print("".join("1" if found.search(text) else "0" for text in texts))
      """
    let ran = try run("python3", ["-c", script, file.path])
    try #require(ran.status == 0, "\(ran.all)")
    let answers = ran.output.split(separator: "\n").map(String.init)
    try #require(answers.count == patterns.count)
    for (pattern, answer) in zip(patterns, answers) {
      let read = try RE2Pattern(pattern)
      let ours = texts.map { read.matches($0) ? "1" : "0" }.joined()
      #expect(ours == answer, "\(pattern)")
    }
  }
}

/// Patterns that mean the same to Python and to RE2, and that Python matches in sensible time.
private enum RandomPattern {
  static func text(_ random: inout SplitMix) -> String {
    let letters = ["a", "b", "c", "A", "1", "_", " ", "-", "\n", "é"]
    return (0..<Int.random(in: 0...10, using: &random)).map { _ in
      letters[Int.random(in: 0..<letters.count, using: &random)]
    }.joined()
  }

  static func draw(
    _ random: inout SplitMix, depth: Int, isRepeated: Bool = false
  ) -> String {
    let choices = Int.random(in: 0..<4, using: &random) == 0 ? 2 : 1
    return (0..<choices).map { _ in
      (0..<Int.random(in: 0...3, using: &random)).map { _ in
        piece(&random, depth: depth, isRepeated: isRepeated)
      }.joined()
    }.joined(separator: "|")
  }

  private static func piece(
    _ random: inout SplitMix, depth: Int, isRepeated: Bool
  ) -> String {
    let atoms = [
      "a", "b", "c", "1", ".", "[ab]", "[^a]", "[a-c_]", "\\d", "\\w", "\\W", "\\S", "\\x61",
      "[\\d-]",
    ]
    // Not $, which for Python also stands before a last line feed.
    let places = ["^", "\\b", "\\A", "(?m:^)", "(?m:$)"]
    if Int.random(in: 0..<8, using: &random) == 0 { return one(of: places, &random) }
    // A repetition of repetitions would keep Python busy for ever.
    let signs =
      isRepeated
      ? ["", "?", "??"]
      : ["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "*?", "+?", "??", "{1,3}?"]
    let sign = one(of: signs, &random)
    guard depth > 0, Int.random(in: 0..<3, using: &random) == 0 else {
      return one(of: atoms, &random) + sign
    }
    let inner = draw(&random, depth: depth - 1, isRepeated: isRepeated || sign.count > 0)
    return one(of: ["(", "(?:", "(?s:", "(?i:"], &random) + inner + ")" + sign
  }

  private static func one(of words: [String], _ random: inout SplitMix) -> String {
    words[Int.random(in: 0..<words.count, using: &random)]
  }
}

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
