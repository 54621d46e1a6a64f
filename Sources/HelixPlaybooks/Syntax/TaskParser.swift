internal import HelixModel
internal import HelixTemplates

/// Checks one task's keys and takes it apart.
struct TaskParser {
  private let mapping: Mapping
  private let location: SourceLocation
  private let folder: String
  private let reading: Reading
  private let keywords: Keywords

  /// Nil, with a message, when the node is no task at all.
  init?(_ node: Node, folder: String, reading: Reading) {
    guard let mapping = node.mapping else {
      reading.problems.add(
        Diagnostic(
          "a task must be a mapping", reason: "it is \(node.value.typeName)",
          remedy: "write a module and its arguments", at: node.location))
      return nil
    }
    self.mapping = mapping
    self.folder = folder
    self.reading = reading
    location = node.location
    keywords = Keywords(mapping: mapping, reading: reading)
  }

  private var problems: Problems { reading.problems }

  /// The task; nil when it has no module that we know.
  func parse(inheritedTags: Set<String>) -> TaskSyntax? {
    let chosen = module()
    let (name, become, tags) = (keywords.name(), keywords.become(), keywords.tags())
    let variables = keywords.variables()
    let loop = loop()
    guard let (entry, module) = chosen else { return nil }
    let parser = CallParser(module, entry, args: mapping.entry("args"), folder: folder, reading)
    guard let call = parser.parse() else { return nil }
    return TaskSyntax(
      name: name, call: call, loop: loop, variables: variables, become: become,
      tags: inheritedTags.union(tags), location: entry.keyLocation)
  }

  // MARK: - The module

  /// The one key that names a module; everything wrong with the others is reported on the way.
  private func module() -> (Mapping.Entry, ModuleSpec)? {
    var found: [(Mapping.Entry, ModuleSpec)] = []
    var strange: [Mapping.Entry] = []
    var isExplained = false
    for entry in mapping.entries {
      if let module = reading.catalogue.module(entry.key) {
        found.append((entry, module))
      } else if Grammar.task.knows(entry.key) {
        guard let complaint = Grammar.task.complaint(about: entry) else { continue }
        isExplained = isExplained || Self.standsForModule.contains(entry.key)
        problems.add(complaint)
      } else {
        strange.append(entry)
      }
    }
    for entry in strange {
      problems.add(found.isEmpty ? unknownModule(entry) : Grammar.task.unknown(entry))
    }
    if let second = found.dropFirst().first {
      problems.add(twoModules(found[0].0, second.0))
      return nil
    }
    if found.isEmpty, strange.isEmpty, !isExplained {
      problems.add(
        Diagnostic(
          "this task has no module", remedy: "say what should be so, for example with copy",
          at: location))
    }
    return found.first
  }

  /// Keys that a task may have in the place of a module.
  private static let standsForModule: Set<String> = ["action", "block", "local_action"]

  private func unknownModule(_ entry: Mapping.Entry) -> Diagnostic {
    if let short = ForeignModules.shortName(of: entry.key) {
      return Diagnostic(
        "the module \"\(entry.key)\" is not supported by this version yet",
        reason: ForeignModules.reason(for: short),
        remedy: ForeignModules.remedy(for: short), at: entry.keyLocation)
    }
    let modules = reading.catalogue.modules.flatMap(\.names)
    let keys = Grammar.task.supported.union(Grammar.task.others)
    let remedy =
      nearestName(to: entry.key, among: modules + keys).map { "did you mean \"\($0)\"?" }
      ?? "known: "
      + reading.catalogue.modules.compactMap(\.names.first).sorted()
      .joined(separator: ", ")
    return Diagnostic(
      "no module is named \"\(entry.key)\"",
      reason: "this version of helix-infra knows only modules whose difference it can show",
      remedy: remedy, at: entry.keyLocation)
  }

  private func twoModules(_ first: Mapping.Entry, _ second: Mapping.Entry) -> Diagnostic {
    Diagnostic(
      "a task has one module, this is the second",
      reason: "\"\(first.key)\" stands in line \(first.keyLocation.line) already",
      remedy: "make two tasks of it", at: second.keyLocation)
  }

  // MARK: - Loops

  private func loop() -> LoopSyntax? {
    let control = loopControl()
    guard let entry = mapping.entry("loop") ?? mapping.entry("with_items") else {
      if let control = mapping.entry("loop_control") {
        problems.add(
          Diagnostic(
            "\"loop_control\" has no loop to control", remedy: "add \"loop:\", or remove it",
            at: control.keyLocation))
      }
      return nil
    }
    if entry.key == "loop", let other = mapping.entry("with_items") {
      problems.add(
        Diagnostic(
          "a task has one loop, this is the second", remedy: "keep one of them",
          at: other.keyLocation))
    }
    let elements = problems.catchingAll { () throws(Diagnostics) in
      try NodeTemplate(entry.value, sources: reading.sources.reader)
    }
    guard let elements else { return nil }
    if entry.key == "loop", elements.isConstant, entry.value.list == nil {
      problems.add(Keywords.wrongType(of: "loop", entry.value, wanted: "a list"))
      return nil
    }
    return LoopSyntax(
      elements: elements, flattens: entry.key == "with_items",
      variable: control?["loop_var"]?.text ?? "item", label: label(control))
  }

  private func loopControl() -> Mapping? {
    guard let node = mapping["loop_control"] else { return nil }
    guard let control = node.mapping else {
      problems.add(Keywords.wrongType(of: "loop_control", node, wanted: "a mapping"))
      return nil
    }
    for entry in control.entries {
      if let complaint = Grammar.loopControl.complaint(about: entry) { problems.add(complaint) }
    }
    if let variable = control["loop_var"], variable.text == nil {
      problems.add(Keywords.wrongType(of: "loop_var", variable, wanted: "the name of a variable"))
    }
    return control
  }

  private func label(_ control: Mapping?) -> NodeTemplate? {
    guard let node = control?["label"] else { return nil }
    return problems.catchingAll { () throws(Diagnostics) in
      try NodeTemplate(node, sources: reading.sources.reader)
    }
  }
}
