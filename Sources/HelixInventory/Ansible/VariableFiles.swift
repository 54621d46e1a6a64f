internal import HelixModel

/// The variables of one group or host in group_vars/ or host_vars/.
struct FileVariables {
  var plain = Mapping()
  /// Of files that SOPS has encrypted, which Ansible reads after all others.
  var sealed = Mapping()
}

/// Finds and reads group_vars/ and host_vars/, by Ansible's rules for which files count, and those of
/// `community.sops` for encrypted ones.
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
  mutating func variables(in kind: String, known: [String]) -> [String: FileVariables] {
    let root = "\(folder)/\(kind)"
    guard let names = reader.names(in: root) else { return [:] }
    var sources: [String: [String]] = [:]
    for name in names where !isHidden(name) {
      sources[SealedVariables.stem(name) ?? stem(name), default: []].append(name)
    }
    var found: [String: FileVariables] = [:]
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

  private mutating func read(
    _ candidates: [String], of owner: String, in root: String
  ) -> FileVariables {
    var variables = FileVariables()
    var files: [String] = []
    if let path = first(of: [""] + Self.endings, for: owner, among: candidates, in: root) {
      files += reader.names(in: path) == nil ? [path] : filesBelow(path)
    }
    let sealed = SealedVariables.endings
    if let path = first(of: sealed, for: owner, among: candidates, in: root) { files.append(path) }
    for file in files {
      if SealedVariables.isSealed(file) {
        variables.sealed = variables.sealed.merging(readFile(file))
      } else {
        variables.plain = variables.plain.merging(readFile(file))
      }
    }
    return variables
  }

  /// The first of the files that Ansible looks for; the others are never read.
  private mutating func first(
    of endings: [String], for owner: String, among candidates: [String], in root: String
  ) -> String? {
    let ranked = endings.map { owner + $0 }.filter(candidates.contains)
    guard let first = ranked.first else { return nil }
    for shadowed in ranked.dropFirst() {
      problems.append(
        Diagnostic(
          "\(root)/\(shadowed) is never read",
          reason: "Ansible stops at \(root)/\(first), which stands beside it",
          remedy: "move one into the other", at: top(of: "\(root)/\(shadowed)")))
    }
    return "\(root)/\(first)"
  }

  /// The files of a folder, sorted, folders without a dot in their names included.
  private mutating func filesBelow(_ path: String) -> [String] {
    var files: [String] = []
    for name in (reader.names(in: path) ?? []).sorted() where !isHidden(name) {
      let inner = "\(path)/\(name)"
      if reader.names(in: inner) != nil {
        if !name.contains(".") { files += filesBelow(inner) }
      } else if !name.contains(".") || Self.endings.contains(where: { name.hasSuffix($0) }) {
        files.append(inner)
      }
    }
    return files
  }

  private func isHidden(_ name: String) -> Bool { name.hasPrefix(".") || name.hasSuffix("~") }

  private func stem(_ name: String) -> String {
    for ending in Self.endings where name.hasSuffix(ending) {
      return String(name.dropLast(ending.count))
    }
    return name
  }

  // MARK: - Reading

  private mutating func readFile(_ path: String) -> Mapping {
    do {
      guard let text = try reader.text(of: path) else { return Mapping() }
      if SealedVariables.isSealed(path) {
        let variables = try SealedVariables.read(text, file: path)
        warnAboutPriority(variables)
        return variables
      }
      guard let document = try YAMLReader.readOne(text, file: path) else { return Mapping() }
      guard let mapping = document.mapping else {
        problems.append(
          Diagnostic(
            "a file of variables must be a mapping, and this is \(document.value.typeName)",
            remedy: "write each variable as \"name: value\"", at: document.location))
        return Mapping()
      }
      warnAboutPriority(mapping)
      refuseUnmarked(mapping, path)
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

  private mutating func refuseUnmarked(_ variables: Mapping, _ path: String) {
    guard SealedVariables.isEncrypted(variables) else { return }
    problems.append(
      Diagnostic(
        "\(path) is encrypted with SOPS, and its name does not say so",
        reason: "its values would stand as ciphertext on hosts, with Ansible too",
        remedy: "rename it to end with .sops.yaml", at: top(of: path)))
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
