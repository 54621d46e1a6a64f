package import HelixModel

/// One step from a document's root to a leaf.
package enum PathStep: Hashable, Sendable {
  case key(String)
  case index(Int)
}

/// A value or comment of a document, in the order in which SOPS walks it.
package struct SOPSItem: Sendable {
  /// Which document of a file with several.
  package var document: Int
  /// What it is now: plain text, or the text of its ciphertext.
  package var value: SOPSValue
  package var location: SourceLocation

  /// Paths and comments are shared between items: a deep file would else take its square in memory.
  private var holder: PathChain?
  private var step: PathStep?
  private var holders: [PathChain?]
  var activeComment: Int
  private var commentTable: CommentTable

  /// Where it stands, list indices included; a comment stands where its nearest container does.
  package var place: [PathStep] {
    (holder?.steps ?? []) + (step.map { [$0] } ?? [])
  }

  /// The keys from the root, without list indices: what selection rules and the cipher look at.
  package var keys: [String] {
    place.compactMap { if case .key(let key) = $0 { key } else { nil } }
  }

  /// The comments that comment rules look at: those before it and before what holds it.
  package var comments: [[UInt8]] { commentTable.comments(from: activeComment) }

  /// For a comment, the containers that may hold it, nearest first, where readers differ.
  package var containers: [[PathStep]] { holders.map { $0?.steps ?? [] } }

  package init(
    document: Int, place: [PathStep], value: SOPSValue, comments: [[UInt8]] = [],
    containers: [[PathStep]] = [], location: SourceLocation
  ) {
    self.document = document
    self.value = value
    self.location = location
    holder = PathChain.chain(place.dropLast())
    step = place.last
    holders = containers.map { PathChain.chain($0[...]) }
    commentTable = CommentTable(
      texts: comments, previous: Array(-1..<max(comments.count - 1, -1)))
    activeComment = comments.count - 1
  }

  /// A value in a map or list.
  init(
    document: Int, holder: PathChain?, step: PathStep, value: SOPSValue, activeComment: Int,
    location: SourceLocation
  ) {
    self.document = document
    self.value = value
    self.location = location
    self.holder = holder
    self.step = step
    holders = []
    self.activeComment = activeComment
    commentTable = .empty
  }

  /// A comment that one of several containers holds.
  init(
    document: Int, holders: [PathChain?], comment: [UInt8], activeComment: Int,
    location: SourceLocation
  ) {
    self.document = document
    value = .comment(comment)
    self.location = location
    holder = holders.first ?? nil
    step = nil
    self.holders = holders
    self.activeComment = activeComment
    commentTable = .empty
  }

  /// Ties items to the comments of their text, which are complete when all items are.
  static func bind(_ items: inout [SOPSItem], to table: CommentTable) {
    for index in items.indices { items[index].commentTable = table }
  }
}

/// A path from the root, its beginning shared with other paths.
final class PathChain: Sendable {
  let parent: PathChain?
  let step: PathStep

  init(_ parent: PathChain?, _ step: PathStep) {
    self.parent = parent
    self.step = step
  }

  var steps: [PathStep] {
    var result: [PathStep] = []
    var chain: PathChain? = self
    while let link = chain {
      result.append(link.step)
      chain = link.parent
    }
    return result.reversed()
  }

  static func chain(_ steps: ArraySlice<PathStep>) -> PathChain? {
    steps.reduce(nil) { PathChain($0, $1) }
  }
}

/// The comments of a text, each with the one before it that a rule looks at as well.
final class CommentTable: Sendable {
  private let texts: [[UInt8]]
  private let previous: [Int]

  static let empty = CommentTable(texts: [], previous: [])

  init(texts: [[UInt8]], previous: [Int]) {
    self.texts = texts
    self.previous = previous
  }

  /// The comments up to one, first to last; none from -1.
  func comments(from last: Int) -> [[UInt8]] {
    var result: [[UInt8]] = []
    var index = last
    while texts.indices.contains(index) {
      result.append(texts[index])
      index = previous[index]
    }
    return result.reversed()
  }
}

/// What a leaf is to become.
package enum Replacement: Hashable, Sendable {
  /// Ciphertext; the quotes around a value stay.
  case ciphertext(String)
  /// A value spelled as the format spells it, so that reading gives the same value and type.
  case value(SOPSValue)
}
