/// Changes of a text, each of a stretch of its bytes.
struct Splices {
  private var all: [(range: Range<Int>, text: [UInt8])] = []

  var isEmpty: Bool { all.isEmpty }

  mutating func replace(_ range: Range<Int>, with text: [UInt8]) {
    all.append((range, text))
  }

  mutating func replace(_ range: Range<Int>, with text: String) {
    replace(range, with: Array(text.utf8))
  }

  mutating func insert(_ text: [UInt8], at offset: Int) {
    replace(offset..<offset, with: text)
  }

  /// The text with all changes made; what two of them claim goes to the first.
  func applied(to bytes: [UInt8]) -> [UInt8] {
    guard !all.isEmpty else { return bytes }
    let ordered = all.enumerated().sorted { left, right in
      (left.element.range.lowerBound, left.offset) < (right.element.range.lowerBound, right.offset)
    }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + ordered.reduce(0) { $0 + $1.element.text.count })
    var position = 0
    for (_, change) in ordered where change.range.lowerBound >= position {
      result += bytes[position..<change.range.lowerBound]
      result += change.text
      position = change.range.upperBound
    }
    return result + bytes[position...]
  }
}
