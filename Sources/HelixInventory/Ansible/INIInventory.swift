internal import HelixModel

/// Fills a draft from Ansible's INI form: `[group]`, `[group:children]`, `[group:vars]`.
struct INIInventory {
  private enum Section { case hosts, children, variables }

  /// A group that a section names before any section defines it.
  private struct Awaited {
    var name: String
    var location: SourceLocation
    var isChild: Bool
  }

  private let file: String
  private(set) var draft = InventoryDraft()
  private var group = InventoryDraft.ungrouped
  /// Nil below a header that could not be read, whose lines could mean anything.
  private var section: Section? = .hosts
  private var defined: Set<String> = [InventoryDraft.all, InventoryDraft.ungrouped]
  private var awaited: [Awaited] = []

  init(file: String) { self.file = file }

  mutating func read(_ text: String) {
    let lines = SourceText(text, file: file).lines
    for (number, scalars) in lines.enumerated() {
      let line = scalars.reduce(into: "") { $0.unicodeScalars.append($1) }
      let content = line.trimmingBlanks
      guard let first = content.first, first != "#", first != ";" else { continue }
      let column = line.count - line.drop(while: \.isWhitespace).count + 1
      let place = SourceLocation(
        file: file, line: number + 1, column: column, length: content.count)
      do throws(Diagnostic) {
        try readLine(content, at: place)
      } catch {
        draft.problems.append(error)
      }
    }
    refuseUndefined()
  }

  private mutating func readLine(_ line: String, at place: SourceLocation) throws(Diagnostic) {
    guard line.first != "[" else {
      section = nil
      return try readHeader(line, at: place)
    }
    switch section {
    case .hosts: try readHost(line, at: place)
    case .children: readChild(line, at: place)
    case .variables: try readVariable(line, at: place)
    case nil: break
    }
  }

  // MARK: - Lines

  private mutating func readHeader(_ line: String, at place: SourceLocation) throws(Diagnostic) {
    let code = line.split(separator: "#", maxSplits: 1)[0].description.trimmingBlanks
    let parts = code.dropFirst().dropLast().split(separator: ":", omittingEmptySubsequences: false)
    guard code.last == "]", let name = parts.first, !name.isEmpty, parts.count <= 2,
      !name.contains(where: \.isWhitespace)
    else {
      throw Diagnostic(
        "\"\(line)\" is not a section", reason: "a section names a group, without blanks",
        remedy: "write [group], [group:children] or [group:vars]", at: place)
    }
    section =
      switch parts.count == 1 ? "hosts" : parts[1] {
      case "hosts": .hosts
      case "children": .children
      case "vars": .variables
      case let other:
        throw Diagnostic(
          "\"\(other)\" is not a sort of section",
          remedy: suggestion(for: String(other), among: ["children", "hosts", "vars"]), at: place)
      }
    group = String(name)
    if section == .variables {
      awaited.append(Awaited(name: group, location: place, isChild: false))
    } else {
      defined.insert(group)
    }
    draft.addGroup(group, at: place)
  }

  private mutating func readHost(_ line: String, at place: SourceLocation) throws(Diagnostic) {
    guard let words = ShellWords.split(line, comments: true), let name = words.first else {
      throw Diagnostic(
        "this line has a quotation mark that is never closed", remedy: "close it", at: place)
    }
    let namePlace = SourceLocation(
      file: file, line: place.line, column: place.column, length: name.count)
    let (names, port) = try HostRange.expand(Located(name, at: namePlace))
    var variables = Mapping()
    if let port {
      variables.set(entry("ansible_port", Node(.integer(port), at: namePlace, written: "\(port)")))
    }
    for word in words.dropFirst() {
      guard let equals = word.firstIndex(of: "=") else {
        throw Diagnostic(
          "\"\(word)\" is not a variable", reason: "after a host's name stand variables only",
          remedy: "write name=value, with quotation marks around a value that has blanks",
          at: wordPlace(word, in: line, at: place))
      }
      let value = String(word[word.index(after: equals)...])
      let location = wordPlace(word, in: line, at: place)
      variables.set(
        .init(
          key: String(word[..<equals]), keyLocation: location,
          value: INIValue.node(value, at: location)))
    }
    for name in names {
      draft.addHost(name, to: group, at: namePlace)
      draft.setVariables(variables, ofHost: name)
    }
  }

  private mutating func readChild(_ line: String, at place: SourceLocation) {
    let name = line.split(whereSeparator: { $0.isWhitespace || $0 == "#" })[0].description
    let location = SourceLocation(
      file: file, line: place.line, column: place.column, length: name.count)
    awaited.append(Awaited(name: name, location: location, isChild: true))
    draft.addGroup(name, at: location)
    draft.addChild(name, to: group, at: location)
  }

  private mutating func readVariable(
    _ line: String, at place: SourceLocation
  ) throws(Diagnostic) {
    guard let equals = line.firstIndex(of: "=") else {
      throw Diagnostic(
        "\"\(line)\" is not a variable", remedy: "write name=value, or name = value", at: place)
    }
    let key = line[..<equals].trimmingBlanks
    let value = line[line.index(after: equals)...].trimmingBlanks
    let keyPlace = SourceLocation(
      file: file, line: place.line, column: place.column, length: key.count)
    draft.setVariables(
      Mapping([.init(key: key, keyLocation: keyPlace, value: INIValue.node(value, at: place))]),
      ofGroup: group)
  }

  // MARK: - Helpers

  private mutating func refuseUndefined() {
    for one in awaited where !defined.contains(one.name) {
      draft.problems.append(
        Diagnostic(
          "the group \"\(one.name)\" is not defined",
          reason: one.isChild
            ? "a child must have a section of its own" : "variables need a group to belong to",
          remedy: nearestName(to: one.name, among: defined).map { "did you mean \"\($0)\"?" }
            ?? "add a section [\(one.name)]", at: one.location))
    }
  }

  private func entry(_ key: String, _ value: Node) -> Mapping.Entry {
    .init(key: key, keyLocation: value.location, value: value)
  }

  /// Where a word stands; exact unless it was quoted.
  private func wordPlace(
    _ word: String, in line: String, at place: SourceLocation
  ) -> SourceLocation {
    let wanted = Array(word)
    let characters = Array(line)
    guard characters.count >= wanted.count else { return place }
    for start in 0...(characters.count - wanted.count)
    where Array(characters[start..<(start + wanted.count)]) == wanted {
      return SourceLocation(
        file: file, line: place.line, column: place.column + start, length: wanted.count)
    }
    return place
  }
}
