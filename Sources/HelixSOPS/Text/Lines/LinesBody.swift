import HelixModel

/// Where the items of a text of lines stand, dotenv or INI.
struct LinesBody: Sendable {
  var spots: [Spot] = []
  var metadata: [Entry] = []
  /// The lines of INI's `[sops]` section.
  var section: Range<Int>?
  /// The other sections of INI, and where the last line of each ends.
  var sections: [(name: String, end: Int)] = []

  /// The bytes of a value or comment.
  struct Spot: Sendable {
    var range: Range<Int>
    var quote = Quote.none
    var isComment = false
  }

  /// One flat field of the metadata.
  struct Entry: Sendable {
    var name: String
    var line: Range<Int>
    var value: Spot
    var text: String
  }

  /// What stands around a value of INI.
  enum Quote: String, Sendable {
    case none = ""
    case double = "\""
    case single = "'"
    case back = "`"
    case triple = "\"\"\""
  }
}

/// Gathers the items of a text of lines.
struct LineItems {
  private(set) var items: [SOPSItem] = []
  private(set) var obstacles: [Diagnostic] = []
  var body = LinesBody()
  private var texts: [[UInt8]] = []
  private var previous: [Int] = []
  private var active = -1
  private var cursor: PlaceCursor
  private let limit: Int

  init(_ bytes: [UInt8], file: String) {
    cursor = PlaceCursor(file: file, bytes: bytes)
    limit = TextLimit.memory(for: bytes.count)
  }

  mutating func add(
    _ value: [UInt8], key: String, in section: PathChain?, at spot: LinesBody.Spot
  ) throws(TextFault) {
    try check(spot)
    items.append(
      SOPSItem(
        document: 0, holder: section, step: .key(key), value: .text(value), activeComment: active,
        location: cursor.location(of: spot.range.lowerBound)))
    body.spots.append(spot)
    active = -1
  }

  mutating func add(
    comment: [UInt8], in sections: [PathChain?], at range: Range<Int>
  ) throws(TextFault) {
    let spot = LinesBody.Spot(range: range, isComment: true)
    try check(spot)
    items.append(
      SOPSItem(
        document: 0, holders: sections, comment: comment, activeComment: active,
        location: cursor.location(of: range.lowerBound)))
    body.spots.append(spot)
    texts.append(comment)
    previous.append(active)
    active = texts.count - 1
  }

  /// A new map begins, and comments of the last one say nothing about it.
  mutating func startSection() { active = -1 }

  mutating func obstacle(_ summary: String, because reason: String, at offset: Int) {
    guard obstacles.count < TextLimit.obstacles else { return }
    obstacles.append(Diagnostic(summary, reason: reason, at: cursor.location(of: offset)))
  }

  private func check(_ spot: LinesBody.Spot) throws(TextFault) {
    try check(spot.range.lowerBound)
  }

  /// Notes a field of the metadata.
  mutating func add(_ entry: LinesBody.Entry) throws(TextFault) {
    try check(entry.line.lowerBound)
    body.metadata.append(entry)
  }

  /// Notes a section of INI.
  mutating func add(section: String, end: Int) throws(TextFault) {
    try check(end)
    body.sections.append((section, end))
  }

  private func check(_ offset: Int) throws(TextFault) {
    let taken =
      items.count * TextLimit.line
      + (body.metadata.count + body.sections.count) * TextLimit.section
    guard taken <= limit else { throw TextFault(TextLimit.tooMany, at: offset) }
  }

  /// The items tied to their comments.
  func bound() -> [SOPSItem] {
    var result = items
    SOPSItem.bind(&result, to: CommentTable(texts: texts, previous: previous))
    return result
  }
}

extension SOPSText {
  init(_ lines: LineItems, bytes: [UInt8], format: SOPSFormat, file: String) throws(TextFault) {
    self.format = format
    self.file = file
    self.bytes = bytes
    items = lines.bound()
    obstacles = lines.obstacles
    documents = 1
    body = .lines(lines.body)
    let entries = lines.body.metadata
    metadata =
      try entries.isEmpty && lines.body.section == nil
      ? nil : FlatMetadata.unflatten(entries.map { ($0.name, $0.text, $0.line.lowerBound) })
  }
}
