internal import HelixModel
internal import HelixTemplates

/// Checks one play's keys and takes it apart.
struct PlayParser {
  private let mapping: Mapping
  private let location: SourceLocation
  private let file: String
  private let reading: Reading
  private let keywords: Keywords

  init(_ mapping: Mapping, at location: SourceLocation, file: String, reading: Reading) {
    self.mapping = mapping
    self.location = location
    self.file = file
    self.reading = reading
    keywords = Keywords(mapping: mapping, reading: reading)
  }

  private var problems: Problems { reading.problems }

  /// The play; nil when it does not even say on which hosts.
  func parse(inheritedTags: Set<String>) -> PlaySyntax? {
    for entry in mapping.entries {
      if let complaint = Grammar.play.complaint(about: entry) { problems.add(complaint) }
    }
    refuseFatalErrors()
    _ = keywords.truth("gather_facts")
    let tags = inheritedTags.union(keywords.tags())
    let folder = FilePath.folder(of: file)
    let variables = PlayVariables(
      own: keywords.variables(), imported: Mapping(), files: variableFiles())
    let play = PlaySyntax(
      name: keywords.name(), hosts: mapping["hosts"] ?? Node(.null, at: location),
      become: keywords.become(), variables: variables, tags: tags,
      roles: keywords.list("roles").compactMap { role($0, tags: tags) },
      tasksBeforeRoles: tasks("pre_tasks", tags, folder),
      tasksAfterRoles: tasks("tasks", tags, folder) + tasks("post_tasks", tags, folder),
      folder: folder, location: location)
    guard mapping["hosts"] != nil else {
      problems.add(
        Diagnostic(
          "this play does not say on which hosts", remedy: "add \"hosts:\" with a host pattern",
          at: location))
      return nil
    }
    return play
  }

  private func tasks(_ key: String, _ tags: Set<String>, _ folder: String) -> [TaskSyntax] {
    keywords.list(key).compactMap { node in
      TaskParser(node, folder: folder, reading: reading)?.parse(inheritedTags: tags)
    }
  }

  /// `any_errors_fatal: true` would stop siblings of a failed step, which no plan does.
  private func refuseFatalErrors() {
    guard keywords.truth("any_errors_fatal") == true, let entry = mapping.entry("any_errors_fatal")
    else { return }
    problems.add(
      Diagnostic(
        "\"any_errors_fatal: true\" is not supported by this version yet",
        reason: "a failed step stops only what waits for it", remedy: "remove it",
        at: entry.keyLocation))
  }

  private func variableFiles() -> [NodeTemplate] {
    guard let node = mapping["vars_files"], node.value != .null else { return [] }
    var files: [NodeTemplate] = []
    for element in node.list ?? [node] {
      guard element.text != nil else {
        problems.add(Keywords.wrongType(of: "vars_files", element, wanted: "a path"))
        continue
      }
      let file = problems.catchingAll { () throws(Diagnostics) in
        try NodeTemplate(element, sources: reading.sources.reader)
      }
      if let file { files.append(file) }
    }
    return files
  }

  // MARK: - Roles

  private func role(_ node: Node, tags: Set<String>) -> RoleSyntax? {
    var own: Set<String> = []
    var nameNode = node
    if let mapping = node.mapping {
      for entry in mapping.entries {
        if let complaint = Grammar.role.complaint(about: entry) { problems.add(complaint) }
      }
      own = Keywords(mapping: mapping, reading: reading).tags()
      nameNode = mapping["role"] ?? mapping["name"] ?? node
    }
    guard let name = nameNode.text else {
      problems.add(
        Diagnostic(
          "a role must be named", reason: "this is \(nameNode.value.typeName)",
          remedy: "write its name, or \"role:\" and its name", at: nameNode.location))
      return nil
    }
    guard let role = reading.catalogue.role(name) else {
      problems.add(unknownRole(name, at: nameNode.location))
      return nil
    }
    if let reason = role.notYet {
      problems.add(
        Diagnostic(
          "the role \"\(name)\" cannot be applied by this version yet", reason: reason,
          remedy: "remove it from this play", at: nameNode.location))
      return nil
    }
    return RoleSyntax(role: role, tags: tags.union(own), location: nameNode.location)
  }

  private func unknownRole(_ name: String, at place: SourceLocation) -> Diagnostic {
    let known = reading.catalogue.roles.map(\.name)
    return Diagnostic(
      "no role is named \"\(name)\"",
      reason: "this version of helix-infra knows only its own roles, none made of tasks",
      remedy: suggestion(for: name, among: known) ?? "write its tasks into the play", at: place)
  }
}
