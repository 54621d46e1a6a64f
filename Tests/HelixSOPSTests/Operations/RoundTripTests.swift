import HelixAge
import HelixModel
import Testing

@testable import HelixSOPS

/// A plain document made from a number, in the forms that people write.
struct GeneratedText {
  private var random: CountingGenerator
  private(set) var text = ""

  static func make(_ format: SOPSFormat, seed: UInt64) -> String {
    var made = GeneratedText(random: CountingGenerator(seed: seed))
    switch format {
    case .yaml: made.yaml()
    case .json: made.text = made.json(depth: 0) + "\n"
    case .dotenv: made.dotenv()
    case .ini: made.ini()
    case .binary: made.text = made.random.bytes(9).map { "\($0)\r\n" }.joined()
    }
    return made.text
  }

  private mutating func pick<Choice>(_ choices: [Choice]) -> Choice {
    choices[Int(random.next() % UInt64(choices.count))]
  }

  private mutating func key() -> String {
    pick(["a", "data", "key_unencrypted", "secret", "Token", "x.y", "b-c"])
      + "\(random.next() % 1000)"
      + pick(["", "", "_unencrypted", "_secret"])
  }

  private mutating func yaml() {
    if pick([true, false]) { text += "# at the top\n" }
    map(indent: 0, depth: 0)
    if pick([true, false, false]) {
      text += "---\n"
      map(indent: 0, depth: 2)
    }
  }

  private mutating func map(indent: Int, depth: Int) {
    let blanks = String(repeating: " ", count: indent)
    var keys: Set<String> = []
    for _ in 0..<pick([1, 2, 4]) {
      let key = key()
      guard keys.insert(key).inserted else { continue }
      if pick([true, false, false]) { text += "\(blanks)# about \(key)\n" }
      if pick([true, false, false, false, false]) { text += "\n" }
      text += "\(blanks)\(key):"
      switch pick(depth < 3 ? [0, 0, 0, 1, 2] : [0]) {
      case 1:
        text += "\n"
        map(indent: indent + pick([2, 4]), depth: depth + 1)
      case 2:
        text += "\n"
        for _ in 0..<pick([1, 3]) { text += "\(blanks)  - \(scalar())\n" }
      default: text += " \(scalar())\(pick(["", "", "  # beside"]))\n"
      }
    }
  }

  private mutating func scalar() -> String {
    pick([
      "word", "two words", "\"quoted \\\" text\"", "'single ''quote'''", "7", "-3", "0.5", "true",
      "false", "~", "null", "\"\"", "''", "\"1\"", "'true'", "\"öäü ✓\"", "1.2.3",
      "2001-12-14T21:59:43Z", "a#b", "\"a: b # c\"", "9223372036854775807",
    ])
  }

  private mutating func json(depth: Int) -> String {
    let blanks = String(repeating: "  ", count: depth + 1)
    var keys: Set<String> = []
    var fields: [String] = []
    for _ in 0..<pick([1, 2, 4]) {
      let key = key()
      guard keys.insert(key).inserted else { continue }
      let value =
        switch pick(depth < 3 ? [0, 0, 1, 2] : [0]) {
        case 1: json(depth: depth + 1)
        case 2: "[1, \"x\", {\"in\": true}, []]"
        default: pick(["\"text\"", "\"é\\n\"", "7", "0.5", "true", "null", "\"\"", "-12"])
        }
      fields.append("\(blanks)\"\(key)\": \(value)")
    }
    return "{\n" + fields.joined(separator: ",\n") + "\n" + blanks.dropLast(2) + "}"
  }

  private mutating func dotenv() {
    for _ in 0..<pick([2, 5]) {
      if pick([true, false]) { text += "# words\n" }
      text += "\(key())=\(pick(["", "one", "\"kept\"", "a=b # c", "two\\nlines", " blank "]))\n"
      if pick([true, false, false]) { text += "\n" }
    }
  }

  private mutating func ini() {
    for number in 0..<pick([1, 3]) {
      text += "[section\(number)]\n"
      if pick([true, false]) { text += "; words\n" }
      for _ in 0..<pick([1, 3]) { text += "\(key()) = \(pick(["one", "two words", "7"]))\n" }
    }
  }
}

/// A rule and whether it counts encrypted values only.
struct RuleCase: Sendable {
  let rule: SelectionRule?
  let macOnly: Bool

  static let all: [RuleCase] = [
    RuleCase(rule: nil, macOnly: false), RuleCase(rule: .encryptedSuffix("_secret"), macOnly: true),
    RuleCase(rule: .encryptedRegex("^(data|secret)"), macOnly: false),
    RuleCase(rule: .unencryptedRegex("[xX]\\.y|^a[0-9]"), macOnly: true),
    RuleCase(rule: .encryptedCommentRegex("about|words"), macOnly: false),
    RuleCase(rule: .unencryptedCommentRegex("about"), macOnly: false),
  ]
}

@Suite("what is encrypted")
struct RoundTripTests {
  @Test(
    "opens to the same bytes, and no line changes that holds nothing secret",
    arguments: SOPSFormat.allCases, 0..<40)
  func roundTrip(format: SOPSFormat, seed: Int) throws {
    let key = try TestKey(seed: 1)
    let plain = GeneratedText.make(format, seed: UInt64(seed))
    for rule in RuleCase.all {
      let bytes: [UInt8]
      do {
        bytes = try key.encrypt(plain, format, rule: rule.rule, macOnlyEncrypted: rule.macOnly)
      } catch SOPSProblem.nothingSelected {
        continue
      }
      let document = try key.open(bytes, format)
      #expect(
        String(decoding: try document.decrypted(), as: UTF8.self) == plain, "\(rule)\n\(plain)")
      guard format == .yaml || format == .dotenv else { continue }
      let lines = Set(String(decoding: bytes, as: UTF8.self).split(separator: "\n"))
      let touched = Set(document.leaves.filter(\.isEncrypted).map(\.item.location.line))
      for (number, line) in plain.split(separator: "\n", omittingEmptySubsequences: false)
        .enumerated()
      where !touched.contains(number + 1) && !line.isEmpty && document.sealed.text.documents == 1 {
        #expect(lines.contains(line), "line \(number + 1) changed:\n\(plain)")
      }
    }
  }

  @Test(
    "keeps the ciphertext of what an edit leaves alone, and shares no IV",
    arguments: SOPSFormat.allCases, 0..<20)
  func edit(format: SOPSFormat, seed: Int) throws {
    let key = try TestKey(seed: 1)
    let plain = GeneratedText.make(format, seed: UInt64(seed))
    guard let first = try? key.encrypt(plain, format) else { return }
    let document = try key.open(first, format)
    var random = CountingGenerator(seed: 99)
    #expect(
      try document.reencrypted(Array(plain.utf8), tools: .test, random: &random) == nil)
    let words = [
      (": 7", ": 8"), (": -12", ": -13"), ("= one", "= uno"), ("=one", "=uno"),
      ("word\n", "note\n"),
      ("1\r\n", "2\r\n"),
    ]
    let edited = words.reduce(plain) { $0.replacing($1.0, with: $1.1) }
    guard edited != plain else { return }
    let second = try #require(
      try document.reencrypted(Array(edited.utf8), tools: .test, random: &random))
    let after = try key.open(second, format)
    #expect(String(decoding: try after.decrypted(), as: UTF8.self) == edited)
    var plainOfIV: [[UInt8]: [UInt8]] = [:]
    for leaf in document.leaves + after.leaves {
      guard let text = leaf.ciphertext, let cipher = CipherText(Array(text.utf8)) else { continue }
      let plain = leaf.binding + (leaf.value.canonicalBytes ?? [])
      #expect(
        plainOfIV.updateValue(plain, forKey: cipher.iv) ?? plain == plain, "an IV was used twice")
    }
    for (old, new) in zip(document.leaves, after.leaves) where old.value.isSame(as: new.value) {
      #expect(old.ciphertext == new.ciphertext)
    }
  }
}
