internal import HelixModel

/// Holds a document against its shape and gathers every difference.
struct ShapeCheck {
  private(set) var problems: [Diagnostic] = []

  /// Checks a node; `name` is what messages call it.
  mutating func check(_ node: Node, is shape: Shape, name: String) {
    switch shape {
    case .fields(let fields): checkFields(node, fields, name: name)
    case .named(let inner):
      guard let mapping = node.mapping else { return refuse(node, name, shape) }
      for entry in mapping.entries { check(entry.value, is: inner, name: entry.key) }
    case .list(let inner):
      guard let list = node.list else { return refuse(node, name, shape) }
      for element in list { check(element, is: inner, name: name) }
    case .open: if node.mapping == nil { refuse(node, name, shape) }
    case .either(let first, let second):
      if !Self.fits(node, first) { check(node, is: second, name: name) }
    case .secret: checkSecret(node, name: name)
    case .word(let words): checkWord(node, words, name: name)
    case .text, .integer, .bool, .duration:
      if !Self.fits(node, shape) { refuse(node, name, shape) }
    }
  }

  /// Whether a node has the outer form of a shape.
  private static func fits(_ node: Node, _ shape: Shape) -> Bool {
    switch shape {
    case .text: node.value != .null && node.scalarText?.isEmpty == false
    case .integer(let range):
      if case .integer(let n) = node.value { range.contains(n) } else { false }
    case .bool: if case .bool = node.value { true } else { false }
    case .duration: DurationText.seconds(node) != nil
    case .list: node.list != nil
    case .word: node.scalarText != nil
    case .secret, .fields, .named, .open: node.mapping != nil
    case .either(let first, let second): fits(node, first) || fits(node, second)
    }
  }

  private mutating func checkFields(_ node: Node, _ fields: [Shape.Field], name: String) {
    guard let mapping = node.mapping else { return refuse(node, name, .fields(fields)) }
    for entry in mapping.entries {
      if let field = fields.first(where: { $0.key == entry.key }) {
        // A key without a value counts as absent, unless it must be there.
        guard entry.value.value != .null || field.isRequired else { continue }
        check(entry.value, is: field.shape, name: entry.key)
      } else {
        problems.append(
          Diagnostic(
            "\"\(entry.key)\" is not a key of \(name)",
            remedy: suggestion(for: entry.key, among: fields.map(\.key)) ?? "remove it",
            at: entry.keyLocation))
      }
    }
    for field in fields where field.isRequired && mapping[field.key] == nil {
      problems.append(
        Diagnostic(
          "\(name) has no \"\(field.key)\"", reason: field.meaning,
          remedy: "add \(field.key): \(field.shape.example)", at: node.location))
    }
  }

  private mutating func checkWord(_ node: Node, _ words: [String], name: String) {
    guard let text = node.scalarText else { return refuse(node, name, .word(words)) }
    guard !words.contains(text) else { return }
    problems.append(
      Diagnostic(
        "\"\(text)\" is not a value of \(name)", remedy: suggestion(for: text, among: words),
        at: node.location))
  }

  private mutating func checkSecret(_ node: Node, name: String) {
    if node.mapping == nil, node.value != .null {
      // The message must not repeat what may be the secret itself.
      problems.append(
        Diagnostic(
          "\(name) must name a secret, never hold it",
          reason: "this file is kept in git and shown in plans",
          remedy: "put the value into a file under secrets/ and write { secret: NAME }",
          at: node.location))
      return
    }
    let before = problems.count
    checkFields(
      node, [.required("secret", .text(example: "k3s-token"), "the secret's name")], name: name)
    guard problems.count == before, let named = node.mapping?["secret"],
      let text = named.scalarText, !SecretForm.isName(text)
    else { return }
    problems.append(
      Diagnostic(
        "\"\(text)\" is not the name of a secret",
        reason: "a name has lower-case letters, digits, dots, dashes and underscores",
        remedy: "name a file under secrets/, for example k3s-token", at: named.location))
  }

  private mutating func refuse(_ node: Node, _ name: String, _ shape: Shape) {
    problems.append(
      Diagnostic(
        "\(name) must be \(shape.wanted), and this is \(node.shown)",
        remedy: shape.isMapping
          ? "put its keys on the lines below, as \"key: value\""
          : "write for example \(shape.example)",
        at: node.location))
  }
}

extension Node {
  /// The scalar itself, or the word for what it is.
  fileprivate var shown: String {
    switch value {
    case .null, .list, .mapping: value.typeName
    default: scalarText.map { $0.isEmpty ? "empty" : "\"\($0)\"" } ?? value.typeName
    }
  }
}

extension Shape {
  fileprivate var isMapping: Bool {
    switch self {
    case .fields, .named, .open: true
    default: false
    }
  }

  /// A value to show in a remedy.
  var example: String {
    switch self {
    case .text(let example): example
    case .word(let words): words.first ?? "…"
    case .integer(let range): "\(range.lowerBound)"
    case .bool: "true"
    case .duration: "300s"
    case .secret: "{ secret: NAME }"
    case .list(let inner): "[\(inner.example)]"
    case .fields, .named, .open: "and its keys below"
    case .either(let first, _): first.example
    }
  }
}

/// What names of secrets look like; they are file names too.
enum SecretForm {
  static func isName(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, isLetterOrDigit(first) else { return false }
    return text.unicodeScalars.allSatisfy {
      isLetterOrDigit($0) || "._-".unicodeScalars.contains($0)
    }
  }

  private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
    ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar)
  }
}

/// Reads durations as Go and Kubernetes write them.
enum DurationText {
  /// The whole seconds; nil for anything else.
  static func seconds(_ node: Node) -> Int? {
    if case .integer(let seconds) = node.value { return seconds > 0 ? seconds : nil }
    return node.text.flatMap(secondsOfDuration)
  }
}
