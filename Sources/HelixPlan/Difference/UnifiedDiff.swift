/// The unified diff of two texts, three lines of context, without file headers.
///
/// A text that does not end in a newline is marked as `diff -u` marks it.
package func unifiedDiff(from old: String, to new: String) -> String {
  let edits = lineEdits(from: diffLines(old), to: diffLines(new))
  return hunks(of: edits, context: 3).map(render).joined(separator: "\n")
}

/// A line of the edit script with its place in both texts (zero-based).
private struct Edit {
  enum Sort { case kept, removed, added }
  let sort: Sort
  let text: Substring
  let oldLine: Int
  let newLine: Int
}

private let missingNewline: Substring = "\\ No newline at end of file"

private func diffLines(_ text: String) -> [Substring] {
  guard !text.isEmpty else { return [] }
  // By bytes: Swift takes a carriage return and the newline behind it for one character.
  var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    .map(Substring.init)
  if lines.last == "" {
    lines.removeLast()
  } else {
    // Part of the line, so that a text with and one without the newline differ.
    lines[lines.count - 1] += "\n" + missingNewline
  }
  return lines
}

private func lineEdits(from old: [Substring], to new: [Substring]) -> [Edit] {
  // By bytes again: two ways of writing one letter are two texts to a checksum.
  // A file that is new needs no search for what it shares with nothing.
  guard !old.isEmpty else {
    return new.enumerated().map { Edit(sort: .added, text: $1, oldLine: 0, newLine: $0) }
  }
  let difference = new.difference(from: old) { $0.utf8.elementsEqual($1.utf8) }
  var removed: Set<Int> = []
  var inserted: Set<Int> = []
  for change in difference {
    switch change {
    case .remove(let offset, _, _): removed.insert(offset)
    case .insert(let offset, _, _): inserted.insert(offset)
    }
  }
  var edits: [Edit] = []
  var (oldLine, newLine) = (0, 0)
  while oldLine < old.count || newLine < new.count {
    if oldLine < old.count, removed.contains(oldLine) {
      edits.append(
        Edit(sort: .removed, text: old[oldLine], oldLine: oldLine, newLine: newLine))
      oldLine += 1
    } else if newLine < new.count, inserted.contains(newLine) {
      edits.append(Edit(sort: .added, text: new[newLine], oldLine: oldLine, newLine: newLine))
      newLine += 1
    } else {
      edits.append(Edit(sort: .kept, text: old[oldLine], oldLine: oldLine, newLine: newLine))
      oldLine += 1
      newLine += 1
    }
  }
  return edits
}

/// Runs of edits around changes, joined where their context meets.
private func hunks(of edits: [Edit], context: Int) -> [ArraySlice<Edit>] {
  var ranges: [Range<Int>] = []
  for (position, edit) in edits.enumerated() where edit.sort != .kept {
    let range = max(0, position - context)..<min(edits.count, position + context + 1)
    if let last = ranges.last, range.lowerBound <= last.upperBound {
      ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
    } else {
      ranges.append(range)
    }
  }
  return ranges.map { edits[$0] }
}

private func render(_ hunk: ArraySlice<Edit>) -> String {
  guard let first = hunk.first else { return "" }
  let oldCount = hunk.count { $0.sort != .added }
  let newCount = hunk.count { $0.sort != .removed }
  let header =
    "@@ -\(place(first.oldLine, oldCount)) +\(place(first.newLine, newCount)) @@"
  let lines = hunk.map { edit in
    switch edit.sort {
    case .kept: " \(edit.text)"
    case .removed: "-\(edit.text)"
    case .added: "+\(edit.text)"
    }
  }
  return ([header] + lines).joined(separator: "\n")
}

/// A range as `diff -u` writes it: an empty one names the line before it, a single line its number alone.
private func place(_ line: Int, _ count: Int) -> String {
  switch count {
  case 0: "\(line),0"
  case 1: "\(line + 1)"
  default: "\(line + 1),\(count)"
  }
}
