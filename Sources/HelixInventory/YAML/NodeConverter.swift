internal import HelixModel
internal import Yams

/// Turns Yams's nodes into located ones, gathering every mistake on the way.
struct NodeConverter {
  private let source: SourceText
  /// First characters of keys that were replaced to let Yams see past double keys.
  private let disarmed: [Unicode.Scalar: Unicode.Scalar]
  /// Aliases of aliases can make a small file stand for billions of values; without any, a file
  /// has fewer values than characters.
  private let mostNodes: Int
  private var count = 0
  private(set) var problems: [Diagnostic] = []

  init(source: SourceText, disarmed: [Unicode.Scalar: Unicode.Scalar]) {
    self.source = source
    self.disarmed = disarmed
    mostNodes = 100_000 + 10 * source.lines.reduce(0) { $0 + $1.count }
  }

  /// The located node for one of Yams's.
  mutating func convert(_ node: Yams.Node) -> HelixModel.Node {
    let place = location(of: node)
    count += 1
    guard count <= mostNodes else {
      if count == mostNodes + 1 { refuseExpansion(at: place) }
      return HelixModel.Node(.null, at: place)
    }
    switch node {
    case .scalar(let scalar): return convert(scalar, at: place)
    case .sequence(let sequence):
      checkTag(sequence.tag, allowed: ["", "!", "tag:yaml.org,2002:seq"], at: place)
      return HelixModel.Node(.list(sequence.map { convert($0) }), at: place)
    case .mapping(let mapping):
      checkTag(mapping.tag, allowed: ["", "!", "tag:yaml.org,2002:map"], at: place)
      return HelixModel.Node(.mapping(convert(mapping)), at: place)
    case .alias:
      // Yams resolves aliases while composing; none is left in a composed tree.
      return HelixModel.Node(.null, at: place)
    }
  }

  private func location(of node: Yams.Node) -> SourceLocation {
    guard let mark = node.mark else { return source.location(line: 1, column: 1) }
    let length =
      node.scalar.map {
        source.length(ofScalar: restored($0.string), line: mark.line, column: mark.column)
      } ?? 1
    return source.location(line: mark.line, column: mark.column, length: length)
  }

  private mutating func refuseExpansion(at place: SourceLocation) {
    problems.append(
      Diagnostic(
        "this file stands for too many values",
        reason: "aliases that repeat aliases multiply what they stand for",
        remedy: "write fewer aliases, or split the file", at: place))
  }
}

// MARK: - Mappings

extension NodeConverter {
  private mutating func convert(_ mapping: Yams.Node.Mapping) -> HelixModel.Mapping {
    var own: [HelixModel.Mapping.Entry] = []
    var merged = HelixModel.Mapping()
    var firstPlaces: [String: SourceLocation] = [:]
    for (keyNode, valueNode) in mapping {
      guard let key = key(keyNode) else { continue }
      let value = convert(valueNode)
      if key.value == "<<", keyNode.scalar?.style == .plain {
        merged = merge(value).merging(merged)
      } else if let first = firstPlaces[key.value] {
        problems.append(doubleKey(key.value, at: key.location, first: first))
      } else {
        firstPlaces[key.value] = key.location
        own.append(.init(key: key.value, keyLocation: key.location, value: value))
      }
    }
    guard !merged.isEmpty else { return HelixModel.Mapping(own) }
    // What a merge brings stands before the mapping's own entries, which win.
    return merged.merging(HelixModel.Mapping(own))
  }

  private mutating func key(_ node: Yams.Node) -> Located<String>? {
    let place = location(of: node)
    guard let scalar = node.scalar else {
      problems.append(keyProblem(at: place))
      return nil
    }
    return Located(restored(scalar.string), at: place)
  }

  /// A key that is a list or a mapping is nearly always an expression whose quotes are missing.
  private func keyProblem(at place: SourceLocation) -> Diagnostic {
    let before = source.rest(line: place.line, column: max(1, place.column - 1))
    if before.starts(with: "{{".unicodeScalars) {
      return Diagnostic(
        "a value that begins with {{ is not in quotation marks",
        reason: "YAML reads an unquoted { as the beginning of a mapping",
        remedy: "write \"{{ … }}\"",
        at: SourceLocation(
          file: place.file, line: place.line, column: place.column - 1, length: 2))
    }
    return Diagnostic(
      "a key must be text", reason: "here it is a list or a mapping",
      remedy: "write the key as one word, in quotation marks if need be", at: place)
  }

  private func restored(_ key: String) -> String {
    guard let first = key.unicodeScalars.first, let letter = disarmed[first] else { return key }
    return String(Character(letter))
      + key.unicodeScalars.dropFirst().reduce(into: "") {
        $0.unicodeScalars.append($1)
      }
  }

  /// What `<<` brings in: a mapping, or a list of mappings of which the first wins.
  private mutating func merge(_ value: HelixModel.Node) -> HelixModel.Mapping {
    switch value.value {
    case .mapping(let mapping): return mapping
    case .list(let elements):
      return elements.reversed().reduce(into: HelixModel.Mapping()) { result, element in
        result = result.merging(merge(element))
      }
    default:
      problems.append(
        Diagnostic(
          "\"<<\" takes a mapping, and this is \(value.value.typeName)",
          remedy: "name an anchored mapping, for example <<: *defaults", at: value.location))
      return HelixModel.Mapping()
    }
  }
}

// MARK: - Scalars and tags

extension NodeConverter {
  private mutating func convert(
    _ scalar: Yams.Node.Scalar, at place: SourceLocation
  ) -> HelixModel.Node {
    let tag = scalar.tag.description
    let isPlain = scalar.style == .plain
    switch tag {
    case "" where isPlain: return plain(scalar.string, at: place)
    case "", "!", "tag:yaml.org,2002:str":
      return HelixModel.Node(.text(scalar.string), at: place)
    case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool",
      "tag:yaml.org,2002:null":
      return plain(scalar.string, at: place)
    case "!vault": problems.append(vaultProblem(at: place))
    case "!unsafe": return unsafe(scalar.string, at: place)
    default: problems.append(tagProblem(tag, at: place))
    }
    return HelixModel.Node(.null, at: place)
  }

  private func plain(_ text: String, at place: SourceLocation) -> HelixModel.Node {
    let value = PlainScalar.value(of: text)
    if case .text = value { return HelixModel.Node(value, at: place) }
    return HelixModel.Node(value, at: place, written: text)
  }

  private mutating func unsafe(_ text: String, at place: SourceLocation) -> HelixModel.Node {
    if text.contains("{{") || text.contains("{%") || text.contains("{#") {
      problems.append(
        Diagnostic(
          "an !unsafe value with template marks is not supported yet",
          reason: "this version would fill the marks in, which !unsafe forbids",
          remedy: "write the marks as {{ '{{' }}, without !unsafe", at: place))
    }
    return HelixModel.Node(.text(text), at: place)
  }

  private func vaultProblem(at place: SourceLocation) -> Diagnostic {
    Diagnostic(
      "this value is encrypted with ansible-vault, which helix-infra does not read",
      reason:
        "secrets are kept in files encrypted with SOPS and age, and named where they are used",
      remedy: "decrypt it with \"ansible-vault decrypt\" and put it into a file under secrets/",
      at: place)
  }

  private mutating func checkTag(_ tag: Tag, allowed: [String], at place: SourceLocation) {
    let name = tag.description
    if !allowed.contains(name) { problems.append(tagProblem(name, at: place)) }
  }

  private func tagProblem(_ tag: String, at place: SourceLocation) -> Diagnostic {
    let standard = "tag:yaml.org,2002:"
    let shown = tag.hasPrefix(standard) ? "!!" + tag.dropFirst(standard.count) : tag
    return Diagnostic(
      "the tag \(shown) is not known", reason: "inventories and playbooks need no tags",
      remedy: "remove the tag, or quote the value if it should begin with an exclamation mark",
      at: place)
  }
}
