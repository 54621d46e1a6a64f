internal import HelixInventory
internal import HelixModel

/// Reads playbook files and what they import.
struct PlaybookLoader {
  private let reading: Reading
  /// The files that led here, to refuse circles.
  private var chain: [String] = []

  init(_ reading: Reading) { self.reading = reading }

  private var problems: Problems { reading.problems }

  /// The plays of a playbook named on the command line.
  mutating func plays(of path: String) -> [PlaySyntax] {
    plays(of: path, namedAt: nil, inheriting: Inheritance())
  }

  /// What an `import_playbook` hands down.
  private struct Inheritance {
    var tags: Set<String> = []
    var variables = Mapping()
  }

  private mutating func plays(
    of path: String, namedAt place: SourceLocation?, inheriting: Inheritance
  ) -> [PlaySyntax] {
    guard !chain.contains(path) else {
      problems.add(circle(path, at: place))
      return []
    }
    guard let text = text(of: path, namedAt: place) else { return [] }
    chain.append(path)
    defer { chain.removeLast() }
    let root = problems.catchingAll { () throws(Diagnostics) in
      try YAMLReader.readOne(text, file: path)
    }
    guard let root else { return [] }
    guard let list = root?.list, !list.isEmpty else {
      problems.add(noPlays(in: path, root))
      return []
    }
    return list.flatMap { entry(of: $0, in: path, inheriting: inheriting) }
  }

  private func text(of path: String, namedAt place: SourceLocation?) -> String? {
    do {
      if let text = try reading.sources.text(of: path) { return text }
      problems.add(missing(path, at: place))
    } catch {
      problems.add(error)
    }
    return nil
  }

  private mutating func entry(
    of node: Node, in path: String, inheriting: Inheritance
  ) -> [PlaySyntax] {
    guard let mapping = node.mapping else {
      problems.add(
        Diagnostic(
          "a play must be a mapping", reason: "it is \(node.value.typeName)",
          remedy: "begin it with \"- hosts:\" or \"- import_playbook:\"", at: node.location))
      return []
    }
    let keys = ["import_playbook", "ansible.builtin.import_playbook"]
    if let imported = keys.lazy.compactMap({ mapping[$0] }).first {
      return plays(importedBy: mapping, imported, in: path, inheriting: inheriting)
    }
    let parser = PlayParser(mapping, at: node.location, file: path, reading: reading)
    guard var play = parser.parse(inheritedTags: inheriting.tags) else { return [] }
    play.variables.imported = inheriting.variables
    return [play]
  }

  private mutating func plays(
    importedBy mapping: Mapping, _ imported: Node, in path: String, inheriting: Inheritance
  ) -> [PlaySyntax] {
    for entry in mapping.entries {
      if let complaint = Grammar.importPlaybook.complaint(about: entry) { problems.add(complaint) }
    }
    let keywords = Keywords(mapping: mapping, reading: reading)
    let inherited = Inheritance(
      tags: inheriting.tags.union(keywords.tags()),
      variables: keywords.variables().merging(inheriting.variables))
    guard let name = imported.text, !name.contains("{{") else {
      problems.add(Keywords.wrongType(of: "import_playbook", imported, wanted: "a plain path"))
      return []
    }
    let target = FilePath.joined(FilePath.folder(of: path), name)
    return plays(of: target, namedAt: imported.location, inheriting: inherited)
  }

  // MARK: - Messages

  private func circle(_ path: String, at place: SourceLocation?) -> Diagnostic {
    let start = chain.firstIndex(of: path) ?? 0
    return Diagnostic(
      "the playbook \"\(path)\" imports itself",
      reason: (chain[start...] + [path]).joined(separator: " → "), remedy: "remove one import",
      at: place.map(Diagnostic.Place.source))
  }

  private func missing(_ path: String, at place: SourceLocation?) -> Diagnostic {
    let folder = FilePath.folder(of: path)
    let names = reading.sources.names(in: folder) ?? []
    let nearest = nearestName(to: FilePath.name(of: path), among: names)
    return Diagnostic(
      "there is no playbook \"\(path)\"",
      remedy: nearest.map { "did you mean \"\(FilePath.joined(folder, $0))\"?" }
        ?? "correct the path, or write the playbook", at: place.map(Diagnostic.Place.source))
  }

  private func noPlays(in path: String, _ root: Node?) -> Diagnostic {
    Diagnostic(
      "\"\(path)\" holds no plays",
      reason: root.map { "a playbook is a list of plays, this is \($0.value.typeName)" },
      remedy: "begin with \"- hosts:\" or \"- import_playbook:\"",
      at: root?.location ?? SourceLocation(file: path, line: 1, column: 1))
  }
}
