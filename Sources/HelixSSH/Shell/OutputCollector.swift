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
  private var kept: [UInt8] = []
  /// What follows the marker on its own line, once it has come.
  private(set) var announcement: String?
  /// Output beyond the limit was thrown away.
  private(set) var isTruncated = false

  init(marker: String, limit: Int) {
    self.marker = Array(marker.utf8)
    self.limit = limit
  }

  /// Takes the stream's next bytes.
  mutating func take(_ bytes: UnsafeRawBufferPointer) {
    guard announcement == nil else { return keep(bytes) }
    noise.append(contentsOf: bytes)
    findMarker()
    if announcement == nil, noise.count > Self.noiseLimit {
      noise.removeFirst(noise.count - Self.noiseLimit / 2)
    }
  }

  private mutating func findMarker() {
    guard let start = noise.firstRange(of: marker)?.lowerBound,
      let end = noise[start...].firstIndex(of: UInt8(ascii: "\n"))
    else { return }
    announcement = printable(noise[(start + marker.count)..<end].drop { $0 == UInt8(ascii: " ") })
    let rest = noise[(end + 1)...]
    rest.withUnsafeBytes { keep($0) }
    noise = Array(noise[..<start])
  }

  private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
    let room = limit - kept.count
    if bytes.count > room { isTruncated = true }
    kept.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes.prefix(max(0, room))))
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
