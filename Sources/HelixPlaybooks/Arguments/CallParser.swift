internal import HelixModel
internal import HelixTemplates

/// Checks a module's arguments against what the module knows.
struct CallParser {
  /// What a source file's text is called when the kinds see it.
  static let contentName = "content"

  private let module: ModuleSpec
  private let entry: Mapping.Entry
  private let args: Mapping.Entry?
  private let folder: String
  private let reading: Reading

  init(
    _ module: ModuleSpec, _ entry: Mapping.Entry, args: Mapping.Entry?, folder: String,
    _ reading: Reading
  ) {
    self.module = module
    self.entry = entry
    self.args = args
    self.folder = folder
    self.reading = reading
  }

  private var problems: Problems { reading.problems }

  /// The call; nil when something in it was refused.
  func parse() -> ModuleCall? {
    guard let written = writtenArguments() else { return nil }
    var taken: [String: Mapping.Entry] = [:]
    var arguments: [ModuleCall.Argument] = []
    var isSound = true
    for entry in written {
      guard let parameter = parameter(entry) else {
        isSound = false
        continue
      }
      if let first = taken[parameter.name] {
        problems.add(twice(entry, first, parameter))
        isSound = false
        continue
      }
      taken[parameter.name] = entry
      guard entry.value.value != .null else { continue }
      if let argument = argument(entry, parameter) {
        arguments.append(argument)
      } else {
        isSound = false
      }
    }
    let call = ModuleCall(
      module: module, word: entry.key, location: entry.keyLocation, arguments: arguments,
      folder: folder)
    return checkPresence(taken, of: call) && isSound ? call : nil
  }

  // MARK: - What is written

  private func writtenArguments() -> [Mapping.Entry]? {
    guard var own = arguments(in: entry) else { return nil }
    guard let args else { return own }
    guard let more = args.value.mapping else {
      problems.add(Keywords.wrongType(of: "args", args.value, wanted: "a mapping"))
      return nil
    }
    let known = Set(own.map(\.key))
    own += more.entries.filter { !known.contains($0.key) }
    return own
  }

  private func arguments(in entry: Mapping.Entry) -> [Mapping.Entry]? {
    switch entry.value.value {
    case .null: return []
    case .mapping(let mapping): return mapping.entries
    case .text(let text):
      let freeForm = FreeForm(text, in: entry.value, sources: reading.sources.reader)
      return problems.catchingAll { () throws(Diagnostics) in try freeForm.entries() }
    default:
      problems.add(Keywords.wrongType(of: entry.key, entry.value, wanted: "a mapping of arguments"))
      return nil
    }
  }

  private func parameter(_ entry: Mapping.Entry) -> ModuleSpec.Parameter? {
    let found = module.parameters.first {
      $0.name == entry.key || $0.aliases.contains(entry.key)
    }
    if let found { return found }
    let known = module.parameters.flatMap { [$0.name] + $0.aliases }
    problems.add(
      Diagnostic(
        "\"\(self.entry.key)\" has no argument \"\(entry.key)\" in this version",
        reason: "leaving it out silently would change what the task does",
        remedy: suggestion(for: entry.key, among: known) ?? "remove it", at: entry.keyLocation))
    return nil
  }

  // MARK: - One argument

  private func argument(
    _ entry: Mapping.Entry, _ parameter: ModuleSpec.Parameter
  ) -> ModuleCall.Argument? {
    let template = problems.catchingAll { () throws(Diagnostics) in
      try NodeTemplate(entry.value, sources: reading.sources.reader)
    }
    guard let template else { return nil }
    let content: ModuleCall.Content?
    if case .sourceFile(let rendered) = parameter.type {
      content =
        template.isConstant
        ? file(entry, rendered: rendered) : .file(template, rendered: rendered)
    } else if template.isConstant {
      let node = problems.catching { () throws(Diagnostic) in
        try Coercion(parameter, of: self.entry.key).coerced(entry.value)
      }
      content = (node ?? nil).map(ModuleCall.Content.fixed)
    } else {
      content = .template(template)
    }
    return content.map {
      .init(parameter: parameter, keyLocation: entry.keyLocation, content: $0)
    }
  }

  /// A file whose path is known now is read now, so that a mistake in it shows without any host.
  private func file(_ entry: Mapping.Entry, rendered: Bool) -> ModuleCall.Content? {
    let place = entry.value.location
    guard let path = entry.value.text else {
      problems.add(Keywords.wrongType(of: entry.key, entry.value, wanted: "a path"))
      return nil
    }
    guard rendered else {
      return problems.catching { () throws(Diagnostic) in
        let text = try reading.sources.file(path, beside: folder, at: place)
        return .fixed(Node(.text(text), at: place))
      }
    }
    return problems.catchingAll { () throws(Diagnostics) in
      let template = try reading.sources.template(path, beside: folder, at: place)
      return .fileTemplate(template, at: place)
    }
  }

  // MARK: - What is missing or too much

  private func checkPresence(_ taken: [String: Mapping.Entry], of call: ModuleCall) -> Bool {
    var isSound = true
    for parameter in module.parameters where parameter.isRequired {
      guard (taken[parameter.name]?.value.value ?? .null) == .null else { continue }
      problems.add(call.missing(parameter))
      isSound = false
    }
    let sourceFile = module.parameters.first { parameter in
      if case .sourceFile = parameter.type { true } else { false }
    }
    guard let sourceFile, module.parameters.contains(where: { $0.name == Self.contentName }) else {
      return isSound
    }
    return checkContent(taken, orFile: sourceFile.name) && isSound
  }

  private func checkContent(_ taken: [String: Mapping.Entry], orFile file: String) -> Bool {
    switch (taken[Self.contentName], taken[file]) {
    case (nil, nil):
      problems.add(
        Diagnostic(
          "\"\(entry.key)\" needs the argument \"\(Self.contentName)\" or \"\(file)\"",
          remedy: "add one of them", at: entry.keyLocation))
      return false
    case (let content?, let source?):
      problems.add(
        Diagnostic(
          "\"\(Self.contentName)\" and \"\(file)\" exclude each other",
          remedy: "keep one of them", at: max(content.keyLocation, source.keyLocation)))
      return false
    default: return true
    }
  }

  private func twice(
    _ entry: Mapping.Entry, _ first: Mapping.Entry, _ parameter: ModuleSpec.Parameter
  ) -> Diagnostic {
    let other = first.key == entry.key ? "it" : "\"\(first.key)\", another name for it,"
    return Diagnostic(
      "the argument \"\(entry.key)\" is given twice",
      reason: "\(other) stands in line \(first.keyLocation.line) already",
      remedy: "keep one of them", at: entry.keyLocation)
  }
}
