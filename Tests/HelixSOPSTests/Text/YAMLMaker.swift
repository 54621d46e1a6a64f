/// Numbers that are the same in every run.
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

/// Makes up YAML documents with all that people write into them.
struct YAMLMaker {
  private var random: SeededNumbers
  private var text = ""
  private var anchors: [String] = []
  private var keyNumber = 0
  private let step: Int
  private let allowsAnchors: Bool

  init(seed: UInt64, anchors: Bool = true) {
    random = SeededNumbers(seed)
    step = [2, 4, 3][Int(seed % 3)]
    allowsAnchors = anchors
  }

  /// A text of one document or several, with line feeds or Windows's line breaks.
  static func make(seed: UInt64, anchors: Bool = true) -> String {
    var maker = YAMLMaker(seed: seed, anchors: anchors)
    var result = maker.documents()
    if maker.chance(6) { result = result.replacing("\n", with: "\r\n") }
    if maker.chance(8), result.hasSuffix("\n"), !result.hasSuffix("\r\n") { result.removeLast() }
    return result
  }

  private mutating func chance(_ oneIn: Int) -> Bool {
    Int.random(in: 0..<oneIn, using: &random) == 0
  }

  private mutating func pick(_ choices: [String]) -> String {
    choices.randomElement(using: &random) ?? ""
  }

  private mutating func documents() -> String {
    let count = chance(5) ? 3 : 1
    for number in 0..<count {
      anchors = []
      if number > 0 || chance(4) { text += chance(5) ? "--- # start\n" : "---\n" }
      if chance(4) { text += "# about the document\n\n" }
      if chance(12) {
        text += "{a: 1, 'b': [x, \"y z\", {c: d}], e: null}\n"
      } else {
        map(indent: 0, depth: 0)
      }
      if chance(5) { text += "# the end\n" }
      if chance(9) { text += "...\n" }
    }
    return text
  }

  private func pad(_ indent: Int) -> String { String(repeating: " ", count: indent) }

  private mutating func between(_ indent: Int) {
    if chance(7) { text += "\n" }
    if chance(5) {
      text += pad(indent) + pick(["# note", "#tight", "#", "# a: b", "#  \"q\" é"]) + "\n"
    }
    if chance(25) { text += "\n" }
  }

  private mutating func key() -> String {
    keyNumber += 1
    let name = pick(["k", "key", "a b", "é", "x-y", "data_unencrypted", "p/q.r"]) + "\(keyNumber)"
    return chance(8) ? "\"\(name)\"" : chance(8) ? "'\(name)'" : name
  }

  private mutating func map(indent: Int, depth: Int, startsInline: Bool = false) {
    for number in 0..<Int.random(in: 1...4, using: &random) {
      if number > 0 || !startsInline {
        between(indent)
        text += pad(indent)
      }
      text += key() + ":"
      value(indent: indent, depth: depth, isItem: false)
    }
  }

  private mutating func list(indent: Int, depth: Int) {
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      between(indent)
      text += pad(indent) + "-"
      if depth < 4, chance(4) {
        text += " "
        map(indent: indent + 2, depth: depth + 1, startsInline: true)
      } else {
        value(indent: indent, depth: depth, isItem: true)
      }
    }
  }

  /// What stands behind a colon or dash, line break included.
  private mutating func value(indent: Int, depth: Int, isItem: Bool) {
    if depth < 4, chance(4) {
      text += chance(6) ? " # inside\n" : "\n"
      if !isItem, chance(2) {
        return list(indent: chance(2) ? indent : indent + step, depth: depth + 1)
      }
      return map(indent: indent + step, depth: depth + 1)
    }
    if allowsAnchors, !anchors.isEmpty, chance(9) { return end(" *" + pick(anchors)) }
    var properties = ""
    if allowsAnchors, chance(9) {
      let name = "n\(keyNumber)x\(anchors.count)"
      properties = " &" + name
      anchors.append(name)
    }
    if chance(14) { properties += " !!str" }
    if chance(5) { return block(indent: indent, properties) }
    end(properties + " " + (chance(6) ? flow(depth: 0) : scalar(indent: indent)))
  }

  private mutating func end(_ written: String) {
    text += written
    if chance(6) {
      text += pick([" # why", "  #x", "\t# tab"])
    } else if chance(12) {
      text += "  "
    }
    text += "\n"
  }

  private mutating func scalar(indent: Int) -> String {
    let inner = "\n" + pad(indent + 1 + step)
    return pick([
      "plain", "two words", "1", "-7", "0x1F", "1.5", "1e3", "true", "no", "~", "null",
      "2001-01-02", "12:30:45", "http://a/b?c=d#e", "a#b", "x:y", "\"\"", "''", "'it''s'",
      "'a: b # c'", "\"q \\\" \\\\ \\n \\t \\u00e9 \\x41\"", "\"é\"", "日本語", "🙂 ok",
      "\"folded" + inner + "text\n" + inner + "more\"", "'single" + inner + "folded'",
      "plain" + inner + "goes on", "\"esc\\" + inner + "aped\"", "-dash", ":colon", "?mark",
      "[]", "{}", "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]",
    ])
  }

  private mutating func flow(depth: Int) -> String {
    let leaf = pick(["a", "1", "'b c'", "\"d, e\"", "null", "x:y", "-1.5", "true"])
    guard depth < 3, chance(2) else { return leaf }
    let items = (0..<Int.random(in: 0...3, using: &random)).map { _ in flow(depth: depth + 1) }
    if chance(2) { return "[" + items.joined(separator: chance(3) ? "," : ", ") + "]" }
    let members = items.enumerated().map { "f\($0.offset): \($0.element)" }
    return "{" + members.joined(separator: ", ") + "}"
  }

  private mutating func block(indent: Int, _ properties: String) {
    let sign = pick(["", "", "-", "+"])
    let style = pick(["|", ">"])
    let explicit = chance(4)
    let deep = explicit ? step : Int.random(in: 1...4, using: &random)
    let header = style + (explicit ? "\(deep)" : "") + sign
    text += properties + " " + header + (chance(8) ? " # head" : "") + "\n"
    if chance(8) { text += "\n" }
    for number in 0..<Int.random(in: 1...4, using: &random) {
      let lead = explicit && chance(3) || number > 0 && chance(5) ? "  " : ""
      text += pad(indent + deep) + lead + pick(["line", "# no comment", "a: b", "- c", "é"]) + "\n"
      if chance(5) { text += "\n" }
    }
    if chance(5) { text += "\n" }
  }
}
