internal import HelixModel
internal import HelixTemplates

/// A module with its arguments: what is the same for every host is already checked and filled in.
struct ModuleCall {
  /// One argument under its parameter's own name.
  struct Argument {
    var parameter: ModuleSpec.Parameter
    var keyLocation: SourceLocation
    var content: Content
  }

  enum Content {
    /// Checked, and the same everywhere.
    case fixed(Node)
    case template(NodeTemplate)
    /// A file whose path is the same everywhere, and whose templates are filled in.
    case fileTemplate(Template, at: SourceLocation)
    /// A file whose path is a template.
    case file(NodeTemplate, rendered: Bool)
  }

  let module: ModuleSpec
  /// The module's name as the task writes it.
  let word: String
  let location: SourceLocation
  let arguments: [Argument]
  /// The playbook's folder, beside which files are looked for.
  let folder: String
  /// All arguments, when none of them depends on the host.
  let constant: Mapping?

  init(
    module: ModuleSpec, word: String, location: SourceLocation, arguments: [Argument],
    folder: String
  ) {
    self.module = module
    self.word = word
    self.location = location
    self.arguments = arguments
    self.folder = folder
    var constant: Mapping? = Mapping()
    for argument in arguments {
      if case .fixed(let node) = argument.content {
        constant?.set(Self.entry(argument, node))
      } else {
        constant = nil
      }
    }
    self.constant = constant
  }

  /// The name the module is known by: `ansible.builtin.copy`.
  var fullName: String { module.names.first ?? word }

  /// The arguments with the variables of one host.
  func arguments(
    in scope: TaskScope, _ renderer: Renderer, _ sources: SourceFiles
  ) throws(Diagnostic) -> Mapping {
    if let constant { return constant }
    var mapping = Mapping()
    for argument in arguments {
      if let node = try node(of: argument, in: scope, renderer, sources) {
        mapping.set(Self.entry(argument, node))
      } else if argument.parameter.isRequired {
        throw missing(argument.parameter)
      }
    }
    return mapping
  }

  private func node(
    of argument: Argument, in scope: TaskScope, _ renderer: Renderer, _ sources: SourceFiles
  ) throws(Diagnostic) -> Node? {
    switch argument.content {
    case .fixed(let node): return node
    case .template(let template):
      let node = try renderer.render(template, in: scope)
      return try Coercion(argument.parameter, of: word).coerced(node)
    case .fileTemplate(let template, let place):
      return try text(of: template, in: scope, renderer, at: place)
    case .file(let path, let rendered):
      let node = try renderer.render(path, in: scope)
      if node.value.holdsSecret { _ = try Coercion(argument.parameter, of: word).coerced(node) }
      guard let path = node.text, path != TaskScope.omitted else { return nil }
      let place = node.location
      if rendered {
        return try text(
          of: template(path, sources, at: place), in: scope, renderer, at: place)
      }
      return Node(.text(try sources.file(path, beside: folder, at: place)), at: place)
    }
  }

  /// A template whose path only a host's variables tell; of its mistakes the first is thrown.
  private func template(
    _ path: String, _ sources: SourceFiles, at place: SourceLocation
  ) throws(Diagnostic) -> Template {
    do { return try sources.template(path, beside: folder, at: place) } catch {
      throw error.all[0]
    }
  }

  private func text(
    of template: Template, in scope: TaskScope, _ renderer: Renderer, at place: SourceLocation
  ) throws(Diagnostic) -> Node {
    let result = try renderer.render(template, in: scope.forFiles)
    if case .hidden = result.value { return Node(result.value, at: place) }
    guard let text = result.value.written else {
      throw Diagnostic(
        "this template writes a list or mapping with secrets in it",
        reason: "how Python writes a text depends on what it holds",
        remedy: "pass it through to_json", at: place)
    }
    return Node(.text(text.plain ?? ""), at: place)
  }

  func missing(_ parameter: ModuleSpec.Parameter) -> Diagnostic {
    Diagnostic(
      "\"\(word)\" needs the argument \"\(parameter.name)\"", remedy: "add \(parameter.name)",
      at: location)
  }

  /// The kinds see a source file as `content`.
  private static func entry(_ argument: Argument, _ node: Node) -> Mapping.Entry {
    var name = argument.parameter.name
    if case .sourceFile = argument.parameter.type { name = CallParser.contentName }
    return Mapping.Entry(key: name, keyLocation: argument.keyLocation, value: node)
  }
}
