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

/// Lines and columns of offsets near each other, so that asking for all costs no more than a pass.
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

  /// The place of an offset.
  mutating func location(of wanted: Int) -> SourceLocation {
    if wanted < offset { goBack(to: wanted) }
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

  /// Goes back to the start of the line of an offset; on the same line only as far as needed.
  private mutating func goBack(to wanted: Int) {
    var hasLeftLine = false
    while offset > wanted || hasLeftLine && offset > 0 && bytes[offset - 1] != 0x0A {
      offset -= 1
      if bytes[offset] == 0x0A {
        line -= 1
        hasLeftLine = true
      } else if bytes[offset] & 0xC0 != 0x80 {
        column -= 1
      }
    }
    if hasLeftLine { column = 1 }
  }
}
