/// Metadata as flat names and text, the only form that dotenv and INI have.
enum FlatMetadata {
  private static let map = "__map_"
  private static let list = "__list_"

  /// No metadata is deeper.
  private static let mostTokens = 16

  /// What a name is made of.
  private enum Token: Hashable {
    case key(String)
    case index(Int)
  }

  /// A value that grows while names are read.
  private final class Growing {
    var text: String?
    var keys: [(name: String, value: Growing)] = []
    var indices: [(index: Int, value: Growing)] = []
    private var known: [Token: Growing] = [:]

    func child(_ token: Token) -> Growing {
      if let child = known[token] { return child }
      let child = Growing()
      known[token] = child
      switch token {
      case .key(let name): keys.append((name, child))
      case .index(let index): indices.append((index, child))
      }
      return child
    }

    var value: MetadataValue? {
      switch (text, keys.isEmpty, indices.isEmpty) {
      case (let text?, true, true): return .text(text)
      case (nil, false, true):
        var fields: [MetadataValue.Field] = []
        for (name, child) in keys {
          guard let value = child.value else { return nil }
          fields.append(MetadataValue.Field(name, value))
        }
        return .fields(fields)
      case (nil, true, false):
        var items: [MetadataValue] = []
        for (_, child) in indices.sorted(by: { $0.index < $1.index }) {
          guard let value = child.value else { return nil }
          items.append(value)
        }
        return .list(items)
      default: return nil
      }
    }
  }

  /// The value that flat names and their text spell, with the place of each name.
  static func unflatten(
    _ entries: [(name: String, text: String, offset: Int)]
  ) throws(TextFault) -> MetadataValue {
    guard !entries.isEmpty else { return .fields([]) }
    let root = Growing()
    for entry in entries {
      var place = root
      let tokens = tokens(entry.name)
      guard tokens.count <= mostTokens else { throw TextFault(TextLimit.tooDeep, at: entry.offset) }
      for token in tokens { place = place.child(token) }
      guard place.text == nil else {
        throw TextFault("a field of SOPS's metadata stands twice", at: entry.offset)
      }
      place.text = entry.text
    }
    guard let value = root.value else {
      throw TextFault(
        "a field of SOPS's metadata is both text and something else", at: entries[0].offset)
    }
    return value
  }

  /// The parts of a name; of one that is too deep only the first, since each looks through the rest.
  private static func tokens(_ name: String) -> [Token] {
    var result: [Token] = []
    var rest = name[...]
    var separator = map
    while result.count <= mostTokens {
      let next = [map, list].compactMap { mark in rest.range(of: mark).map { (mark, $0) } }
        .min { $0.1.lowerBound < $1.1.lowerBound }
      let part = next.map { rest[..<$0.1.lowerBound] } ?? rest
      if separator == list, let index = Int(part), index >= 0 {
        result.append(.index(index))
      } else {
        result.append(.key(String(part)))
      }
      guard let (mark, range) = next else { return result }
      separator = mark
      rest = rest[range.upperBound...]
    }
    return result
  }

  /// Flat names and text in alphabetical order; empty lists and nothing have no name.
  static func flatten(_ value: MetadataValue) -> [(name: String, text: String)] {
    var result: [(name: String, text: String)] = []
    flatten(value, name: "", to: &result)
    return result.sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
  }

  private static func flatten(
    _ value: MetadataValue, name: String, to result: inout [(name: String, text: String)]
  ) {
    switch value {
    case .null: break
    case .text(let text): result.append((name, text))
    case .integer(let number): result.append((name, String(number)))
    case .boolean(let flag): result.append((name, flag ? "true" : "false"))
    case .list(let items):
      for (index, item) in items.enumerated() {
        flatten(item, name: name + list + String(index), to: &result)
      }
    case .fields(let fields):
      for field in fields {
        flatten(field.value, name: name.isEmpty ? field.name : name + map + field.name, to: &result)
      }
    }
  }

  /// Text on one line, and back; both ways as upstream does it.
  static func escaped(_ text: String) -> String { text.replacing("\n", with: "\\n") }
  static func unescaped(_ text: String) -> String { text.replacing("\\n", with: "\n") }
}

extension Substring {
  /// The first place of some text.
  fileprivate func range(of text: String) -> Range<Index>? { firstRange(of: text) }
}
