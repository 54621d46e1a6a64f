internal import HelixModel

/// Finds and reads group_vars/ and host_vars/, by Ansible's rules for which files count.
struct VariableFiles {
  /// Ansible takes the first that exists: the bare name (a folder or a file), then these.
  private static let endings = [".yml", ".yaml", ".json"]

  private let reader: any SourceReader
  private let folder: String
  private(set) var problems: [Diagnostic] = []
  private(set) var warnings: [Diagnostic] = []

  /// - Parameters:
  ///   - folder: The folder that holds group_vars/ and host_vars/.
  ///   - reader: Reads the files.
  init(in folder: String, reader: any SourceReader) {
    self.folder = folder
    self.reader = reader
  }

  /// The variables of every name that has any, from `group_vars` or `host_vars`.
  ///
  /// - Parameters:
  ///   - kind: `group_vars` or `host_vars`.
  ///   - known: The groups or hosts that exist.
  /// - Returns: Merged variables by the name of their group or host.
  mutating func variables(in kind: String, known: [String]) -> [String: Mapping] {
    let root = "\(folder)/\(kind)"
    guard let names = reader.names(in: root) else { return [:] }
    var sources: [String: [String]] = [:]
    for name in names where !isHidden(name) {
      if isEncrypted(name) {
        refuseEncrypted("\(root)/\(name)")
      } else {
        sources[stem(name), default: []].append(name)
      }
    }
    var found: [String: Mapping] = [:]
    let existing = Set(known)
    for (owner, candidates) in sources.sorted(by: { $0.key < $1.key }) {
      guard existing.contains(owner) else {
        warnUnused("\(root)/\(candidates[0])", owner: owner, kind: kind, known: known)
        continue
      }
      found[owner] = read(candidates, of: owner, in: root)
    }
    return found
  }

  // MARK: - Which files count

  private mutating func read(_ candidates: [String], of owner: String, in root: String) -> Mapping {
    let order = [owner] + Self.endings.map { owner + $0 }
    let ranked = order.filter(candidates.contains)
    guard let first = ranked.first else { return Mapping() }
    for shadowed in ranked.dropFirst() {
      problems.append(
        Diagnostic(
          "\(root)/\(shadowed) is never read",
          reason: "Ansible stops at \(root)/\(first), which stands beside it",
          remedy: "move one into the other", at: top(of: "\(root)/\(shadowed)")))
    }
    let path = "\(root)/\(first)"
    guard reader.names(in: path) != nil else { return readFile(path) }
    return filesBelow(path).reduce(Mapping()) { $0.merging(readFile($1)) }
  }

  /// The files of a folder, sorted, folders without a dot in their names included.
  private mutating func filesBelow(_ path: String) -> [String] {
    var files: [String] = []
    for name in (reader.names(in: path) ?? []).sorted() where !isHidden(name) {
      let inner = "\(path)/\(name)"
      if reader.names(in: inner) != nil {
        if !name.contains(".") { files += filesBelow(inner) }
      } else if isEncrypted(name) {
        refuseEncrypted(inner)
      } else if !name.contains(".") || Self.endings.contains(where: { name.hasSuffix($0) }) {
        files.append(inner)
      }
    }
    return files
  }

  private func isHidden(_ name: String) -> Bool { name.hasPrefix(".") || name.hasSuffix("~") }

  private func isEncrypted(_ name: String) -> Bool {
    [".sops.yaml", ".sops.yml", ".sops.json"].contains { name.hasSuffix($0) }
  }

  private func stem(_ name: String) -> String {
    for ending in Self.endings where name.hasSuffix(ending) {
      return String(name.dropLast(ending.count))
    }
    return name
  }

  // MARK: - Reading

  private mutating func readFile(_ path: String) -> Mapping {
    do {
      guard let text = try reader.text(of: path),
        let document = try YAMLReader.readOne(text, file: path)
      else { return Mapping() }
      guard let mapping = document.mapping else {
        problems.append(
          Diagnostic(
            "a file of variables must be a mapping, and this is \(document.value.typeName)",
            remedy: "write each variable as \"name: value\"", at: document.location))
        return Mapping()
      }
      warnAboutPriority(mapping)
      return mapping
    } catch let error as Diagnostics {
      problems += error.all
    } catch let error as Diagnostic {
      problems.append(error)
    } catch {
      problems.append(Diagnostic("\(error)", at: top(of: path)))
    }
    return Mapping()
  }

  private mutating func warnAboutPriority(_ variables: Mapping) {
    guard let entry = variables.entry("ansible_group_priority") else { return }
    warnings.append(
      Diagnostic(
        "ansible_group_priority has no effect here",
        reason: "Ansible reads it only from the vars of a group in the inventory file",
        remedy: "move it to hosts.yaml", at: entry.keyLocation, severity: .warning))
  }

  private mutating func refuseEncrypted(_ path: String) {
    problems.append(
      Diagnostic(
        "\(path) is encrypted, and this version cannot decrypt variable files yet",
        reason: "its variables would be missing, or stand as ciphertext on hosts",
        remedy: "name secrets in cluster.yaml, and keep other variables in a plain file",
        at: top(of: path)))
  }

  private mutating func warnUnused(
    _ path: String, owner: String, kind: String, known: [String]
  ) {
    let word = kind == "group_vars" ? "group" : "host"
    warnings.append(
      Diagnostic(
        "\(path) belongs to no \(word)", reason: "no \(word) is named \"\(owner)\"",
        remedy: nearestName(to: owner, among: known).map { "did you mean \"\($0)\"?" }
          ?? "name it after a \(word) in hosts.yaml, or remove it",
        at: top(of: path), severity: .warning))
  }

  private func top(of path: String) -> SourceLocation {
    SourceLocation(file: path, line: 1, column: 1)
  }
}
