package import HelixModel

/// Where a template's text was written; decides how places are counted and how `\` is read.
package enum TextOrigin: Sendable {
  /// The text is a whole template file; strings in its expressions know `\n` and its like.
  case file(String)
  /// The text is a YAML scalar that begins at a place. YAML has already read its backslashes, so
  /// that in expressions they stand for themselves, as with Ansible. The reader serves messages:
  /// with it, they point into the scalar, without it, at its start.
  case scalar(SourceLocation, (any SourceReader)?)

  /// Where the text begins.
  package var start: SourceLocation {
    switch self {
    case .file(let name): SourceLocation(file: name, line: 1, column: 1)
    case .scalar(let location, _): location
    }
  }
}
