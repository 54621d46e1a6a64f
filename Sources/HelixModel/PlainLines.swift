/// The last lines of a program's output as a person may see them: no escapes, no control
/// characters, no overlong lines, no blank lines at the end.
package func plainLines(_ text: String, last count: Int = 20, width: Int = 400) -> [String] {
  var lines = withoutEscapes(text)
    .split(separator: "\n", omittingEmptySubsequences: false)
    .map { line in
      let end = line.lastIndex { !$0.isWhitespace }
      let trimmed = end.map { line[...$0] } ?? ""
      return trimmed.count > width ? "\(trimmed.prefix(width))…" : String(trimmed)
    }
  while lines.last?.isEmpty == true { lines.removeLast() }
  return Array(lines.suffix(count))
}

/// Removes terminal escape sequences and control characters; a carriage return ends a line, as a
/// progress bar means it.
private func withoutEscapes(_ text: String) -> String {
  var plain = String.UnicodeScalarView()
  var scalars = text.unicodeScalars.makeIterator()
  while let scalar = scalars.next() {
    switch scalar {
    case "\u{1B}": skipEscape(&scalars)
    case "\n", "\r": plain.append("\n")
    case "\t": plain.append(" ")
    case "\u{0}"..<" ", "\u{7F}"..."\u{9F}": break
    default: plain.append(scalar)
    }
  }
  return String(plain)
}

/// Reads past what follows an ESC: a control sequence, an operating system command, or one letter.
private func skipEscape(_ scalars: inout String.UnicodeScalarView.Iterator) {
  switch scalars.next() {
  case "[":
    while let scalar = scalars.next(), !("@"..."~").contains(scalar) {}
  case "]":
    while let scalar = scalars.next(), scalar != "\u{7}" {
      // ESC \ ends it too; the backslash is the second of the two.
      if scalar == "\u{1B}" {
        _ = scalars.next()
        return
      }
    }
  default: break
  }
}
