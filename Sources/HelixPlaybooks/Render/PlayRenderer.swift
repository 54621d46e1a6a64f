internal import HelixInventory
internal import HelixModel
internal import HelixTemplates

/// Turns a play as written into what it demands of its hosts.
struct PlayRenderer {
  private let reading: Reading
  private let estate: Estate
  private let selection: Selection
  private let renderer: Renderer

  init(reading: Reading, estate: Estate, selection: Selection) {
    self.reading = reading
    self.estate = estate
    self.selection = selection
    renderer = Renderer(sources: reading.sources.reader)
  }

  private var problems: Problems { reading.problems }

  /// The demand; nil when the play's own keys are at fault.
  func demand(of play: PlaySyntax) -> PlayDemand? {
    guard let scope = scope(of: play), let (pattern, hosts) = hosts(of: play, in: scope),
      let name = name(of: play, pattern, in: scope)
    else { return nil }
    var items = tasks(play.tasksBeforeRoles, of: play, on: hosts, in: scope)
    for role in play.roles where selection.tags.selects(role.tags) && !hosts.isEmpty {
      items.append(
        .role(RoleDemand(role: role.role.name, hosts: hosts, location: role.location)))
    }
    items += tasks(play.tasksAfterRoles, of: play, on: hosts, in: scope)
    return PlayDemand(name: name, hosts: hosts, items: items, location: play.location)
  }

  private func tasks(
    _ tasks: [TaskSyntax], of play: PlaySyntax, on hosts: [HostName], in scope: PlayScope
  ) -> [DemandItem] {
    let scopes = hosts.compactMap { estate.hosts[$0] }
    return tasks.filter { selection.tags.selects($0.tags) }.compactMap { task in
      let work = TaskRenderer(
        task: task, playBecome: play.become, play: scope, renderer: renderer, reading: reading)
      let demands = work.demands(on: scopes)
      return demands.isEmpty ? nil : .tasks(demands)
    }
  }

  // MARK: - The play's own keys

  private func hosts(
    of play: PlaySyntax, in scope: PlayScope
  ) -> (pattern: String, hosts: [HostName])? {
    problems.catching { () throws(Diagnostic) in
      let template = try NodeTemplate.first(play.hosts, reading.sources.reader)
      let node = try renderer.render(template, in: scope)
      var patterns: [Located<String>] = []
      for part in node.list ?? [node] {
        guard let text = part.text else {
          throw Keywords.wrongType(of: "hosts", part, wanted: "a host pattern")
        }
        patterns.append(Located(text, at: part.location))
      }
      guard let pattern = try HostPattern(joining: patterns) else {
        throw Keywords.wrongType(of: "hosts", node, wanted: "a host pattern")
      }
      return (pattern.text.value, try selection.hosts(of: pattern))
    }
  }

  private func name(of play: PlaySyntax, _ pattern: String, in scope: PlayScope) -> String? {
    guard let name = play.name else { return pattern }
    return problems.catching { () throws(Diagnostic) in
      try renderer.render(name, in: scope).value.templateText
    }
  }

  /// The play's variables, the strongest layer first.
  private func scope(of play: PlaySyntax) -> PlayScope? {
    let written = [play.variables.imported, play.variables.own]
    let outer = PlayScope(
      folder: play.folder, extraVariables: estate.extraVariables, layers: written)
    var files: [Mapping] = []
    var isSound = true
    for file in play.variables.files {
      if let mapping = variables(in: file, of: play, scope: outer) {
        files.insert(mapping, at: 0)
      } else {
        isSound = false
      }
    }
    guard isSound else { return nil }
    return PlayScope(
      folder: play.folder, extraVariables: estate.extraVariables, layers: files + written)
  }

  private func variables(
    in file: NodeTemplate, of play: PlaySyntax, scope: PlayScope
  ) -> Mapping? {
    let found = problems.catching { () throws(Diagnostic) in
      let path = try renderer.render(file, in: scope)
      guard let text = path.text else {
        throw Keywords.wrongType(of: "vars_files", path, wanted: "a path")
      }
      return try reading.sources.variables(text, beside: play.folder, at: path.location)
    }
    guard let found else { return nil }
    if SealedVariables.isSealed(found.path) {
      return problems.catchingAll { () throws(Diagnostics) in
        try SealedVariables.read(found.text, file: found.path)
      }
    }
    let root = problems.catchingAll { () throws(Diagnostics) in
      try YAMLReader.readOne(found.text, file: found.path)
    }
    guard let root else { return nil }
    guard let node = root else { return Mapping() }
    if let mapping = node.mapping { return mapping }
    problems.add(
      Diagnostic(
        "a file of variables must hold a mapping", reason: "this is \(node.value.typeName)",
        remedy: "write \"name: value\" lines", at: node.location))
    return nil
  }
}

extension NodeTemplate {
  /// A node taken apart; when it has many mistakes, the first is thrown.
  static func first(
    _ node: Node, _ sources: any SourceReader
  ) throws(Diagnostic) -> NodeTemplate {
    do { return try NodeTemplate(node, sources: sources) } catch { throw error.all[0] }
  }
}
