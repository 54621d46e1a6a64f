import HelixModel

/// Replaces values in dotenv and INI where they stand.
struct LinesEdit {
  private let source: SOPSText
  private let body: LinesBody
  private let layout: TextLayout
  private var splices = Splices()

  static func replacing(
    _ source: SOPSText, _ body: LinesBody, _ edits: [Int: Replacement], metadata: MetadataValue?
  ) throws(Diagnostic) -> [UInt8] {
    var edit = LinesEdit(source: source, body: body, layout: TextLayout(source.bytes))
    for (index, replacement) in edits.sorted(by: { $0.key < $1.key }) {
      guard source.items.indices.contains(index) else { continue }
      try edit.replace(index, replacement)
    }
    if metadata != source.metadata { edit.setMetadata(metadata) }
    return edit.splices.applied(to: source.bytes)
  }

  /// The text with one value set.
  static func setting(
    _ source: SOPSText, _ body: LinesBody, _ value: SOPSTree, at path: [PathStep]
  ) throws(Diagnostic) -> [UInt8] {
    guard case .leaf(let leaf) = value else {
      throw source.refusal("a map or list cannot be set here", because: "this format has none")
    }
    if let index = source.items.firstIndex(where: { $0.place == path && !$0.isComment }) {
      return try replacing(source, body, [index: .value(leaf)], metadata: source.metadata)
    }
    var edit = LinesEdit(source: source, body: body, layout: TextLayout(source.bytes))
    try edit.insert(FlatText.text(of: leaf), at: path)
    return edit.splices.applied(to: source.bytes)
  }

  private mutating func insert(_ text: [UInt8], at path: [PathStep]) throws(Diagnostic) {
    let names = path.compactMap { if case .key(let name) = $0 { name } else { nil } }
    let isDotenv = source.format == .dotenv
    let forbidden = Array("=:#;[]\"`\n\r".utf8)
    guard names.count == path.count, names.count == (isDotenv ? 1 : 2), let key = names.last,
      names.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(where: forbidden.contains) }),
      !key.hasPrefix("sops_"), names.first != "sops"
    else {
      throw source.refusal(
        "nothing can be set at this path",
        because: isDotenv ? "a path in dotenv is one key" : "a path in INI is a section and a key")
    }
    guard !isDotenv else {
      let line =
        Array(key.utf8) + [UInt8(ascii: "=")]
        + Array(FlatMetadata.escaped(String(decoding: text, as: UTF8.self)).utf8)
      return insert(line, at: body.metadata.first?.line.lowerBound ?? layout.bytes.count)
    }
    guard let spelled = INISpelling.spell(text, quote: .none) else {
      throw source.refusal("a value cannot be written as INI", because: "no quotes can hold it")
    }
    let line = Array(key.utf8) + Array(" = ".utf8) + spelled
    if let section = body.sections.first(where: { $0.name == names[0] }) {
      return insert(line, at: section.end)
    }
    let header = Array("[\(names[0])]".utf8) + lineBreak + line
    let place = body.section?.lowerBound ?? layout.bytes.count
    insert(body.section == nil ? header : header + lineBreak, at: place)
  }

  /// Puts a line before the one that starts at an offset.
  private mutating func insert(_ line: [UInt8], at offset: Int) {
    let lacksBreak = offset == layout.bytes.count && offset > 0 && layout.bytes.last != 0x0A
    splices.insert(lacksBreak ? lineBreak + line : line + lineBreak, at: offset)
  }

  private init(source: SOPSText, body: LinesBody, layout: TextLayout) {
    self.source = source
    self.body = body
    self.layout = layout
  }

  // MARK: Values

  private mutating func replace(_ index: Int, _ replacement: Replacement) throws(Diagnostic) {
    let value: SOPSValue =
      switch replacement {
      case .ciphertext(let text): .text(Array(text.utf8))
      case .value(let value): value
      }
    let current = source.items[index].value
    let text = FlatText.text(of: value)
    guard value != current, .text(text) != current else { return }
    let spot = body.spots[index]
    guard UTF8Step.isValid(text) else {
      throw refusal("a value is no text", because: "this format holds UTF-8 only", index)
    }
    if spot.isComment { return splices.replace(spot.range, with: commentLines(text)) }
    if source.format == .dotenv {
      return splices.replace(
        spot.range, with: FlatMetadata.escaped(String(decoding: text, as: UTF8.self)))
    }
    guard let spelled = INISpelling.spell(text, quote: spot.quote) else {
      throw refusal(
        "a value cannot be written as INI",
        because: "it holds three quotes and a line break or backquote",
        index)
    }
    // An empty value stands right behind its "=".
    let touches =
      spot.range.isEmpty && spot.range.lowerBound > 0
      && !Array(" \t".utf8).contains(layout.bytes[spot.range.lowerBound - 1])
    splices.replace(spot.range, with: (touches ? [0x20] : []) + spelled)
  }

  private func refusal(_ summary: String, because reason: String, _ item: Int) -> Diagnostic {
    Diagnostic(summary, reason: reason, at: source.items[item].location)
  }

  /// A comment's text; lines without a mark of their own get one.
  private func commentLines(_ text: [UInt8]) -> [UInt8] {
    let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
    if source.format == .dotenv {
      return Array(lines.map { Array("#".utf8) + $0 }.joined(separator: [0x0A]))
    }
    let marked = lines.enumerated().map { index, line in
      let hasMark = line.first == UInt8(ascii: "#") || line.first == UInt8(ascii: ";")
      return index == 0 || hasMark ? Array(line) : Array("; ".utf8) + line
    }
    return Array(marked.joined(separator: layout.lineBreak))
  }

  // MARK: Metadata

  private mutating func setMetadata(_ metadata: MetadataValue?) {
    let fields = metadata.map(FlatMetadata.flatten) ?? []
    if source.metadata != nil, metadata != nil, hasNames(fields.map(\.name)) {
      let texts = Dictionary(fields.map { ($0.name, $0.text) }) { first, _ in first }
      for entry in body.metadata where texts[entry.name] != entry.text {
        splices.replace(
          entry.value.range, with: spelled(texts[entry.name] ?? "", entry.value.quote))
      }
      return
    }
    let lines = metadata == nil ? [] : written(fields)
    if source.format == .dotenv {
      setLines(lines)
    } else {
      setSection(lines)
    }
  }

  private func hasNames(_ names: [String]) -> Bool {
    names.count == body.metadata.count && Set(names) == Set(body.metadata.map(\.name))
  }

  private func spelled(_ text: String, _ quote: LinesBody.Quote) -> [UInt8] {
    let flat = Array(FlatMetadata.escaped(text).utf8)
    guard source.format == .ini else { return flat }
    return INISpelling.spell(flat, quote: quote == .triple ? .none : quote) ?? flat
  }

  /// The lines of the metadata, the last without its break.
  private func written(_ fields: [(name: String, text: String)]) -> [UInt8] {
    var lines: [[UInt8]]
    if source.format == .dotenv {
      lines = fields.map { field in
        DotenvParser.prefix + Array(field.name.utf8) + [UInt8(ascii: "=")]
          + spelled(field.text, .none)
      }
    } else {
      let width = fields.map(\.name.utf8.count).max() ?? 0
      lines = fields.map { field in
        Array(field.name.utf8)
          + Array(repeating: 0x20, count: width - field.name.utf8.count) + Array(" = ".utf8)
          + spelled(field.text, .none)
      }
      lines.insert(Array("[sops]".utf8), at: 0)
    }
    return Array(lines.joined(separator: lineBreak))
  }

  /// dotenv knows no line break but the line feed: a return before it would belong to a value.
  private var lineBreak: [UInt8] { source.format == .dotenv ? [0x0A] : layout.lineBreak }

  private mutating func setLines(_ lines: [UInt8]) {
    guard let first = body.metadata.first else { return append(lines, gap: []) }
    let reachesEnd =
      layout.bytes.last != 0x0A
      && body.metadata.contains { $0.line.upperBound == layout.bytes.count }
    // The lines at the end that follow each other.
    var tail = layout.bytes.count
    for entry in body.metadata.reversed() where entry.line.upperBound == tail {
      tail = entry.line.lowerBound
    }
    for entry in body.metadata {
      var range = entry.line
      var text: [UInt8] = []
      if entry.line == first.line, !lines.isEmpty {
        text = reachesEnd && range.lowerBound == tail ? lines : lines + lineBreak
      }
      // Without a last line break in the text, the one before the metadata came with it.
      if reachesEnd, range.lowerBound == tail, text.isEmpty {
        range = layout.beforeBreak(range.lowerBound)..<range.upperBound
      }
      splices.replace(range, with: text)
    }
  }

  private mutating func append(_ lines: [UInt8], gap: [UInt8]) {
    if layout.bytes.isEmpty { return splices.insert(lines + lineBreak, at: 0) }
    let end = layout.bytes.count
    let lacksBreak = layout.bytes.last != 0x0A
    splices.insert(
      (lacksBreak ? lineBreak : []) + gap + lines + (lacksBreak ? [] : lineBreak), at: end)
  }

  private mutating func setSection(_ lines: [UInt8]) {
    guard let section = body.section else { return append(lines, gap: lineBreak) }
    guard lines.isEmpty else {
      let end = body.metadata.map(\.line.upperBound).max() ?? layout.nextLine(section.lowerBound)
      let last = layout.beforeBreak(end)
      return splices.replace(section.lowerBound..<max(last, section.lowerBound), with: lines)
    }
    // The empty line before the section came with it.
    var start = section.lowerBound
    let before = layout.beforeBreak(start)
    if before < start, before == 0 || layout.beforeBreak(before) < before { start = before }
    if section.upperBound == layout.bytes.count, layout.bytes.last != 0x0A {
      start = layout.beforeBreak(start)
    }
    splices.replace(start..<section.upperBound, with: [])
  }
}

/// How values are written where every value is text.
enum FlatText {
  static func text(of value: SOPSValue) -> [UInt8] {
    switch value {
    case .text(let text), .comment(let text): text
    case .integer(let number): Array(String(number).utf8)
    case .number(let number): Array(YAMLSpelling.number(number).utf8)
    case .boolean(let flag): Array((flag ? "true" : "false").utf8)
    case .time(let time): Array(time.utf8)
    case .null: []
    }
  }
}

/// How values are written in INI so that go-ini reads the same text.
enum INISpelling {
  /// The text with the quotes that it needs; nil where no quotes help.
  static func spell(_ text: [UInt8], quote: LinesBody.Quote) -> [UInt8]? {
    let marks = Array("#;".utf8)
    let isSafe =
      !text.contains(where: { marks.contains($0) || $0 == 0x0A || $0 == 0x0D })
      && text.last != UInt8(ascii: "\\")
    if quote == .double || quote == .single {
      let mark = quote.rawValue.utf8.first ?? 0
      if isSafe, !text.contains(mark), text.first != UInt8(ascii: "\"") {
        return [mark] + text + [mark]
      }
    }
    let quotes = Array("\"'`".utf8)
    let isTrimmed =
      text.first.map { $0 > 0x20 && !quotes.contains($0) } ?? true
      && text.last.map { $0 > 0x20 } ?? true
    if quote != .back, quote != .triple, isSafe, isTrimmed { return text }
    if !text.contains(UInt8(ascii: "`")), !text.contains(0x0A) { return wrapped(text, "`") }
    return text.firstRange(of: Array("\"\"\"".utf8)) == nil ? wrapped(text, "\"\"\"") : nil
  }

  private static func wrapped(_ text: [UInt8], _ quote: String) -> [UInt8] {
    Array(quote.utf8) + text + Array(quote.utf8)
  }
}
