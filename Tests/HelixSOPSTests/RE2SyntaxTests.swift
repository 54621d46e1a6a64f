import HelixModel
import Testing

@testable import HelixSOPS

@Suite("patterns are read as Go's regexp reads them")
struct RE2SyntaxTests {
  @Test(
    "what RE2 accepts is accepted",
    arguments: [
      "", "|", "|x|", ".", "^", "$", "^*", "()", "()*", "(?:)", "(?)", "(?i)", "a(?i)*",
      "a*(?i)*", "a|b", "(a)|b", "a{2}", "a{2,}", "a{2,3}", "a{0}", "a{0,0}", "a{1000}",
      "a{2,3}?", "a*?", "a+?", "a??", "{", "}", "]", "a{,2}", "a{01}", "a{1,02}", "x{1001",
      "x{2,1", "x{9876543210,", "a*{", "a{2", "a{ 2}", "\\_", "\\-", "\\ ", "\\/", "\\<", "\\\"",
      "\\a\\f\\n\\r\\t\\v", "\\012", "\\10", "\\0", "\\777", "\\x41", "\\x{41}", "\\x{10FFFF}",
      "\\x{000041}", "\\Qa.b\\E", "\\Q", "\\Qa", "a\\Q\\E*", "\\Qab\\E+", "\\Q\\\\E",
      "\\A\\z\\b\\B",
      "[a]", "[]]", "[^]]", "[]a]", "[a-]", "[-a]", "[a-b-c]", "[a\\-z]", "[\\]]", "[\\d-z]",
      "[[:alpha:]]", "[[:^alpha:]]", "[[:alpha]", "[[a]", "[:alpha:]", "[\\x{41}-\\x7a]", "[\\n]",
      "\\d\\D\\s\\S\\w\\W", "[\\d\\S]", "[^\\s\\S]", "\\pL", "\\PL", "\\p{Lu}", "\\P{^Lu}",
      "\\p{Greek}",
      "\\p{Han}", "\\p{Any}", "[\\p{Lu}\\pN]", "(?i)a", "(?im)a", "(?i-s)a", "(?-i)a", "(?i:a)",
      "(?U)a*", "(?P<name>a)", "(?<name>a)", "(?P<n>a)(?P<n>b)", "(?P<1_a>x)",
      "^(data|stringData)$",
      "^(data | stringData)$", "(?i)pass(word|wd)?", "a(b(c|d)*)+?e", "((((x{2}){2}){2}){2})",
      "(?:[a-z]{4}){0,250}", "(x{0}){1000}", "é+", "日本", "[α-ε☺]",
    ])
  func accepted(pattern: String) throws {
    _ = try RE2Pattern(pattern)
  }

  @Test(
    "what RE2 refuses is refused, with the place",
    arguments: [
      ("^(?!metadata)", 1), ("(?=a)", 0), ("a(?<=b)", 1), ("(?<!b)a", 0), ("(?>a)", 0),
      ("(?#x)a", 0),
      ("(?|a|b)", 0), ("(?P=name)", 0), ("(?P>name)", 0), ("(?'n'a)", 0), ("(?R)", 0), ("(?x)a", 0),
      ("(?i", 0), ("(?i-)a", 0), ("(?--i)a", 0), ("(?:", 0), ("(", 0), ("x(a", 1), (")", 0),
      ("a)", 1), ("(a))", 3), ("a|b|)", 4), ("(a|b|", 0), ("[a-z", 0), ("x[", 1), ("[]", 0),
      ("[^]", 0),
      ("a++", 1), ("a*+", 1), ("a?+", 1), ("a**", 2), ("a+*", 2), ("a{2}{3}", 4), ("a{2}*", 4),
      ("*", 0), ("+a", 0), ("a|*", 2), ("(*)", 1), ("(?i)*", 4), ("{2}", 0), ("|{1}", 1),
      ("\\Q\\E*", 4),
      ("x{1001}", 1), ("x{1001,}", 1), ("x{1,1001}", 1), ("x{9876543210}", 1), ("x{2,1}", 1),
      ("(x{500}){3}", 8), ("(?:[a-z]{4}){0,251}", 12), ("(a)\\1", 3), ("\\8", 0), ("\\k<n>", 0),
      ("\\Z", 0), ("\\C", 0), ("\\h", 0), ("\\R", 0), ("\\G", 0), ("\\e", 0), ("\\é", 0),
      ("\\q", 0),
      ("a\\", 1), ("\\x", 0), ("\\x4", 0), ("\\xg1", 0), ("\\x{}", 0), ("\\x{41", 0),
      ("\\x{110000}", 0),
      ("\\x{4g}", 0), ("[b-a]", 1), ("[a-\\d]", 3), ("[\\b]", 1), ("[\\Qa\\E]", 1),
      ("[[:foo:]]", 1),
      ("[[:Alpha:]]", 1), ("[[:a]b:]", 1), ("\\p", 0), ("\\p{", 0), ("\\p{Foo}", 0), ("\\pQ", 0),
      ("\\p{greek}", 0), ("\\p{Cn}", 0), ("\\p{L", 0), ("(?P<>a)", 0), ("(?P<x y>a)", 0),
      ("(?P<n", 0),
      ("(?<n>", 0), ("(?<é>a)", 0),
    ])
  func refused(pattern: String, offset: Int) {
    #expect { _ = try RE2Pattern(pattern) } throws: { error in
      guard let problem = error as? RE2Problem else { return false }
      return problem.offset == offset && problem.pattern == pattern
        && problem.offset + problem.length <= max(1, pattern.unicodeScalars.count)
    }
  }

  @Test("lookahead says what SOPS would make of it")
  func dangerIsNamed() throws {
    let rule = SelectionRule.encryptedRegex("^(?!metadata)")
    do {
      _ = try Selection(rule)
      Issue.record("the pattern was read")
    } catch {
      let place = SourceLocation(file: ".sops.yaml", line: 3, column: 22)
      let words = error.diagnostic(
        in: "encrypted_regex", danger: rule.dangerOfBadPattern, at: place)
      #expect(words.summary.contains("\"(?!\" looks around"))
      #expect(words.summary.hasSuffix("at character 2"))
      #expect(words.reason?.contains("leave every value in plain text") == true)
    }
  }

  @Test("nesting and size have limits, and reaching them takes no stack and no time")
  func limits() throws {
    func nested(_ open: String, _ count: Int, _ close: String) -> String {
      String(repeating: open, count: count) + String(repeating: close, count: count)
    }
    _ = try RE2Pattern(nested("(", 999, ")"))
    _ = try RE2Pattern(nested("(?:", 999, ")*"))
    for pattern in [
      nested("(", 1000, ")"), nested("(?:", 1000, ")*"), nested("(", 30_000, ")"),
      nested("(?:", 5000, ")"),
      "(" + String(repeating: "(xx?)", count: 1000) + "){1000}",
      String(repeating: "(xx?){1000}", count: 1000), String(repeating: "a", count: 30_000),
      "[" + String(repeating: "[:", count: 9000),
      "\\p{" + String(repeating: "x", count: 9000) + "}",
      String(repeating: "a{1000}", count: 30),
    ] {
      #expect(throws: RE2Problem.self) { _ = try RE2Pattern(pattern) }
    }
  }
}
