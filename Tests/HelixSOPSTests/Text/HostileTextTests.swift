import HelixModel
import Testing

@testable import HelixSOPS

@Suite("hostile text neither crashes nor takes for ever")
struct HostileTextTests {
  private func survive(_ bytes: [UInt8], _ format: SOPSFormat) {
    guard let text = try? SOPSText.parse(bytes, format: format, file: "x") else { return }
    var edits: [Int: Replacement] = [:]
    for index in text.items.indices.prefix(50) {
      edits[index] =
        index % 2 == 0 ? .ciphertext(ciphertext(index)) : .value(.text(Array("a\n b".utf8)))
    }
    _ = text.items.prefix(50).map { ($0.place, $0.comments, $0.containers) }
    #expect(
      (try? text.replacing([:], metadata: text.metadata)) == bytes || format == .binary
        || text.documents != 1)
    for metadata in [nil, MetadataValue.fields([.init("mac", .text("x"))]), text.metadata] {
      _ = try? text.replacing(edits, metadata: metadata)
    }
    if let place = text.items.first?.place {
      _ = try? text.excerpt(at: place)
      _ = try? text.setting(.list([.leaf(.integer(1))]), at: place + [.key("k")])
      _ = try? text.setting(
        .map([.init("x", .leaf(.null))]), at: Array(place.dropLast()) + [.key("new")])
    }
  }

  @Test("made-up bytes", arguments: SOPSFormat.allCases)
  func noise(format: SOPSFormat) {
    var random = SeededNumbers(UInt64(format.rawValue.utf8.count))
    let alphabet = Array(" \n\n\t:-#'\"[]{},&*!|>?%@`~ab1\\.\r=;sop_".utf8)
    for _ in 0..<800 {
      let count = Int.random(in: 0..<80, using: &random)
      survive(
        (0..<count).map { _ in
          Int.random(in: 0..<40, using: &random) == 0
            ? UInt8.random(in: 0...255, using: &random)
            : alphabet.randomElement(using: &random) ?? 0
        }, format)
    }
  }

  @Test("published and made-up files with bytes changed", arguments: SOPSFormat.allCases)
  func mutations(format: SOPSFormat) {
    var random = SeededNumbers(UInt64(90 + format.rawValue.utf8.count))
    let published = PublishedFiles.files(in: "files").filter { $0.format == format }.map(\.bytes)
    for number in 0..<200 {
      var bytes = published.randomElement(using: &random) ?? Array("{\"a\": \"b\"}\n".utf8)
      if format == .yaml, number % 2 == 0 {
        bytes = Array(YAMLMaker.make(seed: UInt64(number)).utf8)
      }
      for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
        let place = bytes.indices.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.remove(at: place)
        case 1: bytes[place] = UInt8.random(in: 0...127, using: &random)
        case 2: bytes.insert(bytes[place] ^ 2, at: place)
        default: bytes.removeSubrange(place..<min(place + 20, bytes.count))
        }
      }
      survive(bytes, format)
    }
  }

  @Test(
    "nesting is bounded",
    arguments: [
      ("", "[", SOPSFormat.yaml), ("", "- ", .yaml), ("", "{a: ", .yaml), ("", "? ", .yaml),
      ("", "{\"a\":", .json), ("{\"a\":", "[", .json), ("sops_a=1\nsops_a", "__map_b", .dotenv),
    ])
  func nesting(start: String, level: String, format: SOPSFormat) {
    let text = start + String(repeating: level, count: 50_000) + (format == .dotenv ? "=1" : "")
    #expect(throws: Diagnostic.self) { try SOPSText.parse(text, format) }
  }

  @Test("200 levels are read")
  func deep() throws {
    let depth = 198
    let text =
      "a: " + String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
    #expect(try SOPSText.parse(text).items.first?.place.count == depth + 1)
    survive(Array(text.utf8), .yaml)
  }

  @Test(
    "large texts of one thing over and over are read in one pass",
    arguments: [
      "- a\n", "a: b\n", "#\n", "# c\na:\n", "'", "\"\\\n", "[a,", "a b ", "&a a: *a\n",
      "a: |\n x\n\n", "? a\n", "{a,", ": ", "!a ",
      "a: 1 # c\n", "---\n", "a:\n #x\n", "- - ", "[a, b] # c\n", "é", "a\n\n\n", "\t", "%", "*a ",
      "x=1\n", "[s]\n", "; c\n", "x = `\n", "\"a\":1,", "\\u00",
    ])
  func repetition(_ part: String) {
    let bytes = Array(String(repeating: part, count: 20_000 / part.utf8.count).utf8)
    for format in SOPSFormat.allCases {
      survive(bytes, format)
      survive(Array("k:\n  - ".utf8) + bytes, format)
      survive(Array("{\"k\": [".utf8) + bytes + Array("1]}".utf8), format)
    }
  }

  @Test("aliases of aliases do not unfold without end")
  func laughs() {
    var text = "a0: &a0 [x, x]\n"
    for number in 1..<60 {
      text += "a\(number): &a\(number) [*a\(number - 1), *a\(number - 1)]\n"
    }
    #expect(throws: Diagnostic.self) { try SOPSText.parse(text) }
  }

  @Test("a text of nothing but tiny values is refused when it is large")
  func tooMany() {
    let text = "{\"a\": [" + String(repeating: "1,", count: 200_000) + "1]}"
    #expect(throws: Diagnostic.self) { try SOPSText.parse(text, .json) }
    #expect(throws: Diagnostic.self) { try SOPSText.parse(text, .yaml) }
  }
}
