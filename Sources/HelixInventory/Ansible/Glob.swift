/// A shell pattern for names: `*`, `?`, `[seq]` and `[!seq]`, matched against the whole name.
package struct Glob: Hashable, Sendable {
  private enum Piece: Hashable, Sendable {
    case one(Character)
    case anyOne
    case anyRun
    case among([ClosedRange<Character>], negated: Bool)
  }

  private let pieces: [Piece]

  package init(_ pattern: some StringProtocol) {
    var pieces: [Piece] = []
    var rest = Substring(pattern)
    while let first = rest.first {
      rest.removeFirst()
      switch first {
      case "*": if pieces.last != .anyRun { pieces.append(.anyRun) }
      case "?": pieces.append(.anyOne)
      case "[":
        if let (set, after) = Self.set(in: rest) {
          pieces.append(set)
          rest = after
        } else {
          pieces.append(.one(first))
        }
      default: pieces.append(.one(first))
      }
    }
    self.pieces = pieces
  }

  /// Whether a text is a pattern rather than a plain name.
  package static func isPattern(_ text: some StringProtocol) -> Bool {
    text.contains { $0 == "*" || $0 == "?" || $0 == "[" }
  }

  /// The set that begins after a `[`; nil when it is never closed.
  private static func set(in text: Substring) -> (Piece, Substring)? {
    var rest = text
    let isNegated = rest.first == "!"
    if isNegated { rest.removeFirst() }
    // A "]" that comes first belongs to the set.
    guard let end = rest.dropFirst().firstIndex(of: "]") else { return nil }
    let members = Array(rest[..<end])
    var ranges: [ClosedRange<Character>] = []
    var index = 0
    while index < members.count {
      if index + 2 < members.count, members[index + 1] == "-" {
        if members[index] <= members[index + 2] {
          ranges.append(members[index]...members[index + 2])
        }
        index += 3
      } else {
        ranges.append(members[index]...members[index])
        index += 1
      }
    }
    return (.among(ranges, negated: isNegated), rest[rest.index(after: end)...])
  }

  /// Whether the whole name fits.
  package func matches(_ name: String) -> Bool {
    let name = Array(name)
    var piece = 0
    var position = 0
    // Where to go on when the run of the last "*" has to grow.
    var retry: (piece: Int, position: Int)?
    while position < name.count {
      if piece < pieces.count, pieces[piece] == .anyRun {
        retry = (piece + 1, position)
        piece += 1
      } else if piece < pieces.count, fits(pieces[piece], name[position]) {
        piece += 1
        position += 1
      } else if let (nextPiece, start) = retry {
        retry = (nextPiece, start + 1)
        piece = nextPiece
        position = start + 1
      } else {
        return false
      }
    }
    return pieces[piece...].allSatisfy { $0 == .anyRun }
  }

  private func fits(_ piece: Piece, _ character: Character) -> Bool {
    switch piece {
    case .one(let wanted): wanted == character
    case .anyOne, .anyRun: true
    case .among(let ranges, let negated):
      ranges.contains { $0.contains(character) } != negated
    }
  }
}
