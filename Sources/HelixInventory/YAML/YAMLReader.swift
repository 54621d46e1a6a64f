package import HelixModel
private import Yams

/// Reads YAML as Ansible does, and keeps the place of every key and value.
///
/// - Scalars follow YAML 1.1 (see `PlainScalar`). A plain scalar that became a number, a truth
///   value or nothing keeps its text in `Node.written`, so that `mode: 0644` and `version: 1.30`
///   can be read as their author meant them.
/// - Anchors, aliases and merge keys are resolved; a value taken over an alias has the place of
///   its anchor.
/// - The same key twice in a mapping is an error that names both lines.
/// - Keys are text, whatever they look like.
package enum YAMLReader {
  /// The documents of a text, in order; none for a text without any.
  package static func read(
    _ text: String, file: String
  ) throws(Diagnostics) -> [HelixModel.Node] {
    var reading = Reading(text: text, file: file)
    return try reading.documents()
  }

  /// The one document of a text; nil when it has none or holds nothing.
  package static func readOne(
    _ text: String, file: String
  ) throws(Diagnostics) -> HelixModel.Node? {
    let documents = try read(text, file: file)
    if documents.count > 1 {
      throw Diagnostics(
        Diagnostic(
          "this file holds more than one document", reason: "only the first would count",
          remedy: "remove the \"---\" between them, or split the file",
          at: documents[1].location))
    }
    guard let document = documents.first, document.value != .null else { return nil }
    return document
  }
}

/// One reading: composes with Yams, then turns Yams's nodes into ours.
private struct Reading {
  /// Yams stops at the first double key; this bounds how many a single reading goes on to find.
  private static let mostDoubleKeys = 50

  private let original: SourceText
  private var text: String
  /// Keys whose first character was replaced to let Yams go on, by the replacement.
  private var disarmed: [Unicode.Scalar: Unicode.Scalar] = [:]

  init(text: String, file: String) {
    // A byte order mark is allowed before YAML, but shifts the first line's columns.
    let bare =
      text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    self.text = bare
    original = SourceText(bare, file: file)
  }

  mutating func documents() throws(Diagnostics) -> [HelixModel.Node] {
    let roots = try composed()
    var converter = NodeConverter(source: original, disarmed: disarmed)
    let documents = roots.map { converter.convert($0) }
    if !converter.problems.isEmpty { throw Diagnostics(converter.problems) }
    return documents
  }

  /// Composes all roots; each double key that Yams stops at is disarmed, so that all are found.
  private mutating func composed() throws(Diagnostics) -> [Yams.Node] {
    while true {
      do {
        // The basic resolver leaves scalars alone: their meaning is decided by `PlainScalar`.
        let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
        var roots: [Yams.Node] = []
        while let root = try parser.nextRoot() { roots.append(root) }
        return roots
      } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
        guard disarm(at: context.mark) else {
          let place = original.location(line: context.mark.line, column: context.mark.column)
          throw Diagnostics(doubleKey(keys.first ?? "", at: place, first: nil))
        }
      } catch {
        throw Diagnostics(SyntaxProblem.diagnostic(for: error, in: original))
      }
    }
  }

  /// Replaces the first character of the key at a mark by one that no key begins with.
  private mutating func disarm(at mark: Mark) -> Bool {
    var source = SourceText(text, file: original.file)
    let rest = source.rest(line: mark.line, column: mark.column)
    let isQuoted = rest.first == "\"" || rest.first == "'"
    guard disarmed.count < Self.mostDoubleKeys,
      let stand = Unicode.Scalar(0xE000 + UInt32(disarmed.count)),
      let letter = rest.dropFirst(isQuoted ? 1 : 0).first,
      letter.properties.isAlphabetic || ("0"..."9").contains(letter) || letter == "_"
    else { return false }
    source.replace(line: mark.line, column: mark.column + (isQuoted ? 1 : 0), with: stand)
    disarmed[stand] = letter
    text = source.text
    return true
  }
}

extension SourceText {
  /// The whole text again, with plain line ends.
  fileprivate var text: String {
    var view = String.UnicodeScalarView()
    for (number, line) in lines.enumerated() {
      if number > 0 { view.append("\n") }
      view.append(contentsOf: line)
    }
    return String(view)
  }

  fileprivate mutating func replace(line: Int, column: Int, with scalar: Unicode.Scalar) {
    replaceScalar(line: line - 1, column: column - 1, with: scalar)
  }
}

/// The message for a key that a mapping has twice.
func doubleKey(_ key: String, at place: SourceLocation, first: SourceLocation?) -> Diagnostic {
  Diagnostic(
    "\"\(key)\" stands here a second time",
    reason: first.map { "it was already set in line \($0.line), and only one can count" }
      ?? "a key can stand only once in a mapping",
    remedy: "keep one of them", at: place)
}
