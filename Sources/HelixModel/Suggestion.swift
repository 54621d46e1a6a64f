/// The known name nearest to an unknown one, within edit distance 3.
package func nearestName(to name: String, among known: some Sequence<String>) -> String? {
  let wanted = Array(name.lowercased())
  var best: (name: String, distance: Int)?
  for candidate in known.sorted() {
    let distance = editDistance(wanted, Array(candidate.lowercased()))
    // A three-letter name is three edits from any other: demand that something is shared.
    guard distance <= 3, distance < max(wanted.count, candidate.count) else { continue }
    if distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  return best?.name
}

/// The remedy sentence for an unknown name: the nearest one, or the whole list when it is short.
package func suggestion(for name: String, among known: some Collection<String>) -> String? {
  if let nearest = nearestName(to: name, among: known) { return "did you mean \"\(nearest)\"?" }
  guard !known.isEmpty, known.count <= 12 else { return nil }
  return "known: " + known.sorted().joined(separator: ", ")
}

/// Levenshtein's distance.
private func editDistance(_ left: [Character], _ right: [Character]) -> Int {
  var previous = Array(0...right.count)
  for (row, character) in left.enumerated() {
    var current = [row + 1]
    for (column, other) in right.enumerated() {
      let substitution = previous[column] + (character == other ? 0 : 1)
      current.append(min(substitution, previous[column + 1] + 1, current[column] + 1))
    }
    previous = current
  }
  return previous[right.count]
}
