/// Keeps the first part of a stream, from a marker on.
///
/// Login shells and their start files may print before a command gets its turn; the command is
/// wrapped so that it announces itself with a marker line, and what came before is not its output.
struct OutputCollector {
  /// Noise before the marker that is remembered, for errors.
  private static let noiseLimit = 64 * 1024

  private let marker: [UInt8]
  private let limit: Int
  private var noise: [UInt8] = []
  /// Where in the noise the marker may still begin: a host that says little at a time must not make
  /// us look through all of it each time.
  private var unsearched = 0
  private var kept: [UInt8] = []
  /// What follows the marker on its own line, once it has come.
  private(set) var announcement: String?
  /// Output beyond the limit was thrown away.
  private(set) var isTruncated = false

  init(marker: String, limit: Int) {
    self.marker = Array(marker.utf8)
    self.limit = limit
  }

  /// A collector of a stream whose marker has come already.
  init(announced announcement: String, limit: Int) {
    self.init(marker: "", limit: limit)
    self.announcement = announcement
  }

  /// Takes the stream's next bytes.
  mutating func take(_ bytes: UnsafeRawBufferPointer) {
    guard announcement == nil else { return keep(bytes) }
    let rest = takeNoise(bytes)
    rest.withUnsafeBytes { keep($0) }
  }

  /// Takes the stream's next bytes, and passes on what follows the marker instead of keeping it.
  mutating func take(
    _ bytes: UnsafeRawBufferPointer, passingOn pass: (UnsafeRawBufferPointer) -> Void
  ) {
    guard announcement == nil else { return pass(bytes) }
    let rest = takeNoise(bytes)
    if !rest.isEmpty { rest.withUnsafeBytes { pass($0) } }
  }

  /// Looks for the marker; what follows it is not noise.
  private mutating func takeNoise(_ bytes: UnsafeRawBufferPointer) -> ArraySlice<UInt8> {
    noise.append(contentsOf: bytes)
    let start = noise[unsearched...].firstRange(of: marker)?.lowerBound
    unsearched = start ?? max(unsearched, noise.count - marker.count)
    guard let start, let end = noise[start...].firstIndex(of: UInt8(ascii: "\n")) else {
      forgetOldNoise()
      return []
    }
    announcement = printable(noise[(start + marker.count)..<end].drop { $0 == UInt8(ascii: " ") })
    defer { noise = Array(noise[..<start]) }
    return noise[(end + 1)...]
  }

  private mutating func forgetOldNoise() {
    guard noise.count > Self.noiseLimit else { return }
    let surplus = noise.count - Self.noiseLimit / 2
    noise.removeFirst(surplus)
    unsearched = max(0, unsearched - surplus)
  }

  private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
    let room = limit - kept.count
    if bytes.count > room { isTruncated = true }
    kept.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes.prefix(max(0, room))))
  }

  /// Takes the last line that begins with a word out of what is kept; what followed the word.
  mutating func removeLine(_ word: String) -> String? {
    guard let start = kept.lastRange(of: Array("\n\(word) ".utf8)),
      let end = kept[start.upperBound...].firstIndex(of: UInt8(ascii: "\n"))
    else { return nil }
    defer { kept.removeSubrange(start.lowerBound...end) }
    return printable(kept[start.upperBound..<end])
  }

  /// The command's own output; invalid UTF-8 is replaced.
  var text: String { String(decoding: kept, as: UTF8.self) }

  /// How often some text stands in what came before the marker.
  func count(ofNoise text: String) -> Int {
    let pattern = Array(text.utf8)
    var count = 0
    var rest = noise[...]
    while let found = rest.firstRange(of: pattern) {
      count += 1
      rest = rest[found.upperBound...]
    }
    return count
  }

  /// The last lines of what came before the marker, or in its place.
  var noiseLines: [String] {
    noise.split { $0 == UInt8(ascii: "\n") }.suffix(5).map { printable($0) }
  }
}

extension [UInt8] {
  /// Where some bytes stand last.
  fileprivate func lastRange(of bytes: [UInt8]) -> Range<Int>? {
    var start = count - bytes.count
    while start >= 0 {
      if self[start] == bytes[0], self[start..<start + bytes.count].elementsEqual(bytes) {
        return start..<start + bytes.count
      }
      start -= 1
    }
    return nil
  }
}
