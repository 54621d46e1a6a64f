import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSOPS

@Suite("values are replaced where they stand")
struct TextReplacingTests {
  @Test(
    "nothing replaced changes nothing, in published files",
    .enabled(if: PublishedFiles.isPresent, "../shared/data is missing"),
    arguments: ["files", "plain", "negative"])
  func identity(part: String) throws {
    for file in PublishedFiles.files(in: part) {
      let text: SOPSText
      do {
        text = try SOPSText.parse(file.bytes, format: file.format, file: file.name)
      } catch {
        #expect(part == "negative", "\(file.name): \(error)")
        continue
      }
      #expect(!text.items.isEmpty, "\(file.name)")
      #expect(try text.replacing([:], metadata: text.metadata) == file.bytes, "\(file.name)")
      #expect((text.metadata != nil) == (part != "plain") || part == "negative", "\(file.name)")
    }
  }

  @Test("made-up YAML is encrypted and comes back with the same values", arguments: 0..<20)
  func roundTrip(block: Int) throws {
    for number in 0..<60 {
      let seed = UInt64(200_000 + block * 1000 + number)
      try roundTrip(YAMLMaker.make(seed: seed), "seed \(seed)")
    }
  }

  private func roundTrip(_ text: String, _ name: String) throws {
    let plain = try SOPSText.parse(text)
    #expect(try plain.replacing([:], metadata: nil) == Array(text.utf8), "\(name)")
    var edits: [Int: Replacement] = [:]
    for (index, item) in plain.items.enumerated()
    where item.value != .null && item.value != .text([]) {
      edits[index] = .ciphertext(ciphertext(index))
    }
    let block = MetadataValue.fields([
      .init("version", .text("3.11.0")), .init("mac", .text(ciphertext(0))),
      .init("lastmodified", .text("2026-01-02T03:04:05Z")),
      .init(
        "age",
        .list([
          .fields([
            .init("recipient", .text("age1x")), .init("enc", .text("-----BEGIN\na\n-----END\n")),
          ])
        ])),
    ])
    let bytes: [UInt8]
    do {
      bytes = try plain.replacing(edits, metadata: block)
    } catch {
      // Below an alias of a map or list nothing can be encrypted.
      guard plain.hasContainerAlias else { throw error }
      return
    }
    let encrypted = try SOPSText.parse(bytes, format: .yaml, file: name)
    #expect(
      encrypted.metadata == block.sorted,
      "\(name)\n\(text)\n\(String(decoding: bytes, as: UTF8.self))")
    #expect(
      plain.untouched(but: edits)
        == (try SOPSText.parse(plain.replacing(edits, metadata: nil), format: .yaml, file: name))
        .untouched(but: edits), "\(name)\n\(text)")
    guard encrypted.items.count == plain.items.count else {
      Issue.record(
        "\(name): \(plain.items.count) became \(encrypted.items.count)\n\(text)\n\(String(decoding: bytes, as: UTF8.self))"
      )
      return
    }
    var back: [Int: Replacement] = [:]
    for (index, item) in encrypted.items.enumerated() {
      #expect(item.place == plain.items[index].place, "\(name)\n\(text)")
      guard edits[index] != nil else {
        #expect(item.value == plain.items[index].value)
        continue
      }
      let now = Array(ciphertext(index).utf8)
      #expect(item.value == .text(now) || item.value == .comment(now), "\(name) \(index)")
      back[index] = .value(plain.items[index].value)
    }
    let decrypted = try encrypted.replacing(back, metadata: nil)
    let result = try SOPSText.parse(decrypted, format: .yaml, file: name)
    #expect(result.metadata == nil)
    #expect(
      result.typed == plain.typed,
      "\(name)\n\(text)\n-- became\n\(String(decoding: decrypted, as: UTF8.self))\n-- from\n\(String(decoding: bytes, as: UTF8.self))"
    )
    #expect(result.items.map(\.value) == plain.items.map(\.value), "\(name)")
  }
}

extension SOPSText {
  /// The bytes outside of the items that edits replace.
  func untouched(but edits: [Int: Replacement]) -> String {
    guard case .tree(let body) = body else { return "" }
    let layout = TextLayout(bytes)
    var ranges: [Range<Int>] = []
    for index in edits.keys {
      switch body.spots[index] {
      case .comment(let comment):
        ranges.append(body.tree.comments[comment].start..<body.tree.comments[comment].end)
      case .alias: break
      case .node(let number):
        let node = body.tree.nodes[number]
        guard node.style == .literal || node.style == .folded, let extras = body.tree.extras[number]
        else {
          ranges.append(node.start..<node.end)
          continue
        }
        let header = bytes[node.start...].prefix { Array("|>+-123456789".utf8).contains($0) }
        ranges.append(header.startIndex..<header.endIndex)
        let content = layout.beforeBreak(extras.contentStart)
        if node.end > content { ranges.append(content..<node.end) }
      }
    }
    var result = ""
    var position = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound })
    where range.lowerBound >= position {
      result += String(decoding: bytes[position..<range.lowerBound], as: UTF8.self) + "‹›"
      position = range.upperBound
    }
    // A block leaves two holes, and what takes its place one.
    return (result + String(decoding: bytes[position...], as: UTF8.self))
      .replacing("‹›", with: "")
  }

  var hasContainerAlias: Bool {
    guard case .tree(let body) = body else { return false }
    return body.tree.extras.values.contains {
      $0.target.map { body.tree.nodes[$0].kind != .scalar } ?? false
    }
  }
}
