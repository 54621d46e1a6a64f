import HelixModel
import HelixPlan

/// What two states of one object differ in, field by field, what a server writes by itself left out.
struct ObjectDifference {
  private static let mostFields = 40
  private static let longest = 100
  /// Fields of the metadata that say how an object came to be, and not what it is.
  private static let bookkeeping: Set<String> = [
    "managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink",
  ]

  private var fields: [FieldChange] = []

  /// The changes that make the second of the first; all of it when there is no first.
  static func between(_ live: Mapping?, _ wanted: Mapping) -> [FieldChange] {
    var difference = ObjectDifference()
    difference.walkEntries("", live ?? Mapping(), wanted)
    let fields = difference.fields
    guard fields.count > mostFields else { return fields }
    return fields.prefix(mostFields)
      + [FieldChange("and \(fields.count - mostFields) more fields", after: "see the manifest")]
  }

  /// An object without what only a server writes: two of them are equal when they mean the same.
  static func meaning(of object: Mapping) -> Mapping {
    var kept = Mapping()
    for var entry in object.entries where entry.key != "status" {
      if entry.key == "metadata", let metadata = entry.value.mapping {
        entry.value.value = .mapping(Self.metadata(metadata))
      }
      kept.set(entry)
    }
    return kept
  }

  private static func metadata(_ metadata: Mapping) -> Mapping {
    var kept = Mapping()
    for var entry in metadata.entries where !bookkeeping.contains(entry.key) {
      if entry.key == "annotations", let annotations = entry.value.mapping {
        let others = annotations.entries.filter { $0.key != LiveSecret.lastApplied }
        guard !others.isEmpty else { continue }
        entry.value.value = .mapping(Mapping(others))
      }
      kept.set(entry)
    }
    return kept
  }
}

extension ObjectDifference {
  private mutating func walk(_ path: String, _ old: Node?, _ new: Node?) {
    if let old, let new, old.value == new.value { return }
    switch (old?.value, new?.value) {
    case (.mapping(let old), .mapping(let new)): walkEntries(path, old, new)
    case (nil, .mapping(let new)) where !new.isEmpty: walkEntries(path, Mapping(), new)
    case (.mapping(let old), nil) where !old.isEmpty: walkEntries(path, old, Mapping())
    case (.list(let old), .list(let new)): walkElements(path, old, new)
    case (nil, .list(let new)) where Self.holdsMappings(new): walkElements(path, [], new)
    case (.list(let old), nil) where Self.holdsMappings(old): walkElements(path, old, [])
    default: add(path, old, new)
    }
  }

  private mutating func walkEntries(_ path: String, _ old: Mapping, _ new: Mapping) {
    for key in Set(old.keys + new.keys).sorted() {
      walk(Self.path(path, key), old[key], new[key])
    }
  }

  private mutating func walkElements(_ path: String, _ old: [Node], _ new: [Node]) {
    if let before = Self.byName(old), let after = Self.byName(new) {
      for name in before.names + after.names.filter({ before.nodes[$0] == nil }) {
        walk("\(path)[\(name)]", before.nodes[name], after.nodes[name])
      }
      let common = before.names.filter { after.nodes[$0] != nil }
      let moved = after.names.filter { before.nodes[$0] != nil }
      guard common != moved else { return }
      fields.append(
        FieldChange(
          "order of \(path)", before: common.joined(separator: ", "),
          after: moved.joined(separator: ", ")))
    } else if Self.holdsMappings(old + new) {
      for number in 0..<max(old.count, new.count) {
        walk(
          "\(path)[\(number)]", old.count > number ? old[number] : nil,
          new.count > number ? new[number] : nil)
      }
    } else {
      let place = SourceLocation(file: "object", line: 1, column: 1)
      add(path, Node(.list(old), at: place), Node(.list(new), at: place))
    }
  }

  private static func holdsMappings(_ nodes: [Node]) -> Bool {
    nodes.contains { $0.mapping != nil }
  }

  /// The elements by their names, when each is a mapping that has one of its own.
  private static func byName(_ nodes: [Node]) -> (names: [String], nodes: [String: Node])? {
    let names = nodes.compactMap { $0.mapping?["name"]?.text }
    guard names.count == nodes.count, Set(names).count == names.count else { return nil }
    return (names, Dictionary(zip(names, nodes), uniquingKeysWith: { first, _ in first }))
  }

  private mutating func add(_ path: String, _ old: Node?, _ new: Node?) {
    let before = old.map(Self.shown)
    let after = new.map(Self.shown)
    if [before, after].contains(where: { Self.isLong($0) }) {
      fields.append(
        FieldChange(path, diff: unifiedDiff(from: before ?? "", to: after ?? "")))
    } else {
      fields.append(FieldChange(path, before: before, after: after))
    }
  }

  private static func isLong(_ text: String?) -> Bool {
    guard let text else { return false }
    return text.utf8.count > longest || text.utf8.contains(UInt8(ascii: "\n"))
  }

  private static func shown(_ node: Node) -> String {
    if let text = node.text { return text.isEmpty ? "\"\"" : text }
    if let list = node.list, !holdsMappings(list) {
      return "[\(list.map(shown).joined(separator: ", "))]"
    }
    return JSONText.write(node)
  }

  /// A key behind a path; keys such as `app.kubernetes.io/name` are set apart.
  private static func path(_ path: String, _ key: String) -> String {
    guard key.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }) else {
      return "\(path)[\(key)]"
    }
    return path.isEmpty ? key : "\(path).\(key)"
  }
}
