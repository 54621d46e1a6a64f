/// A place in a text file that a person can jump to.
package struct SourceLocation: Hashable, Sendable, Codable {
  /// The path as the user wrote or would write it, never made absolute.
  package let file: String
  /// One-based.
  package let line: Int
  /// One-based, in characters.
  package let column: Int
  /// How many characters the marker underlines.
  package let length: Int

  package init(file: String, line: Int, column: Int, length: Int = 1) {
    self.file = file
    self.line = line
    self.column = column
    self.length = length
  }
}

extension SourceLocation: Comparable {
  package static func < (left: SourceLocation, right: SourceLocation) -> Bool {
    (left.file, left.line, left.column) < (right.file, right.line, right.column)
  }
}

extension SourceLocation: CustomStringConvertible {
  package var description: String { "\(file):\(line):\(column)" }
}

/// A value and the place where it was written.
package struct Located<Wrapped: Sendable>: Sendable {
  package var value: Wrapped
  package var location: SourceLocation

  package init(_ value: Wrapped, at location: SourceLocation) {
    self.value = value
    self.location = location
  }
}

extension Located: Equatable where Wrapped: Equatable {}
extension Located: Hashable where Wrapped: Hashable {}
