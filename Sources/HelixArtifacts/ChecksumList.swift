/// A release's list of checksums, as `sha256sum` writes it.
struct ChecksumList: Sendable, Equatable {
  /// What is wrong with a text that should be a list.
  struct Malformed: Error, Equatable {
    /// One-based.
    let line: Int
  }

  private let sums: [String: String]

  /// Reads a whole list strictly: a line that is not understood makes all of it worthless, because
  /// half a list is how a cut download looks.
  init(_ text: String) throws(Malformed) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    // A list ends with a newline; without one its last name may be cut.
    guard let last = lines.popLast(), last.isEmpty, !lines.isEmpty else {
      throw Malformed(line: max(lines.count, 1))
    }
    var sums: [String: String] = [:]
    for (index, line) in lines.enumerated() {
      guard let (name, sum) = Self.entry(line), sums[name] == nil || sums[name] == sum else {
        throw Malformed(line: index + 1)
      }
      sums[name] = sum
    }
    self.sums = sums
  }

  /// The checksum of a file, in lower-case hex.
  subscript(file: String) -> String? { sums[file] }

  /// The files that the list names, in order.
  var files: [String] { sums.keys.sorted() }

  /// 64 hex digits, a space, a space or the `*` of binary mode, and a file name.
  private static func entry(_ line: Substring) -> (name: String, sum: String)? {
    let bytes = Array(line.utf8)
    guard bytes.count > 66, bytes[..<64].allSatisfy(isHexDigit), bytes[64] == 0x20,
      bytes[65] == 0x20 || bytes[65] == 0x2A
    else { return nil }
    let name = String(decoding: bytes[66...], as: UTF8.self)
    guard !name.utf8.contains(where: { $0 <= 0x20 || $0 == 0x2F || $0 == 0x5C }) else {
      return nil
    }
    return (name, String(decoding: bytes[..<64], as: UTF8.self))
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
    default: false
    }
  }
}
