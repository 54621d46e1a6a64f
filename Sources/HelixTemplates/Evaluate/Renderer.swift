package import HelixModel

/// Fills templates in; keeps what it has parsed, so that a variable many hosts share is read once.
package final class Renderer {
  /// Variables that lead to variables that lead …: more than anyone writes on purpose.
  private static let longestChain = 40

  /// Texts with the same place and content are the same template.
  private struct Key: Hashable {
    var text: String
    var location: SourceLocation
  }

  /// A variable that is being filled in.
  private struct Link: Equatable {
    var identity: String
    var name: String
    var location: SourceLocation
  }

  private let sources: (any SourceReader)?
  private var parsed: [Key: NodeTemplate] = [:]
  private var chain: [Link] = []

  /// - Parameter sources: lets messages point into scalars, see `TextOrigin`.
  package init(sources: (any SourceReader)? = nil) { self.sources = sources }

  /// Fills in a template; one that is nothing but an expression keeps the type of its value.
  package func render(
    _ template: Template, in namespace: some Namespace
  ) throws(Diagnostic) -> Node {
    Node(try value(of: template, in: namespace), at: template.origin.start)
  }

  /// Fills in every template in a node.
  package func render(
    _ template: NodeTemplate, in namespace: some Namespace
  ) throws(Diagnostic) -> Node {
    try node(of: template, in: namespace)
  }

  /// Fills in every template in a node; syntax errors are reported one at a time.
  package func render(_ node: Node, in namespace: some Namespace) throws(Diagnostic) -> Node {
    try self.node(of: template(of: node), in: namespace)
  }

  // MARK: - Templates

  func node(
    of template: NodeTemplate, in namespace: any Namespace
  ) throws(Diagnostic) -> Node {
    switch template.form {
    case .constant: return template.node
    case .template(let text):
      var node = template.node
      node.value = try value(of: text, in: namespace)
      return node
    case .list(let elements):
      var nodes: [Node] = []
      for element in elements { nodes.append(try node(of: element, in: namespace)) }
      return Node(.list(nodes), at: template.node.location)
    case .mapping(let entries):
      var mapping = Mapping()
      for (entry, value) in entries {
        var filled = entry
        filled.value = try node(of: value, in: namespace)
        mapping.set(filled)
      }
      return Node(.mapping(mapping), at: template.node.location)
    }
  }

  func value(of template: Template, in namespace: any Namespace) throws(Diagnostic) -> Value {
    let evaluation = Evaluation(source: template.source, namespace: namespace, renderer: self)
    if case .output(let expression)? = template.parts.first, template.parts.count == 1 {
      let value = try evaluation.value(of: expression)
      switch value {
      case .text, .hidden: return template.endingLines(value)
      default: return value
      }
    }
    var whole: [TemplateText] = []
    for part in template.parts {
      switch part {
      case .text(let text): whole.append(TemplateText(text))
      case .output(let expression):
        let value = try evaluation.value(of: expression)
        // As with Ansible, nothing shows as nothing rather than as "None".
        guard value != .null else { continue }
        whole.append(try evaluation.written(value, at: expression.span))
      }
    }
    return template.endingLines(HiddenText.joined(whole))
  }

  private func template(of node: Node) throws(Diagnostic) -> NodeTemplate {
    guard case .text(let text) = node.value else {
      return try Self.first { () throws(Diagnostics) in try NodeTemplate(node, sources: sources) }
    }
    let key = Key(text: text, location: node.location)
    if let known = parsed[key] { return known }
    let template = try Self.first { () throws(Diagnostics) in
      try NodeTemplate(node, sources: sources)
    }
    parsed[key] = template
    return template
  }

  private static func first<Result>(
    _ work: () throws(Diagnostics) -> Result
  ) throws(Diagnostic) -> Result {
    do { return try work() } catch { throw error.all[0] }
  }

  // MARK: - Variables

  /// A written value: a text is filled in at once, a list or mapping when something is taken out.
  func operand(
    for node: Node, named name: String, in namespace: any Namespace
  ) throws(Diagnostic) -> Operand {
    switch node.value {
    case .list, .mapping: return .written(node, namespace, name: name)
    case .text(let text) where NodeTemplate.mayBeTemplate(text):
      return .value(try settled(node, named: name, in: namespace))
    default: return .value(node.value)
    }
  }

  /// A written value with all its templates filled in.
  func settled(
    _ node: Node, named name: String, in namespace: any Namespace
  ) throws(Diagnostic) -> Value {
    let template = try template(of: node)
    guard !template.isConstant else { return node.value }
    let link = Link(identity: namespace.identity, name: name, location: node.location)
    guard !chain.contains(link) else { throw recursion(to: link) }
    guard chain.count < Self.longestChain else { throw recursion(to: link) }
    chain.append(link)
    defer { chain.removeLast() }
    return try self.node(of: template, in: namespace).value
  }

  private func recursion(to link: Link) -> Diagnostic {
    let start = chain.firstIndex(of: link) ?? 0
    let names = (chain[start...] + [link]).map(\.name)
    return Diagnostic(
      "the variable \"\(link.name)\" needs itself",
      reason: names.joined(separator: " → "), remedy: "give one of them a value of its own",
      at: link.location)
  }
}
