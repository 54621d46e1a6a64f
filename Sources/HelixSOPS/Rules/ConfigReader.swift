internal import HelixModel
internal import Yams

/// One reading of a `.sops.yaml`; gathers all mistakes on the way.
struct ConfigReader {
  /// A key of a mapping, with its value.
  struct Field {
    var key: String
    var place: SourceLocation
    var value: Yams.Node
  }

  /// More than anyone has; aliases of aliases could make a small file stand for billions of keys.
  private static let mostValues = 20_000
  private static let deepestMerge = 20

  let file: String
  let text: String
  private let lines: [[Unicode.Scalar]]
  private var values = 0
  private(set) var problems: [Diagnostic] = []
  private(set) var warnings: [Diagnostic] = []

  init(text: String, file: String) {
    self.file = file
    self.text = text
    lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { Array($0.unicodeScalars) }
  }

  /// The creation rules; nil when the file has none.
  mutating func rules() -> [CreationRule]? {
    guard let root = root(), let top = entries(root, of: "the file") else { return nil }
    guard let field = top.first(where: { $0.key == "creation_rules" }), !isNothing(field.value)
    else {
      warnAboutMisspelling(in: top)
      return nil
    }
    guard let list = field.value.sequence else {
      refuse("creation_rules is a list of rules", remedy: "begin each with \"- \"", at: field.value)
      return nil
    }
    return list.enumerated().compactMap { rule($0.element, number: $0.offset + 1) }
  }

  /// Other keys are free, so that only what is nearly the right one is worth a word.
  private mutating func warnAboutMisspelling(in top: [Field]) {
    for field in top where nearestName(to: field.key, among: ["creation_rules"]) != nil {
      warn(
        "\"\(field.key)\" has no effect", reason: "SOPS does not know it",
        remedy: "did you mean \"creation_rules\"?", at: field.place)
    }
  }

  /// The first document, as SOPS reads no other.
  private mutating func root() -> Yams.Node? {
    do {
      return try Parser(yaml: text, resolver: .basic, encoding: .utf8).nextRoot()
    } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
      refuse(
        "\"\(keys.first ?? "")\" stands more than once in one mapping",
        reason: "only one can count", remedy: "keep one of them",
        at: place(context.mark))
    } catch YamlError.scanner(let context, let problem, let mark, _),
      YamlError.parser(let context, let problem, let mark, _),
      YamlError.composer(let context, let problem, let mark, _)
    {
      refuse(
        "this cannot be read as YAML: \(problem)",
        reason: context.map { "\($0.text) that began in line \($0.mark.line)" },
        remedy: "check the indentation and the quotation marks here", at: place(mark))
    } catch {
      refuse(
        "this cannot be read as YAML", remedy: "check that it is a YAML text",
        at: SourceLocation(file: file, line: 1, column: 1))
    }
    return nil
  }

  // MARK: - Places and words

  func place(_ mark: Mark?, length: Int = 1) -> SourceLocation {
    SourceLocation(file: file, line: mark?.line ?? 1, column: mark?.column ?? 1, length: length)
  }

  func place(of node: Yams.Node) -> SourceLocation {
    place(
      node.mark, length: node.scalar.map { written($0) ? $0.string.unicodeScalars.count : 1 } ?? 1)
  }

  /// Whether a scalar stands in the file letter by letter.
  private func written(_ scalar: Yams.Node.Scalar) -> Bool {
    guard let mark = scalar.mark, lines.indices.contains(mark.line - 1) else { return false }
    return lines[mark.line - 1].dropFirst(mark.column - 1 + quotes(scalar))
      .starts(with: scalar.string.unicodeScalars)
  }

  private func quotes(_ scalar: Yams.Node.Scalar) -> Int {
    scalar.style == .singleQuoted || scalar.style == .doubleQuoted ? 1 : 0
  }

  /// The place of a stretch of a scalar, as near as it can be told.
  func place(of problem: RE2Problem, in scalar: Yams.Node.Scalar) -> SourceLocation {
    guard written(scalar), let mark = scalar.mark else { return place(scalar.mark) }
    return SourceLocation(
      file: file, line: mark.line, column: mark.column + quotes(scalar) + problem.offset,
      length: problem.length)
  }

  mutating func refuse(
    _ summary: String, reason: String? = nil, remedy: String? = nil, at place: SourceLocation
  ) {
    problems.append(Diagnostic(summary, reason: reason, remedy: remedy, at: place))
  }

  mutating func refuse(
    _ summary: String, reason: String? = nil, remedy: String? = nil, at node: Yams.Node
  ) {
    refuse(summary, reason: reason, remedy: remedy, at: place(of: node))
  }

  mutating func refuse(_ problem: Diagnostic) { problems.append(problem) }

  mutating func warn(
    _ summary: String, reason: String, remedy: String, at place: SourceLocation
  ) {
    warnings.append(
      Diagnostic(summary, reason: reason, remedy: remedy, at: place, severity: .warning))
  }

  /// Counts a value; false when there are more than any file needs.
  mutating func mayTakeMore(at node: Yams.Node) -> Bool {
    values += 1
    if values == Self.mostValues + 1 {
      refuse(
        "this file stands for too many values",
        reason: "aliases that repeat aliases multiply what they stand for",
        remedy: "write fewer aliases", at: node)
    }
    return values <= Self.mostValues
  }
}

// MARK: - Values

extension ConfigReader {
  func isNothing(_ node: Yams.Node) -> Bool {
    guard let scalar = node.scalar else { return false }
    return scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  /// The entries of a mapping, with what `<<` merges in behind its own; nil when it is none.
  mutating func entries(_ node: Yams.Node, of what: String, depth: Int = 0) -> [Field]? {
    guard let mapping = node.mapping else {
      refuse(
        "\(what) must be a mapping", remedy: "write it as \"key: value\" lines", at: node)
      return nil
    }
    var own: [Field] = []
    var merged: [Field] = []
    for (key, value) in mapping {
      guard mayTakeMore(at: key) else { break }
      guard let name = key.scalar?.string else {
        refuse("a key must be text", remedy: "write it as one word", at: key)
        continue
      }
      if name == "<<", key.scalar?.style == .plain, depth < Self.deepestMerge {
        for part in value.sequence.map(Array.init) ?? [value] {
          merged += entries(part, of: "what << merges", depth: depth + 1) ?? []
        }
      } else {
        own.append(Field(key: name, place: place(of: key), value: value))
      }
    }
    var known = Set(own.map(\.key))
    return own + merged.filter { known.insert($0.key).inserted }
  }

  /// The text of a field; nil when it is left empty.
  mutating func text(_ field: Field) -> String? {
    if isNothing(field.value) { return nil }
    guard let scalar = field.value.scalar else {
      refuse("\"\(field.key)\" takes text", remedy: "write one text", at: field.value)
      return nil
    }
    guard scalar.string.isEmpty else { return scalar.string }
    warn(
      "\"\(field.key)\" is empty and has no effect", reason: "SOPS takes it as not written",
      remedy: "remove it, or write what it should be", at: field.place)
    return nil
  }

  mutating func number(_ field: Field) -> Int? {
    if isNothing(field.value) { return nil }
    if let scalar = field.value.scalar, scalar.style == .plain, let number = Int(scalar.string),
      (0...255).contains(number)
    {
      return number
    }
    refuse(
      "\"\(field.key)\" takes a whole number", remedy: "write a number from 0 to 255",
      at: field.value)
    return nil
  }

  mutating func truth(_ field: Field) -> Bool? {
    if isNothing(field.value) { return nil }
    switch field.value.scalar?.string {
    case "true", "True", "TRUE", "y", "Y", "yes", "on": return true
    case "false", "False", "FALSE", "n", "N", "no", "off": return false
    default:
      refuse("\"\(field.key)\" is true or false", remedy: "write true or false", at: field.value)
      return nil
    }
  }

  /// Names in one text with commas between them, or in a list.
  ///
  /// In a rule's own fields SOPS takes only text, in key groups it turns numbers into text.
  mutating func names(_ field: Field, onlyList: Bool) -> [Located<String>] {
    if isNothing(field.value) { return [] }
    if let list = field.value.sequence {
      return list.flatMap { names(in: $0, of: field, allowsNumbers: onlyList) }
    }
    guard !onlyList else {
      refuse(
        "in a key group, \"\(field.key)\" is a list",
        remedy: "begin each key with \"- \" on a line of its own", at: field.value)
      return []
    }
    return names(in: field.value, of: field, allowsNumbers: false)
  }

  private mutating func names(
    in node: Yams.Node, of field: Field, allowsNumbers: Bool
  ) -> [Located<String>] {
    guard mayTakeMore(at: node) else { return [] }
    guard let scalar = node.scalar, !isNothing(node) else {
      refuse("\"\(field.key)\" takes the names of keys", remedy: "write texts", at: node)
      return []
    }
    if !allowsNumbers, scalar.style == .plain, Double(scalar.string) != nil {
      refuse(
        "this key reads as a number", reason: "it has only digits, or digits and an \"e\"",
        remedy: "put it in quotation marks", at: node)
      return []
    }
    let place = place(of: node)
    return scalar.string.split(separator: ",").compactMap { part in
      let name = part.trimmed
      return name.isEmpty ? nil : Located(name, at: place)
    }
  }
}

extension Substring {
  /// Without the blanks and line ends around it.
  var trimmed: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }),
      let last = lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(self[first...last])
  }
}
