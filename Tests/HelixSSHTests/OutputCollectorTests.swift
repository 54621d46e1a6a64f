import HelixModel
import Testing

@testable import HelixSSH

@Suite("what a command says")
struct OutputCollectorTests {
  private func collect(_ pieces: [String], limit: Int = 100) -> OutputCollector {
    var collector = OutputCollector(marker: "mark", limit: limit)
    for piece in pieces { Array(piece.utf8).withUnsafeBytes { collector.take($0) } }
    return collector
  }

  @Test("begins after the marker's line, however the pieces fall")
  func anySplit() {
    let text = "noise\nmore mark 42\nout\nput"
    for first in 0...text.count {
      let start = text.prefix(first)
      let collector = collect([String(start), String(text.dropFirst(first))])
      #expect(collector.announcement == "42")
      #expect(collector.text == "out\nput")
      #expect(collector.noiseLines == ["noise", "more "])
    }
    #expect(collect(text.map(String.init)).text == "out\nput")
  }

  @Test("is cut at the limit, and says so")
  func limit() {
    #expect(collect(["mark 1\nabc", "def"], limit: 4).text == "abcd")
    #expect(collect(["mark 1\nabc", "def"], limit: 4).isTruncated)
    #expect(!collect(["mark 1\nabcd"], limit: 4).isTruncated)
  }

  @Test("is nothing without a marker, and noise is bounded")
  func noise() {
    let flood = collect(Array(repeating: String(repeating: "x", count: 1000) + "\n", count: 200))
    #expect(flood.announcement == nil)
    #expect(flood.text.isEmpty)
    #expect(flood.noiseLines.count == 5)
    #expect(collect(["\u{1B}[31mred"]).noiseLines == ["\u{FFFD}[31mred"])
  }
}
