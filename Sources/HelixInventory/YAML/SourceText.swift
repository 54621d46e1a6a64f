internal import HelixModel

/// A text by lines, so that marks can be checked against what stands at them.
struct SourceText {
  let file: String
  /// Without their line ends.
  private(set) var lines: [[Unicode.Scalar]]

  init(_ text: String, file: String) {
    self.file = file
    lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map {
      var line = Array($0)
      if line.last == "\r" { line.removeLast() }
      return line
    }
  }

  /// What stands from a place to the end of its line; line and column are one-based.
  func rest(line: Int, column: Int) -> ArraySlice<Unicode.Scalar> {
    guard lines.indices.contains(line - 1), column >= 1, column <= lines[line - 1].count else {
      return []
    }
    return lines[line - 1][(column - 1)...]
  }

  /// A place, moved to the end of the text when it lies behind it.
  func location(line: Int, column: Int, length: Int = 1) -> SourceLocation {
    guard line <= lines.count else {
      let last = lines.lastIndex { !$0.isEmpty } ?? 0
      return SourceLocation(
        file: file, line: last + 1, column: max(1, lines[last].count), length: 1)
    }
    return SourceLocation(file: file, line: line, column: column, length: max(1, length))
  }

  /// Puts another scalar where one stands; line and column are zero-based.
  mutating func replaceScalar(line: Int, column: Int, with scalar: Unicode.Scalar) {
    lines[line][column] = scalar
  }

  /// How many characters a scalar takes on the line where it begins.
  func length(ofScalar value: String, line: Int, column: Int) -> Int {
    let rest = rest(line: line, column: column)
    guard let first = rest.first else { return 1 }
    guard first == "\"" || first == "'" else {
      return rest.starts(with: value.unicodeScalars) ? value.unicodeScalars.count : 1
    }
    var escaped = false
    for (offset, scalar) in rest.dropFirst().enumerated() {
      if escaped {
        escaped = false
      } else if scalar == "\\", first == "\"" {
        escaped = true
      } else if scalar == first {
        return offset + 2
      }
    }
    return rest.count
  }
}
