import HelixModel

/// Why a text cannot be read, and where; it never quotes the text, which may be secret.
struct TextFault: Error {
  var reason: String
  var offset: Int

  init(_ reason: String, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// The words for people.
  func diagnostic(format: SOPSFormat, file: String, bytes: [UInt8]) -> Diagnostic {
    var cursor = PlaceCursor(file: file, bytes: bytes)
    return Diagnostic(
      "cannot be read as \(format.title)", reason: reason, at: cursor.location(of: offset))
  }
}

extension SOPSFormat {
  /// The format's name in sentences.
  var title: String {
    switch self {
    case .yaml: "YAML"
    case .json: "JSON"
    case .dotenv: "dotenv"
    case .ini: "INI"
    case .binary: "a binary file's JSON"
    }
  }
}

/// Lines and columns of ascending offsets, each byte looked at once.
struct PlaceCursor {
  private let file: String
  private let bytes: [UInt8]
  private var offset = 0
  private var line = 1
  private var column = 1

  init(file: String, bytes: [UInt8]) {
    self.file = file
    self.bytes = bytes
  }

  /// The place of an offset; one before the last costs a fresh start.
  mutating func location(of wanted: Int) -> SourceLocation {
    if wanted < offset { (offset, line, column) = (0, 1, 1) }
    let end = min(wanted, bytes.count)
    while offset < end {
      let byte = bytes[offset]
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
      offset += 1
    }
    return SourceLocation(file: file, line: line, column: column)
  }
}

/// What a text may ask of memory and stack before it is refused.
enum TextLimit {
  /// Levels of maps and lists; far more than any file that people keep secrets in.
  static let depth = 200

  /// How many values, keys and comments a text of this size may hold: enough for all but texts
  /// made of nothing else, and few enough to bound what reading takes to a multiple of its size.
  static func nodes(in size: Int) -> Int { 40_000 + size / 24 }

  static let tooDeep = "maps and lists are nested more than \(depth) levels deep"
  static let tooMany = "there are too many values for a text of this size"
}
